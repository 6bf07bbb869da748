import OperationTrackingTesting
import Testing

@testable import OperationTracking

struct OperationRunnerTests {
    private let clock = ManualClock()
    private let tracker: OperationTracker
    private let history = InMemoryHistoryStore()

    init() {
        tracker = OperationTracker(history: history, clock: clock)
    }

    private func runner(limit: Int = 1, queued: Int = 100, byType: [OperationType: Int] = [:]) -> OperationRunner {
        var configuration = OperationRunner.Configuration()
        configuration.maximumRunning = limit
        configuration.maximumQueued = queued
        configuration.maximumRunningByType = byType
        return OperationRunner(tracker: tracker, configuration: configuration)
    }

    /// Waits for a state that is sure to come, or hangs.
    private func until(_ condition: () async -> Bool) async {
        while !(await condition()) { await briefPause() }
    }

    @Test func asManyRunAsMayAndTheRestWaits() async throws {
        let runner = runner(limit: 2)
        let provider = ScriptedProvider()
        var running: [SubmittedOperation<String>] = []
        for name in ["a", "b", "c", "d"] { running.append(try await runner.submit(.init(name), to: provider)) }
        await until { provider.runningCount == 2 }
        #expect(tracker.operation(running[2].id)?.status == .pending)
        for name in ["a", "b", "c", "d"] { provider.finish(name) }
        for operation in running { _ = try await operation.output }
        #expect(provider.starts == ["a", "b", "c", "d"] || Set(provider.starts.prefix(2)) == ["a", "b"])
        #expect(provider.peakRunningCount == 2)
    }

    @Test func whateverWorkThrowsThatWasAskedToStopIsItsCancellation() async throws {
        let work = try await runner().submit(.init(), to: FailingWhenStopped())
        await until { tracker.operation(work.id)?.status == .inProgress }
        try await tracker.cancel(work.id)
        await #expect(throws: CancellationError.self) { try await work.output }
        #expect(tracker.operation(work.id)?.status == .cancelled)
    }

    @Test func aTypesOwnLimitLetsOthersPass() async throws {
        let runner = runner(limit: 10, byType: [ScriptedProvider.operationType: 1])
        let provider = ScriptedProvider()
        for name in ["a", "b"] { _ = try await runner.submit(.init(name), to: provider) }
        await until { provider.runningCount == 1 }
        #expect(await runner.queuedCount == 1)
    }

    @Test func whatIsMoreUrgentBeginsFirst() async throws {
        let runner = runner()
        let provider = ScriptedProvider()
        let first = try await runner.submit(.init("first"), to: provider)
        await until { provider.runningCount == 1 }
        _ = try await runner.submit(.init("low"), to: provider, options: .init(priority: .low))
        let raised = try await runner.submit(.init("raised"), to: provider, options: .init(priority: .low))
        _ = try await runner.submit(.init("high"), to: provider, options: .init(priority: .high))
        try await runner.setPriority(.urgent, of: raised.id)
        #expect(tracker.operation(raised.id)?.priority == .urgent)
        for name in ["first", "low", "raised", "high"] { provider.finish(name) }
        _ = try await first.output
        await until { tracker.summary.totalActive == 0 }
        #expect(provider.starts == ["first", "raised", "high", "low"])
    }

    @Test func aChangedPriorityIsInTheHistoryAtOnce() async throws {
        let runner = runner()
        let provider = ScriptedProvider()
        for name in ["a", "b"] { _ = try await runner.submit(.init(name), to: provider) }
        let waiting = try #require(tracker.activeOperations.first { $0.status == .pending })
        try await runner.setPriority(.urgent, of: waiting.id)
        #expect(try await history.record(waiting.id)?.operation.priority == .urgent)
    }

    @Test func whatSomebodyElseFailsTellsItsSubmitterWhy() async throws {
        let provider = ScriptedProvider()
        let running = try await runner().submit(.init("a"), to: provider)
        await until { provider.runningCount == 1 }
        let failure = OperationFailure(.stalled, "said from outside")
        try await tracker.fail(running.id, failure)
        await #expect(throws: failure) { try await running.output }
    }

    @Test func aFullQueueRefusesAndSaysSo() async throws {
        let runner = runner(queued: 1)
        let provider = ScriptedProvider()
        for name in ["a", "b"] { _ = try await runner.submit(.init(name), to: provider) }
        let error = await #expect(throws: OperationError.self) { try await runner.submit(.init("c"), to: provider) }
        #expect(error?.code == .queueFull)
        #expect(tracker.summary.totalActive == 2)
    }

    @Test func aWaitingOperationIsCancelledAtOnceAndNeverBegins() async throws {
        let runner = runner()
        let provider = ScriptedProvider()
        _ = try await runner.submit(.init("a"), to: provider)
        let waiting = try await runner.submit(.init("b"), to: provider)
        try await tracker.cancel(waiting.id)
        #expect(tracker.operation(waiting.id)?.status == .cancelled)
        await #expect(throws: CancellationError.self) { try await waiting.output }
        provider.finish("a")
        await until { tracker.summary.totalActive == 0 }
        #expect(provider.starts == ["a"])
    }

    @Test func equalRequestsAtTheSameMomentAreOneWithoutAHistoryToo() async throws {
        let tracker = OperationTracker(clock: clock)
        let runner = OperationRunner(tracker: tracker)
        let provider = ScriptedProvider(traits: ProviderTraits(isUnique: true))
        let ids = try await withThrowingTaskGroup(of: OperationID.self) { group in
            for _ in 0..<10 { group.addTask { try await runner.submit(.init("a"), to: provider).id } }
            return try await group.reduce(into: Set<OperationID>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
    }

    @Test func anEqualRequestJoinsWhatIsActive() async throws {
        let runner = runner()
        let provider = ScriptedProvider(traits: ProviderTraits(isUnique: true))
        let first = try await runner.submit(.init("a"), to: provider)
        let second = try await runner.submit(.init("a"), to: provider)
        #expect(!first.hasJoined && second.hasJoined)
        #expect(first.id == second.id)
        provider.finish("a")
        #expect(try await second.output == "a")
        let third = try await runner.submit(.init("a"), to: provider)
        #expect(!third.hasJoined)
        #expect(third.id != first.id)
    }

    @Test func anEqualRequestOfAnotherProcessIsJoinedThroughTheHistory() async throws {
        let provider = ScriptedProvider(traits: ProviderTraits(isUnique: true))
        let first = try await runner().submit(.init("a"), to: provider)
        let elsewhere = OperationTracker(history: history, clock: clock)
        let second = try await OperationRunner(tracker: elsewhere).submit(.init("a"), to: provider)
        #expect(second.hasJoined)
        #expect(second.id == first.id)
        provider.finish("a")
        _ = try await first.output
        #expect(try await clock.advance { try await second.output } == "a")
    }

    @Test func anOutputOfAnotherProcessIsReadAsItsProviderWroteIt() async throws {
        let provider = ScriptedProvider(traits: ProviderTraits(isUnique: true))
        let first = try await runner().submit(.init("a"), to: provider)
        let elsewhere = OperationRunner(tracker: OperationTracker(history: history, clock: clock))
        elsewhere.providers.register(provider)
        let second = try await elsewhere.submit(json: Array(#"{"name":"a"}"#.utf8), of: ScriptedProvider.operationType)
        #expect(second.hasJoined)
        provider.finish("a")
        _ = try await first.output
        #expect(try await clock.advance { try await second.output } as? String == "a")
    }

    @Test func requestsComeAsJSONForTheProviderOfAType() async throws {
        let provider = ScriptedProvider()
        let runner = runner()
        runner.providers.register(provider)
        let running = try await runner.submit(json: Array(#"{"name":"a"}"#.utf8), of: ScriptedProvider.operationType)
        provider.finish("a")
        #expect(try await running.output as? String == "a")
        let wrong = await #expect(throws: OperationError.self) {
            try await runner.submit(json: Array(#"{"title":"a"}"#.utf8), of: ScriptedProvider.operationType)
        }
        #expect(wrong?.code == .invalidValue)
        let unknown = await #expect(throws: OperationError.self) { try await runner.submit(json: [], of: .download) }
        #expect(unknown?.code == .unknownProvider)
    }

    @Test func requestAndOutputAreKept() async throws {
        let provider = ScriptedProvider()
        let running = try await runner().submit(.init("a"), to: provider)
        provider.finish("a")
        _ = try await running.output
        let record = try #require(try await history.record(running.id))
        #expect(record.request == Array(#"{"name":"a"}"#.utf8))
        #expect(record.result == Array(#""a""#.utf8))
    }

    @Test func aRequestThatIsTooLargeIsRefusedBeforeAnythingBegins() async throws {
        let error = await #expect(throws: OperationError.self) {
            try await runner().submit(.init(String(repeating: "x", count: 70_000)), to: ScriptedProvider())
        }
        #expect(error?.code == .invalidValue)
        #expect(tracker.summary.totalActive == 0)
    }

    @Test func nonsenseReportedByAProviderIsHeldWithinReason() async throws {
        let running = try await runner().submit(.init(), to: NonsenseProvider())
        _ = try await running.output
        let operation = try #require(tracker.operation(running.id))
        #expect(operation.status == .completed)
        #expect(operation.progress.completedUnits == 10)
        #expect(operation.resources == .unknown || operation.resources.cpuPercent == 0)
    }

    @Test func anOperationEndedByItsProviderIsNotEndedTwice() async throws {
        let running = try await runner().submit(.init(), to: SelfEndingProvider(tracker: tracker))
        _ = try? await running.output
        #expect(tracker.operation(running.id)?.status == .failed)
        #expect(tracker.summary[.failed] == 1)
        #expect(tracker.summary[.completed] == 0)
    }
}

private struct Nothing: Codable, Sendable {}

private struct NonsenseProvider: OperationProvider {
    static let operationType = OperationType("nonsense")

    func description(of request: Nothing) -> String { "" }

    @concurrent
    func perform(_ request: Nothing, reporting handle: OperationHandle) async throws -> Nothing {
        handle.setTotal(10)
        handle.update(completed: -5)
        handle.update(completed: .max)
        handle.update(fraction: .nan)
        handle.report(ResourceImpact(cpuPercent: .nan, memoryBytes: -1, networkBitsPerSecond: .infinity))
        handle.report(ResourceImpact(cpuPercent: -3))
        handle.setPhase(String(repeating: "x", count: 10_000), message: String(repeating: "y", count: 10_000))
        return Nothing()
    }
}

private struct SelfEndingProvider: OperationProvider {
    static let operationType = OperationType("self_ending")
    let tracker: OperationTracker

    func description(of request: Nothing) -> String { "" }

    @concurrent
    func perform(_ request: Nothing, reporting handle: OperationHandle) async throws -> Nothing {
        try await tracker.fail(handle.id, OperationFailure(.stalled, "I end myself."))
        handle.update(completed: 99)
        return Nothing()
    }
}

/// Fails of itself just when it is asked to stop.
private struct FailingWhenStopped: OperationProvider {
    struct Request: Codable, Sendable {}

    static let operationType = OperationType("failing")

    func description(of request: Request) -> String { "Work" }

    @concurrent
    func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Int {
        while !handle.isCancelled { await briefPause() }
        throw OperationFailure(.integrityError, "It was broken.")
    }
}
