import OperationTrackingTesting
import Synchronization
import TestSupport
import Testing

@testable import OperationTracking

/// How a tracker and a runner end.
struct ClosingTests {
    private let clock = ManualClock()
    private let history = InMemoryHistoryStore()
    private let tracker: OperationTracker

    init() {
        tracker = OperationTracker(history: history, clock: clock)
    }

    /// Work that says when it was told to stop, and stops when the test lets it.
    private final class SlowToStop: Sendable {
        let wasTold = AsyncStream.makeStream(of: Void.self)
        let mayStop = AsyncStream.makeStream(of: Void.self)
        private let stopped = Atomic(false)
        var hasStopped: Bool { stopped.load(ordering: .relaxed) }

        func run() async throws {
            await withTaskCancellationHandler {
                await Task { [mayStop] in for await _ in mayStop.stream {} }.value
            } onCancel: {
                wasTold.continuation.finish()
            }
            stopped.store(true, ordering: .relaxed)
            try Task.checkCancellation()
        }
    }

    private func start(_ work: SlowToStop) async -> Task<Void, any Error> {
        let running = Task {
            try await tracker.withOperation(type: .install, description: "slow") { _ in try await work.run() }
        }
        while tracker.activeOperations.isEmpty { await briefPause() }
        return running
    }

    @Test func closingWaitsForWorkThatItStopped() async throws {
        let work = SlowToStop()
        let running = await start(work)
        let id = try #require(tracker.activeOperations.first?.id)
        let closing = Task {
            await tracker.close()
            return work.hasStopped
        }
        for await _ in work.wasTold.stream {}
        // It is recorded before it is waited for.
        while tracker.operation(id)?.status != .failed { await briefPause() }
        #expect(try await history.record(id)?.operation.failure?.code == .interrupted)
        work.mayStop.continuation.finish()
        #expect(await closing.value)
        await #expect(throws: (any Error).self) { try await running.value }
    }

    @Test(.timeLimit(.minutes(Patience.minutes))) func aTreeThatIsLeftToTheNextServiceGoesAwayWithItsTracker()
        async throws
    {
        weak var left: OperationCell?
        do {
            let tracker = OperationTracker(history: InMemoryHistoryStore(), clock: clock)
            var whole: OperationID?
            for _ in 0..<2 {
                var spec = OperationSpec(type: .seed, description: "left", unit: .items, priority: .normal)
                (spec.total, spec.parent) = (10, whole)
                let cell = tracker.makeCell(spec, status: .pending) { $0.payload = .init(request: Array("{}".utf8)) }
                let handle = try tracker.admit(cell)
                tracker.join(cell, band: 0..<0.5)
                handle.update(completed: 5)
                (whole, left) = (handle.id, cell)
            }
            let shown = try #require(tracker.activeOperations.first)
            #expect(shown.progress.completedUnits > 0)
            await tracker.close()
            #expect(tracker.operation(shown.id)?.progress == shown.progress)
        }
        while left != nil { await briefPause() }
    }

    @Test func workThatDoesNotStopIsWaitedForNoLongerThanTheGrace() async throws {
        let work = SlowToStop()
        let running = await start(work)
        let time = Task {
            while !Task.isCancelled { await clock.advance(by: .seconds(1)) }
        }
        await tracker.close()
        time.cancel()
        #expect(!work.hasStopped)
        work.mayStop.continuation.finish()
        _ = try? await running.value
    }

    @Test func whoeverClosesAgainWaitsForTheSameClosing() async throws {
        let work = SlowToStop()
        let running = await start(work)
        let closings = (0..<3).map { _ in
            Task {
                await tracker.close()
                return work.hasStopped
            }
        }
        for await _ in work.wasTold.stream {}
        closings[0].cancel()
        for _ in 0..<20 { await briefPause() }
        work.mayStop.continuation.finish()
        for closing in closings { #expect(await closing.value) }
        _ = try? await running.value
    }

    @Test func workPausedInPlaceIsStoppedAndItsRowStaysPaused() async throws {
        let runner = OperationRunner(tracker: tracker)
        let provider = ScriptedProvider(traits: ProviderTraits(pausing: .inPlace))
        let paused = try await runner.submit(.init("a"), to: provider)
        while provider.runningCount < 1 { await briefPause() }
        try await tracker.pause(paused.id)
        while tracker.operation(paused.id)?.status != .paused { await briefPause() }
        await tracker.close()
        #expect(provider.runningCount == 0)
        #expect(tracker.operation(paused.id)?.status == .paused)
        let error = await #expect(throws: OperationError.self) { try await paused.output }
        #expect(error?.code == .closed)
        #expect(await runner.runningCount == 0)
    }

    @Test(.timeLimit(.minutes(Patience.minutes))) func workThatReturnsJustAsItIsLeftPausedStaysSo() async throws {
        let spec = OperationSpec(type: .seed, description: "left", unit: .items, priority: .normal)
        let cell = tracker.makeCell(spec, status: .inProgress) { $0.payload = .init(request: Array("{}".utf8)) }
        let handle = try tracker.admit(cell)
        try await tracker.pause(handle.id)
        try tracker.step(cell, .pause, following: .pause)
        await tracker.close()
        let error = await #expect(throws: OperationError.self) { try await tracker.end(handle, afterReturning: nil) }
        #expect(error?.code == .closed)
        #expect(handle.operation.status == .paused)
    }

    @Test func whatWaitsIsLeftWaitingAndNeverBegins() async throws {
        var configuration = OperationRunner.Configuration()
        configuration.maximumRunning = 1
        let runner = OperationRunner(tracker: tracker, configuration: configuration)
        let provider = ScriptedProvider()
        let running = try await runner.submit(.init("a"), to: provider)
        let waiting = try await runner.submit(.init("b"), to: provider)
        while provider.runningCount < 1 { await briefPause() }
        await tracker.close()
        await #expect(throws: (any Error).self) { try await running.output }
        let error = await #expect(throws: OperationError.self) { try await waiting.output }
        #expect(error?.code == .closed)
        #expect(tracker.operation(waiting.id)?.status == .pending)
        #expect(provider.starts == ["a"])
    }

    @Test func whoeverShutsDownAgainWaitsForTheSameShutdown() async throws {
        let runner = OperationRunner(tracker: tracker)
        let provider = ScriptedProvider()
        let running = try await runner.submit(.init("a"), to: provider)
        while provider.runningCount < 1 { await briefPause() }
        let shutdowns = (0..<3).map { number in
            Task {
                await runner.shutDown(within: .seconds(60 * number + 60))
                return tracker.operation(running.id)?.status
            }
        }
        for _ in 0..<20 { await briefPause() }
        provider.finish("a")
        for shutdown in shutdowns { #expect(await shutdown.value == .completed) }
    }
}
