import OperationTrackingTesting
import Synchronization
import Testing

@testable import OperationTracking

/// Pausing, resuming and cancelling what waits for the one place of a runner, and what has it.
struct RunnerPausingTests {
    private let tracker: OperationTracker
    private let runner: OperationRunner

    init() {
        tracker = OperationTracker(history: InMemoryHistoryStore(), clock: ManualClock())
        var configuration = OperationRunner.Configuration()
        configuration.maximumRunning = 1
        runner = OperationRunner(tracker: tracker, configuration: configuration)
    }

    /// Waits for a state that is sure to come, or hangs.
    private func until(_ condition: () async -> Bool) async {
        while !(await condition()) { await briefPause() }
    }

    @Test func aHeldOperationDoesNotBeginUntilItIsResumed() async throws {
        let provider = ScriptedProvider()
        _ = try await runner.submit(.init("a"), to: provider)
        let held = try await runner.submit(.init("b"), to: provider)
        try await tracker.pause(held.id)
        provider.finish("a")
        provider.finish("b")
        await until { provider.runningCount == 0 && tracker.summary[.completed] == 1 }
        #expect(tracker.operation(held.id)?.status == .pending)
        #expect(tracker.operation(held.id)?.pendingRequest == .pause)
        try await tracker.resume(held.id)
        #expect(try await held.output == "b")
    }

    @Test func pausingInPlaceKeepsThePlaceAndGoesOn() async throws {
        let provider = ScriptedProvider(traits: ProviderTraits(pausing: .inPlace))
        let running = try await runner.submit(.init("a"), to: provider)
        await until { provider.runningCount == 1 }
        try await tracker.pause(running.id)
        await until { tracker.operation(running.id)?.status == .paused }
        #expect(await runner.runningCount == 1)
        try await tracker.resume(running.id)
        await until { tracker.operation(running.id)?.status == .inProgress }
        provider.finish("a")
        #expect(try await running.output == "a")
        #expect(provider.starts == ["a"])
    }

    @Test func pausingByRestartGivesThePlaceAwayAndBeginsAgain() async throws {
        let provider = ScriptedProvider(traits: ProviderTraits(pausing: .byRestart))
        let paused = try await runner.submit(.init("a"), to: provider)
        await until { provider.runningCount == 1 }
        try await tracker.pause(paused.id)
        await until { tracker.operation(paused.id)?.status == .paused }
        let other = try await runner.submit(.init("b"), to: provider)
        provider.finish("b")
        #expect(try await other.output == "b")
        try await tracker.resume(paused.id)
        provider.finish("a")
        #expect(try await paused.output == "a")
        #expect(provider.starts == ["a", "b", "a"])
        #expect(tracker.operation(paused.id)?.attempt == 1, "going on after a pause is no new try")
    }

    @Test func workThatPausesByRestartHasPausedOnceItHasEnded() async throws {
        let provider = LookingProvider()
        let work = try await runner.submit(.init(), to: provider)
        await until { tracker.operation(work.id)?.status == .inProgress }
        try await tracker.pause(work.id)
        await until { tracker.operation(work.id)?.status == .paused }
        #expect(provider.statusAtTheEnd.withLock(\.self) == .inProgress)
        try await tracker.cancel(work.id)
    }

    @Test func workThatReturnsJustAsItIsTakenToBePausedCompletes() async throws {
        for round in 0..<4_000 {
            let handle = try tracker.start(type: .install, description: "work")
            try await tracker.pause(handle.id)
            async let paused: Void? = try? tracker.step(handle.cell, .pause, following: .pause)
            // A little later each time, so that it comes to be just then.
            for _ in 0..<round { _ = handle.isCancelled }
            try await tracker.end(handle, afterReturning: nil)
            _ = await paused
            #expect(handle.operation.status == .completed)
        }
    }

    @Test func aPausedOperationIsCancelledThoughNothingRuns() async throws {
        let provider = ScriptedProvider(traits: ProviderTraits(pausing: .byRestart))
        let paused = try await runner.submit(.init("a"), to: provider)
        await until { provider.runningCount == 1 }
        try await tracker.pause(paused.id)
        await until { tracker.operation(paused.id)?.status == .paused }
        try await tracker.cancel(paused.id)
        await #expect(throws: CancellationError.self) { try await paused.output }
        #expect(tracker.operation(paused.id)?.status == .cancelled)
    }

    @Test func whatIsPausedAgainWhileItWaitsToGoOnStaysPaused() async throws {
        let provider = ScriptedProvider(traits: ProviderTraits(pausing: .byRestart))
        let paused = try await runner.submit(.init("a"), to: provider)
        await until { provider.runningCount == 1 }
        try await tracker.pause(paused.id)
        await until { tracker.operation(paused.id)?.status == .paused }
        _ = try await runner.submit(.init("b"), to: provider)
        await until { provider.runningCount == 1 }
        try await tracker.resume(paused.id)
        await until { await runner.queuedCount == 1 }
        try await tracker.pause(paused.id)
        await until { await runner.queuedCount == 0 }
        provider.finish("b")
        await until { await runner.runningCount == 0 }
        #expect(provider.starts == ["a", "b"])
        #expect(tracker.operation(paused.id)?.status == .paused)
        try await tracker.resume(paused.id)
        provider.finish("a")
        #expect(try await paused.output == "a")
    }

    @Test func aFailureAfterAPauseThatWasTakenBackIsAFailure() async throws {
        let provider = ScriptedProvider(traits: ProviderTraits(pausing: .byRestart))
        let running = try await runner.submit(.init("a"), to: provider)
        await until { provider.runningCount == 1 }
        try await tracker.pause(running.id)
        try await tracker.resume(running.id)
        // The work had been stopped for the pause, and begins again.
        await until { provider.starts == ["a", "a"] }
        let failure = OperationFailure(.stalled, "for real")
        provider.fail("a", with: failure)
        await #expect(throws: failure) { try await running.output }
        #expect(tracker.operation(running.id)?.failure == failure)
    }

    @Test func whatCannotPauseRefusesAndGoesOn() async throws {
        let provider = ScriptedProvider(traits: ProviderTraits(pausing: .unsupported))
        let running = try await runner.submit(.init("a"), to: provider)
        await until { tracker.operation(running.id)?.status == .inProgress }
        let error = await #expect(throws: OperationError.self) { try await tracker.pause(running.id) }
        #expect(error?.code == .cannotPause)
        #expect(tracker.operation(running.id)?.pendingRequest == nil)
        provider.finish("a")
        #expect(try await running.output == "a")
    }
}

/// Goes from checkpoint to checkpoint, and looks how its operation is as it ends.
private final class LookingProvider: OperationProvider {
    struct Request: Codable, Sendable {}

    static let operationType = OperationType.seed
    let traits = ProviderTraits(pausing: .byRestart)
    let statusAtTheEnd = Mutex<OperationStatus?>(nil)

    func description(of request: Request) -> String { "Look" }

    @concurrent
    func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Request {
        defer { statusAtTheEnd.withLock { $0 = handle.operation.status } }
        while true {
            try await handle.checkpoint()
            await briefPause()
        }
    }
}
