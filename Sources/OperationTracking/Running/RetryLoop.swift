import Synchronization

/// Tries work until it is done or fails for good.
///
/// Keep it for as long as the operation lasts: where a pause ends the work while it waits for its next try, the same loop run
/// again waits on for that try.
package final class RetryLoop: Sendable {
    private struct State {
        /// How long the operation had run when the first try began.
        var start: Double?
        var waited = Duration.zero
        var next: NextTry?
        /// What was said of the next try by the program that ended before it came; `nil` where none was waited for.
        var inherited: String?
    }

    private struct NextTry {
        /// On the monotonic clock, in nanoseconds.
        var at: Int64
        var message: String
    }

    /// Behind it, a message says why there is a next try.
    private static let endOfTime = " UTC."

    private let policy: RetryPolicy
    private let state: Mutex<State>

    /// - Parameter operation: one that is taken up; `nil` for one that has not begun.
    package init(policy: RetryPolicy, goingOnFrom operation: BackgroundOperation? = nil) {
        self.policy = policy
        // Asked now, since work that waits for room says that in the same place.
        let waited = operation.flatMap { $0.phase == PhaseLog.waitingToRetry ? $0.message ?? "" : nil }
        state = Mutex(State(inherited: waited))
    }

    /// - Parameter handle: the same for every call.
    package func run<Output>(
        reporting handle: OperationHandle,
        _ attempt: () async throws -> Output
    ) async throws -> Output {
        let begun = handle.activeSeconds
        let (start, interrupted) = state.withLock { state in
            let start = state.start ?? begun
            state.start = start
            return (start, state.next)
        }
        if let next = interrupted ?? drawn(for: handle) { try await wait(for: next, handle) }
        while true {
            do {
                return try await attempt()
            } catch {
                if error is CancellationError || Task.isCancelled || handle.isCancelled { throw error }
                let failure = OperationFailure(recording: error)
                let elapsed = Duration.seconds(handle.activeSeconds - start)
                let delay = policy.delay(
                    after: failure,
                    attempt: handle.attempt,
                    elapsed: elapsed,
                    waited: state.withLock(\.waited),
                    jitter: .random(in: 0...1)
                )
                guard let delay else { throw error }
                state.withLock { $0.waited += delay }
                try await wait(for: next(after: delay, because: " \(failure.message)", handle), handle)
            }
        }
    }

    /// For work that waited when its program ended, and was taken up by this one: when the next try was to come is not kept, so
    /// that is drawn anew.
    private func drawn(for handle: OperationHandle) -> NextTry? {
        guard let message = state.withLock({ $0.inherited.take() }), handle.attempt < policy.maximumAttempts else {
            return nil
        }
        let reason = message.firstRange(of: Self.endOfTime).map { String(message[$0.upperBound...]) }
        let delay = policy.backOff(attempt: handle.attempt, jitter: .random(in: 0...1))
        return next(after: delay, because: reason ?? "", handle)
    }

    private func next(after delay: Duration, because reason: String, _ handle: OperationHandle) -> NextTry {
        let time = CalendarMoment.timeOfDay(
            milliseconds: handle.clock.wallMilliseconds + delay.nanoseconds / 1_000_000
        )
        return NextTry(
            at: handle.clock.monotonicNanoseconds.later(by: delay),
            message: "Try \(handle.attempt + 1) of \(policy.maximumAttempts) at \(time)\(Self.endOfTime)\(reason)"
        )
    }

    /// Waiting is a phase of its own that says why, and when the next try comes.
    private func wait(for next: NextTry, _ handle: OperationHandle) async throws {
        state.withLock { $0.next = next }
        handle.setPhase(PhaseLog.waitingToRetry, message: next.message)
        while true {
            let left = next.at - handle.clock.monotonicNanoseconds
            guard left > 0 else { break }
            try await handle.waitForRequest(within: .nanoseconds(left))
            try await handle.checkpoint()
        }
        state.withLock { $0.next = nil }
        handle.beginAttempt(handle.attempt + 1)
    }
}

extension OperationHandle {
    /// How long the work has run, pauses not counted.
    fileprivate var activeSeconds: Double {
        cell.withState { $0.activeSeconds(at: clock.monotonicNanoseconds) } ?? 0
    }

    func beginAttempt(_ number: Int) {
        cell.withState { state in
            state.attempt = number
            state.phase = nil
            state.message = nil
            state.isDirty = true
        }
    }
}
