#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import OperationTrackingTesting
import Testing

@testable import OperationTracking

/// The tracker and the runner under load. The machine's own load is left out of the policy, since tests run on any.
struct LoadTests {
    private let clock = ManualClock()
    private let tracker: OperationTracker

    init() {
        tracker = OperationTracker(clock: clock)
        var policy = OverloadPolicy()
        policy.hostCPUPercent = nil
        policy.minimumAvailableMemoryBytes = nil
        policy.memoryPressurePercent = nil
        policy.settleTime = .seconds(4)
        tracker.overloadPolicy = policy
    }

    private func runner(_ response: AdmissionPolicy.Response) -> OperationRunner {
        var configuration = OperationRunner.Configuration()
        configuration.admission = AdmissionPolicy(whenOverloaded: response)
        return OperationRunner(tracker: tracker, configuration: configuration)
    }

    /// An operation whose client says that it costs so much.
    private func burden(cpuPercent: Double = 0, memoryBytes: Int64 = 0) throws -> OperationHandle {
        let handle = try tracker.start(type: .install, description: "burden")
        handle.report(ResourceImpact(cpuPercent: cpuPercent, memoryBytes: memoryBytes))
        _ = tracker.tick()
        return handle
    }

    /// Lets one measurement after the other be made until a condition holds.
    private func passTime(until condition: () -> Bool) async {
        let measurements = AsyncStream.makeStream(of: Void.self)
        tracker.observeLoad { measurements.continuation.yield() }
        var measured = measurements.stream.makeAsyncIterator()
        while !condition() {
            // The ticker measures when it wakes and the figures are two seconds old.
            await clock.waitForSleepers(1)
            await clock.advance(by: .seconds(2))
            await measured.next()
            for _ in 0..<20 { await Task.yield() }
        }
    }

    @Test func theOriginalsThresholdsHold() async throws {
        let burden = try burden(cpuPercent: 80)
        #expect(await tracker.assessOverload().isOverloaded == false)
        burden.report(ResourceImpact(cpuPercent: 80.5, memoryBytes: 4001 << 20))
        _ = tracker.tick()
        await passTime { tracker.latestAssessment.reasons.count == 2 }
        let assessment = await tracker.assessOverload()
        #expect(assessment.reasons.map(\.code) == [.operationsCPU, .operationsMemory])
        #expect(assessment.message?.contains("80") == true)
    }

    @Test func overloadIsAnEventWhenItComesAndWhenItGoes() async throws {
        let events = tracker.events()
        let burden = try burden(cpuPercent: 200)
        await passTime { tracker.latestAssessment.isOverloaded }
        burden.report(ResourceImpact(cpuPercent: 1))
        await passTime { !tracker.latestAssessment.isOverloaded }
        await tracker.close()
        var overloads: [Bool] = []
        for await event in events {
            if case .overloadChanged(let assessment) = event.kind { overloads.append(assessment.isOverloaded) }
        }
        #expect(overloads == [true, false])
    }

    @Test func aFreshFigureIsNotMeasuredAgain() async throws {
        _ = await tracker.assessOverload()
        let before = await tracker.resourceHistory().count
        _ = await tracker.assessOverload()
        #expect(await tracker.resourceHistory().count == before)
        await clock.advance(by: .seconds(3))
        _ = await tracker.assessOverload()
        #expect(await tracker.resourceHistory().count == before + 1)
    }

    @Test func workWaitsWhileTheMachineIsOverloadedAndBeginsWhenCalmReturns() async throws {
        let runner = runner(.wait)
        let provider = ScriptedProvider()
        let burden = try burden(cpuPercent: 200)
        _ = await tracker.assessOverload()
        await passTime { tracker.latestAssessment.isOverloaded }
        let waiting = try await runner.submit(.init("a"), to: provider)
        let operation = try #require(tracker.operation(waiting.id))
        #expect(operation.status == .pending)
        #expect(operation.phase == "waiting")
        #expect(operation.message?.contains("CPU") == true)

        burden.report(ResourceImpact(cpuPercent: 1))
        _ = tracker.tick()
        await passTime { tracker.operation(waiting.id)?.status == .inProgress }
        #expect(tracker.operation(waiting.id)?.phase == nil)
        provider.finish("a")
        #expect(try await waiting.output == "a")
    }

    @Test func workIsRefusedOrBegunWithAWarningAsThePolicySays() async throws {
        let burden = try burden(memoryBytes: 5000 << 20)
        await passTime { tracker.latestAssessment.isOverloaded }
        let provider = ScriptedProvider()
        let refusal = await #expect(throws: OperationError.self) {
            try await runner(.refuse).submit(.init("a"), to: provider)
        }
        #expect(refusal?.code == .overloaded)
        let warned = try await runner(.warn).submit(.init("b"), to: provider)
        #expect(warned.warning?.contains("memory") == true)
        provider.finish("b")
        _ = try await warned.output
        try await tracker.complete(burden.id)
    }

    @Test func aQueueIsBoundedAlsoWhileTheMachineIsOverloaded() async throws {
        var configuration = OperationRunner.Configuration()
        configuration.admission = AdmissionPolicy(whenOverloaded: .wait)
        configuration.maximumQueued = 3
        let runner = OperationRunner(tracker: tracker, configuration: configuration)
        _ = try burden(cpuPercent: 200)
        await passTime { tracker.latestAssessment.isOverloaded }
        for number in 0..<3 { _ = try await runner.submit(.init("\(number)"), to: ScriptedProvider()) }
        let error = await #expect(throws: OperationError.self) {
            try await runner.submit(.init("one too many"), to: ScriptedProvider())
        }
        #expect(error?.code == .queueFull)
    }

    @Test func onlyTheFrontOfALongQueueIsLookedAt() async throws {
        let runner = runner(.wait)
        _ = try burden(cpuPercent: 200)
        await passTime { tracker.latestAssessment.isOverloaded }
        for number in 0..<100 { _ = try await runner.submit(.init("\(number)"), to: ScriptedProvider()) }
        let waiting = tracker.activeOperations.filter { $0.status == .pending }
        #expect(waiting.count == 100)
        #expect(Set(waiting.filter { $0.phase == "waiting" }.map(\.description)) == Set((0..<32).map { "\($0)" }))
    }

    @Test func whatItsLikeHasNeededHoldsWorkBackWhileOtherWorkRuns() async throws {
        let history = InMemoryHistoryStore()
        let provider = ScriptedProvider()
        let earlier = OperationTracker(history: history, clock: clock)
        let learned = try await OperationRunner(tracker: earlier).submit(.init("learned"), to: provider)
        try #require(earlier.handle(learned.id)).report(ResourceImpact(memoryBytes: 1 << 60))
        provider.finish("learned")
        _ = try await learned.output

        // Another program on the same history.
        let tracker = OperationTracker(history: history, clock: clock)
        tracker.overloadPolicy = self.tracker.overloadPolicy
        var configuration = OperationRunner.Configuration()
        configuration.admission = AdmissionPolicy(whenOverloaded: .refuse)
        let runner = OperationRunner(tracker: tracker, configuration: configuration)
        // More than there is in all, but with nothing to wait for it may try.
        let first = try await runner.submit(.init("first"), to: provider)
        while provider.runningCount < 1 { await briefPause() }
        let refusal = await #expect(throws: OperationError.self) {
            try await runner.submit(.init("second"), to: provider)
        }
        #expect(refusal?.code == .overloaded)
        #expect(refusal?.message.contains("memory") == true)
        provider.finish("first")
        _ = try await first.output
    }

    @Test func workThatNeverFitsIsToldSo() async throws {
        let runner = runner(.wait)
        let decision = await runner.admission(of: ResourceDemand(memoryBytes: 1 << 60))
        guard case .neverFits(let reason) = decision else {
            Issue.record("\(decision)")
            return
        }
        #expect(reason.contains("memory"))
        let error = await #expect(throws: OperationError.self) {
            try await runner.submit(.init(), to: GreedyProvider())
        }
        #expect(error?.code == .neverFits)
        #expect(tracker.summary.totalActive == 0)
    }

    @Test func thresholdsChangeWhileRunning() async throws {
        _ = try burden(cpuPercent: 50)
        await passTime { tracker.latestAssessment.activeOperations == 1 }
        #expect(!tracker.latestAssessment.isOverloaded)
        tracker.overloadPolicy.cpuPercent = 40
        await passTime { tracker.latestAssessment.isOverloaded }
    }

    @Test func aProcessThatTwoOperationsNameCountsOnceInTheTotals() async throws {
        let pid = getppid()
        let one = try tracker.start(type: .install, description: "one", pid: pid)
        let two = try tracker.start(type: .install, description: "two", pid: pid)
        await passTime { one.operation.resources.memoryBytes != nil && two.operation.resources.memoryBytes != nil }
        let memory = try #require(one.operation.resources.memoryBytes)
        #expect(memory > 0)
        #expect(abs(tracker.summary.memoryBytes - memory) <= memory / 5)
        try await tracker.complete(one.id)
        try await tracker.complete(two.id)
        #expect(tracker.summary.memoryBytes == 0)
    }

    @Test func workInsideThisProcessHasNoCostOfItsOwn() async throws {
        let handle = try tracker.start(type: .install, description: "inside", pid: getpid())
        await passTime { tracker.latestAssessment.activeOperations == 1 }
        await clock.advance(by: .seconds(5))
        #expect(handle.operation.resources.cpuPercent == nil)
        #expect(handle.operation.resources.memoryBytes == nil)
    }
}

private struct GreedyProvider: OperationProvider {
    struct Request: Codable {}
    struct Output: Codable {}

    static let operationType = OperationType("greedy")

    func description(of request: Request) -> String { "greedy" }
    func demand(of request: Request) -> ResourceDemand { ResourceDemand(memoryBytes: 1 << 60) }

    @concurrent
    func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Output { Output() }
}
