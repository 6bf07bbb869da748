import OperationTrackingTesting
import Testing

@testable import OperationTracking

struct RetryTests {
    private let clock = ManualClock()
    private let tracker: OperationTracker

    init() {
        tracker = OperationTracker(clock: clock)
    }

    private static let passing = OperationFailure(.connectionLost, "cut")

    @Test func waitsDoubleUpToTheirCap() {
        let policy = RetryPolicy(maximumAttempts: 10, baseDelay: .seconds(1), maximumDelay: .seconds(10))
        let delays = (1...6).map { attempt in
            policy.delay(after: Self.passing, attempt: attempt, elapsed: .zero, jitter: 1)?.seconds ?? -1
        }
        #expect(zip(delays, [1, 2, 4, 8, 10, 10]).allSatisfy { abs($0 - $1) < 0.001 })
    }

    @Test func waitsAreSpreadOverTheWholeRange() {
        let policy = RetryPolicy(baseDelay: .seconds(8))
        let delays = [0, 0.25, 1].map { jitter in
            policy.delay(after: Self.passing, attempt: 1, elapsed: .zero, jitter: jitter)
        }
        #expect(delays == [.zero, .seconds(2), .seconds(8)])
    }

    @Test func finalFailuresAndLastAttemptsAreNotTriedAgain() {
        let policy = RetryPolicy(maximumAttempts: 3)
        let final = OperationFailure(.notFound, "gone")
        #expect(policy.delay(after: final, attempt: 1, elapsed: .zero, jitter: 1) == nil)
        #expect(policy.delay(after: Self.passing, attempt: 3, elapsed: .zero, jitter: 1) == nil)
        #expect(policy.delay(after: Self.passing, attempt: 2, elapsed: .zero, jitter: 1) != nil)
    }

    @Test func whatTheOtherSideAsksForIsWaited() {
        let asked = OperationFailure(.rateLimited, "slow down", retryAfter: .seconds(90))
        #expect(RetryPolicy().delay(after: asked, attempt: 1, elapsed: .zero, jitter: 1) == .seconds(90))
        let hasty = RetryPolicy(maximumWaiting: .seconds(10))
        #expect(hasty.delay(after: asked, attempt: 1, elapsed: .zero, jitter: 1) == nil)
        let bounded = RetryPolicy(maximumElapsed: .seconds(100))
        #expect(bounded.delay(after: asked, attempt: 1, elapsed: .seconds(20), jitter: 1) == nil)
    }

    @Test func workIsTriedAgainUntilItSucceeds() async throws {
        let provider = ScriptedProvider(failures: [Self.passing, Self.passing])
        let running = try await OperationRunner(tracker: tracker)
            .submit(.init(), to: provider, options: .init(retry: RetryPolicy()))
        await clock.waitForSleepers(2)
        let operation = try #require(tracker.operation(running.id))
        #expect(operation.phase == "waiting to retry")
        #expect(operation.message?.contains("cut") == true)
        while tracker.operation(running.id)?.status == .inProgress { await clock.advance(by: .seconds(1)) }
        #expect(try await running.output == .init(attempt: 3))
        #expect(tracker.operation(running.id)?.attempt == 3)
        #expect(tracker.operation(running.id)?.status == .completed)
    }

    @Test func theLastFailureIsTheOneRecorded() async throws {
        let final = OperationFailure(.notFound, "gone for good")
        let provider = ScriptedProvider(failures: [Self.passing, final])
        let running = try await OperationRunner(tracker: tracker)
            .submit(.init(), to: provider, options: .init(retry: RetryPolicy()))
        await clock.waitForSleepers(2)
        await clock.advance(by: .seconds(61))
        await #expect(throws: final) { try await running.output }
        #expect(tracker.operation(running.id)?.failure == final)
    }

    private func pause(_ id: OperationID) async throws {
        try await tracker.pause(id)
        while tracker.operation(id)?.status != .paused { await briefPause() }
    }

    @Test func waitingWorkPausesAtOnceAndGoesOnWaiting() async throws {
        let limited = OperationFailure(.rateLimited, "slow down", retryAfter: .seconds(3000))
        let provider = ScriptedProvider(failures: [limited], pausing: .inPlace)
        // Pauses don't count, so the limit is not reached by the second failure.
        let retry = RetryPolicy(maximumElapsed: .seconds(3100))
        let running = try await OperationRunner(tracker: tracker)
            .submit(.init(), to: provider, options: .init(retry: retry))
        await clock.waitForSleepers(2)
        await clock.advance(by: .seconds(1000))
        try await pause(running.id)
        await clock.advance(by: .seconds(1000))
        try await tracker.resume(running.id)
        while tracker.operation(running.id)?.status != .inProgress { await briefPause() }
        #expect(tracker.operation(running.id)?.attempt == 1)
        await clock.waitForSleepers(2)
        await clock.advance(by: .seconds(1001))
        #expect(try await running.output == .init(attempt: 2))
    }

    @Test func pausesDoNotCountForTheTimeThatTriesMayTake() async throws {
        let provider = ScriptedProvider(failures: [Self.passing, Self.passing], pausing: .inPlace)
        let retry = RetryPolicy(baseDelay: .seconds(10), maximumElapsed: .seconds(100))
        let running = try await OperationRunner(tracker: tracker)
            .submit(.init(), to: provider, options: .init(retry: retry))
        await clock.waitForSleepers(2)
        try await pause(running.id)
        await clock.advance(by: .seconds(1000))
        try await tracker.resume(running.id)
        // The ticker and the wait: time that passes while it is tried counts, however little that is.
        while tracker.operation(running.id)?.status.isActive == true {
            if clock.sleeperCount > 1 { clock.advanceToNextSleeper() }
            await briefPause()
        }
        #expect(try await running.output == .init(attempt: 3))
    }

    @Test func workThatPausesByRestartGivesItsPlaceAwayWhileItWaits() async throws {
        let provider = ScriptedProvider(failures: [Self.passing], pausing: .byRestart)
        let runner = OperationRunner(tracker: tracker)
        let running = try await runner.submit(.init(), to: provider, options: .init(retry: RetryPolicy()))
        await clock.waitForSleepers(2)
        try await pause(running.id)
        while await runner.runningCount > 0 { await briefPause() }
        try await tracker.cancel(running.id)
        await #expect(throws: CancellationError.self) { try await running.output }
    }

    @Test func workThatPausesByRestartWaitsOnForTheSameMoment() async throws {
        let limited = OperationFailure(.rateLimited, "slow down", retryAfter: .seconds(3000))
        let provider = ScriptedProvider(failures: [limited], pausing: .byRestart)
        let runner = OperationRunner(tracker: tracker)
        let running = try await runner.submit(.init(), to: provider, options: .init(retry: RetryPolicy()))
        await clock.waitForSleepers(2)
        let message = tracker.operation(running.id)?.message
        await clock.advance(by: .seconds(1000))
        try await pause(running.id)
        while await runner.runningCount > 0 { await briefPause() }
        await clock.advance(by: .seconds(1000))
        try await tracker.resume(running.id)
        await clock.waitForSleepers(2)
        let waiting = try #require(tracker.operation(running.id))
        #expect(waiting.status == .inProgress && waiting.attempt == 1)
        #expect(waiting.phase == "waiting to retry" && waiting.message == message)
        await clock.advance(by: .seconds(999))
        #expect(tracker.operation(running.id)?.attempt == 1)
        await clock.advance(by: .seconds(1))
        #expect(try await running.output == .init(attempt: 2))
    }

    @Test func aNextTryThatPassedDuringAPauseIsMadeAtOnce() async throws {
        let provider = ScriptedProvider(failures: [Self.passing], pausing: .byRestart)
        let runner = OperationRunner(tracker: tracker)
        let running = try await runner.submit(.init(), to: provider, options: .init(retry: RetryPolicy()))
        await clock.waitForSleepers(2)
        try await pause(running.id)
        await clock.advance(by: .seconds(2))
        try await tracker.resume(running.id)
        #expect(try await running.output == .init(attempt: 2))
    }

    @Test func workTakenUpWhileItWaitedDrawsANewWait() async throws {
        let handle = try tracker.start(type: .download, description: "taken up")
        // As the history kept it.
        handle.setPhase("waiting to retry", message: "Try 2 of 4 at 12:00:00 UTC. It was cut.")
        let loop = RetryLoop(policy: RetryPolicy(baseDelay: .seconds(60)), goingOnFrom: handle.operation)
        // It waited for room since.
        handle.setPhase("waiting", message: "The machine is overloaded.")
        handle.setPhase(nil)
        let attempts = Task { try await loop.run(reporting: handle) { handle.attempt } }
        await clock.waitForSleepers(2)
        #expect(handle.operation.attempt == 1)
        #expect(handle.operation.phase == "waiting to retry")
        #expect(handle.operation.message?.hasSuffix(" UTC. It was cut.") == true)
        await clock.advance(by: .seconds(60))
        #expect(try await attempts.value == 2)
        #expect(handle.operation.phase == nil)
    }

    @Test func waitsThatNoClockCanReachAreWaited() async throws {
        let most = Duration.seconds(Int64.max)
        let asked = OperationFailure(.rateLimited, "never again", retryAfter: most)
        let retry = RetryPolicy(maximumAttempts: .max, baseDelay: most, maximumDelay: most)
        let running = try await OperationRunner(tracker: tracker)
            .submit(.init(), to: ScriptedProvider(failures: [asked]), options: .init(retry: retry))
        await clock.waitForSleepers(2)
        #expect(tracker.operation(running.id)?.phase == "waiting to retry")
        try await tracker.cancel(running.id)
        await #expect(throws: CancellationError.self) { try await running.output }
    }

    @Test func waitingWorkIsCancelledAtOnce() async throws {
        let provider = ScriptedProvider(failures: [Self.passing])
        let running = try await OperationRunner(tracker: tracker)
            .submit(.init(), to: provider, options: .init(retry: RetryPolicy()))
        await clock.waitForSleepers(2)
        try await tracker.cancel(running.id)
        await #expect(throws: CancellationError.self) { try await running.output }
        #expect(tracker.operation(running.id)?.status == .cancelled)
    }
}

/// Fails as it is told, once for each try, then succeeds.
private struct ScriptedProvider: OperationProvider {
    struct Request: Codable {}
    struct Output: Codable, Equatable { var attempt: Int }

    static let operationType = OperationType("scripted")
    let failures: [OperationFailure]
    var pausing = ProviderTraits.Pausing.unsupported
    var traits: ProviderTraits { ProviderTraits(pausing: pausing) }

    func description(of request: Request) -> String { "scripted" }

    @concurrent
    func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Output {
        let attempt = handle.attempt
        if attempt <= failures.count { throw failures[attempt - 1] }
        return Output(attempt: attempt)
    }
}
