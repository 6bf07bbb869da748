import OperationTrackingTesting
import Testing

@testable import OperationTracking

/// The end of a runner with one place.
struct RunnerShutdownTests {
    private let clock = ManualClock()
    private let tracker: OperationTracker
    private let runner: OperationRunner

    init() {
        tracker = OperationTracker(history: InMemoryHistoryStore(), clock: clock)
        var configuration = OperationRunner.Configuration()
        configuration.maximumRunning = 1
        runner = OperationRunner(tracker: tracker, configuration: configuration)
    }

    /// Waits for a state that is sure to come, or hangs.
    private func until(_ condition: () async -> Bool) async {
        while !(await condition()) { await briefPause() }
    }

    @Test func aShutdownLetsRunningWorkFinishAndCancelsWhatWaits() async throws {
        let provider = ScriptedProvider()
        let running = try await runner.submit(.init("a"), to: provider)
        let waiting = try await runner.submit(.init("b"), to: provider)
        await until { provider.runningCount == 1 }
        let shutdown = Task { await runner.shutDown(within: .seconds(60)) }
        await until { tracker.operation(waiting.id)?.status == .cancelled }
        await #expect(throws: OperationError.self) { try await runner.submit(.init("c"), to: provider) }
        provider.finish("a")
        await shutdown.value
        #expect(tracker.operation(running.id)?.status == .completed)
    }

    @Test(arguments: [ProviderTraits.Pausing.byRestart, .inPlace])
    func aShutdownDoesNotWaitForWorkThatPauses(_ pausing: ProviderTraits.Pausing) async throws {
        let provider = ScriptedProvider(traits: ProviderTraits(pausing: pausing))
        let running = try await runner.submit(.init("a"), to: provider)
        await until { provider.runningCount == 1 }
        let shutdown = Task { await runner.shutDown(within: .seconds(60)) }
        // The ticker sleeps too.
        await clock.waitForSleepers(2)
        try await tracker.pause(running.id)
        // The clock stands still.
        await shutdown.value
        #expect(tracker.operation(running.id)?.status == .paused)
    }

    @Test func workPausedInPlaceSurvivesAShutdown() async throws {
        let provider = ScriptedProvider(traits: ProviderTraits(pausing: .inPlace))
        let paused = try await runner.submit(.init("a"), to: provider)
        await until { provider.runningCount == 1 }
        try await tracker.pause(paused.id)
        await until { tracker.operation(paused.id)?.status == .paused }
        await runner.shutDown(within: .seconds(60))
        #expect(tracker.operation(paused.id)?.status == .paused)
        let error = await #expect(throws: OperationError.self) { try await paused.output }
        #expect(error?.code == .closed)
    }

    @Test func whatRunsAfterTheDeadlineIsCancelled() async throws {
        let provider = ScriptedProvider()
        let running = try await runner.submit(.init("a"), to: provider)
        await until { provider.runningCount == 1 }
        let shutdown = Task { await runner.shutDown(within: .seconds(60)) }
        while tracker.operation(running.id)?.status == .inProgress { await clock.advance(by: .seconds(1)) }
        await shutdown.value
        #expect(tracker.operation(running.id)?.status == .cancelled)
    }

    @Test func workThatNeverStopsIsInterruptedWhenTheTrackerCloses() async throws {
        let stubborn = StubbornProvider()
        let running = try await runner.submit(.init(), to: stubborn)
        await until { tracker.operation(running.id)?.status == .inProgress }
        try await clock.advance { await runner.shutDown(within: .seconds(1)) }
        try await clock.advance { await tracker.close() }
        let error = await #expect(throws: OperationError.self) { try await running.output }
        #expect(error?.code == .closed)
        #expect(tracker.operation(running.id)?.status == .failed)
        #expect(tracker.operation(running.id)?.failure?.code == .interrupted)
        stubborn.release.continuation.finish()
    }
}

private struct Nothing: Codable, Sendable {}

/// Ignores cancellation.
private final class StubbornProvider: OperationProvider {
    static let operationType = OperationType("stubborn")
    let release = AsyncStream.makeStream(of: Void.self)

    func description(of request: Nothing) -> String { "stubborn" }

    @concurrent
    func perform(_ request: Nothing, reporting handle: OperationHandle) async throws -> Nothing {
        await Task { for await _ in release.stream {} }.value
        return Nothing()
    }
}
