/// Tries work until it is done or fails for good.
package struct RetryLoop {
    private let policy: RetryPolicy
    private let handle: OperationHandle

    package init(policy: RetryPolicy, handle: OperationHandle) {
        self.policy = policy
        self.handle = handle
    }

    package func run<Output>(_ attempt: () async throws -> Output) async throws -> Output {
        let start = handle.activeSeconds
        var waited = Duration.zero
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
                    waited: waited,
                    jitter: .random(in: 0...1)
                )
                guard let delay else { throw error }
                try await wait(delay, after: failure)
                waited += delay
            }
        }
    }

    /// Waiting is a phase of its own that says why, and when the next try comes.
    private func wait(_ delay: Duration, after failure: OperationFailure) async throws {
        let attempt = handle.attempt
        let nextAt = CalendarMoment.timeOfDay(
            milliseconds: handle.clock.wallMilliseconds + delay.nanoseconds / 1_000_000
        )
        handle.setPhase(
            PhaseLog.waitingToRetry,
            message: "Try \(attempt + 1) of \(policy.maximumAttempts) at \(nextAt) UTC. \(failure.message)"
        )
        let end = handle.clock.monotonicNanoseconds.later(by: delay)
        repeat {
            try await handle.waitForRequest(within: .nanoseconds(end - handle.clock.monotonicNanoseconds))
            try await handle.checkpoint()
        } while handle.clock.monotonicNanoseconds < end
        handle.beginAttempt(attempt + 1)
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
