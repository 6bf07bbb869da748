import OperationTrackingTesting
import Testing

@testable import OperationTracking

/// Parts of an operation that a runner runs.
struct SubmittedPartsTests {
    private let tracker = OperationTracker(history: InMemoryHistoryStore(), clock: ManualClock())
    private let provider = ScriptedProvider(traits: ProviderTraits(pausing: .byRestart))

    private func runner(limit: Int) -> OperationRunner {
        var configuration = OperationRunner.Configuration()
        configuration.maximumRunning = limit
        return OperationRunner(tracker: tracker, configuration: configuration)
    }

    private func whole() throws -> OperationHandle {
        try tracker.start(type: .install, description: "whole", unit: .fraction)
    }

    private func until(_ condition: () async -> Bool) async {
        while !(await condition()) { await briefPause() }
    }

    private func status(_ part: SubmittedOperation<String>) -> OperationStatus? { tracker.operation(part.id)?.status }

    @Test func aPartMovesItsBandOfTheWhole() async throws {
        let whole = try whole()
        let runner = runner(limit: 2)
        let part = try await runner.submit(
            .init("a"),
            to: provider,
            options: .init(parent: whole.id, band: 0.2..<0.6)
        )
        await until { status(part) == .inProgress }
        let handle = try #require(tracker.handle(part.id))
        handle.setTotal(10)
        handle.update(completed: 5)
        #expect(whole.operation.progress.percent == 20)
        provider.finish("a")
        _ = try await part.output
        #expect(whole.operation.progress.percent == 40)
        #expect(tracker.operation(part.id)?.parentID == whole.id)
    }

    @Test func aPartWithoutABandLeavesTheWholesProgressAlone() async throws {
        let whole = try whole()
        whole.update(fraction: 0.5)
        let part = try await runner(limit: 1).submit(.init("a"), to: provider, options: .init(parent: whole.id))
        await until { status(part) == .inProgress }
        #expect(whole.operation.progress.percent == 50)
        provider.finish("a")
        _ = try await part.output
    }

    @Test func pausingTheWholeReachesPartsThatRunAndPartsThatWait() async throws {
        let whole = try whole()
        let runner = runner(limit: 1)
        let running = try await runner.submit(.init("a"), to: provider, options: .init(parent: whole.id))
        let waiting = try await runner.submit(.init("b"), to: provider, options: .init(parent: whole.id))
        await until { provider.runningCount == 1 }
        try await tracker.pause(whole.id)
        await until { status(running) == .paused && whole.operation.status == .paused }
        #expect(status(waiting) == .pending)
        #expect(tracker.operation(waiting.id)?.pendingRequest == .pause)

        try await tracker.resume(whole.id)
        for name in ["a", "b"] { provider.finish(name) }
        for part in [running, waiting] { _ = try await part.output }
        #expect(whole.operation.status == .inProgress)
        #expect(whole.operation.pendingRequest == nil)
    }

    @Test func aWholeWhosePartsAllWaitIsPausedByHoldingThem() async throws {
        let whole = try whole()
        let runner = runner(limit: 1)
        let other = try await runner.submit(.init("other"), to: provider)
        await until { provider.runningCount == 1 }
        let waiting = try await runner.submit(.init("a"), to: provider, options: .init(parent: whole.id))
        try await tracker.pause(whole.id)
        #expect(whole.operation.status == .paused)
        for name in ["other", "a"] { provider.finish(name) }
        _ = try await other.output
        await until { await runner.runningCount == 0 }
        #expect(status(waiting) == .pending)
        try await tracker.resume(whole.id)
        _ = try await waiting.output
        #expect(whole.operation.status == .inProgress)
    }

    @Test func cancellingTheWholeReachesPartsThatRunAndPartsThatWait() async throws {
        let whole = try whole()
        let runner = runner(limit: 1)
        let running = try await runner.submit(.init("a"), to: provider, options: .init(parent: whole.id))
        let waiting = try await runner.submit(.init("b"), to: provider, options: .init(parent: whole.id))
        await until { provider.runningCount == 1 }
        try await tracker.cancel(whole.id)
        for part in [running, waiting] {
            await #expect(throws: CancellationError.self) { try await part.output }
            #expect(status(part) == .cancelled)
        }
        #expect(provider.starts == ["a"])
    }

    @Test func aPartThatComesAfterAWishForTheWholeFollowsItToo() async throws {
        let whole = try whole()
        let runner = runner(limit: 4)
        try await tracker.pause(whole.id)
        let held = try await runner.submit(.init("a"), to: provider, options: .init(parent: whole.id))
        #expect(tracker.operation(held.id)?.pendingRequest == .pause)
        #expect(whole.operation.status == .paused)
        try await tracker.resume(whole.id)
        await until { status(held) == .inProgress }
        try await tracker.cancel(whole.id)
        let late = try await runner.submit(.init("b"), to: provider, options: .init(parent: whole.id))
        await #expect(throws: CancellationError.self) { try await late.output }
        await #expect(throws: CancellationError.self) { try await held.output }
    }

    @Test func aWholeThatWaitsForItsPartsDoesNotTakeTheirPlace() async throws {
        let runner = runner(limit: 1)
        let wholes = WholeProvider(runner: runner)
        // Both wholes and all their parts go through one place.
        let both = [try await runner.submit(.init(), to: wholes), try await runner.submit(.init(), to: wholes)]
        for whole in both { #expect(try await whole.output == 3) }
        #expect(wholes.parts.peakRunningCount == 1)
        #expect(await runner.runningCount == 0)
    }

    @Test func aWholeLendsItsPlaceAlsoToPartsOfPartsThatItRunsItself() async throws {
        let runner = runner(limit: 1)
        let nesting = NestingProvider(runner: runner)
        #expect(try await runner.submit(.init(), to: nesting).output == "innermost")
        #expect(await runner.runningCount == 0)
    }

    @Test func aPartOfWhatHasEndedIsRefused() async throws {
        let runner = runner(limit: 1)
        let ended = try (0..<2).map { _ in try whole().id }
        try await tracker.cancel(ended[0])
        try await tracker.report(ended[0], .cancelled)
        try await tracker.complete(ended[1])
        for (id, status) in zip(ended, ["cancelled", "completed"]) {
            let error = await #expect(throws: OperationError.self) {
                try await runner.submit(.init("a"), to: provider, options: .init(parent: id))
            }
            #expect(error?.code == .invalidTransition)
            #expect(error?.message.contains(status) == true)
        }
        #expect(tracker.summary.totalActive == 0 && provider.starts.isEmpty)
    }

    @Test func aPartThatBeginsAsItsWholeIsCancelledIsCancelledToo() async throws {
        let whole = try whole()
        let spec = OperationSpec(type: .seed, description: "part", unit: .items, priority: .normal, parent: whole.id)
        // Made while the whole was active, and joined to it when that had ended.
        let part = try tracker.admit(tracker.makeCell(spec, status: .pending))
        try await tracker.cancel(whole.id)
        try await tracker.report(whole.id, .cancelled)
        tracker.join(part.cell, band: 0..<1)
        await until { part.operation.status == .cancelled }
    }
}

/// Has its work done by a part within a part of its own.
private struct NestingProvider: OperationProvider {
    struct Request: Codable, Sendable {}

    static let operationType = OperationType("nesting")
    let runner: OperationRunner
    let scripted = ScriptedProvider()
    var unit: OperationUnit { .fraction }

    func description(of request: Request) -> String { "nesting" }

    @concurrent
    func perform(_ request: Request, reporting handle: OperationHandle) async throws -> String {
        scripted.finish("innermost")
        return try await handle.withPart(type: .install, description: "outer", band: 0..<1, unit: .fraction) { outer in
            try await outer.withPart(type: .install, description: "inner", band: 0..<1, unit: .fraction) { inner in
                try await runner.submit(.init("innermost"), to: scripted, options: .init(parent: inner.id)).output
            }
        }
    }
}

/// Has its work done by three parts.
private struct WholeProvider: OperationProvider {
    struct Request: Codable, Sendable {}

    static let operationType = OperationType("whole")
    let runner: OperationRunner
    let parts = ScriptedProvider()
    var unit: OperationUnit { .fraction }

    func description(of request: Request) -> String { "whole" }

    @concurrent
    func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Int {
        let names = (0..<3).map { "\(handle.id) \($0)" }
        var submitted: [SubmittedOperation<String>] = []
        for (number, name) in names.enumerated() {
            parts.finish(name)
            let band = Double(number) / 3..<Double(number + 1) / 3
            submitted.append(
                try await runner.submit(.init(name), to: parts, options: .init(parent: handle.id, band: band))
            )
        }
        for part in submitted { _ = try await part.output }
        return submitted.count
    }
}
