/// Tries work until it is done or fails for good.
package struct RetryLoop {
    private let policy: RetryPolicy
    private let handle: OperationHandle

    package init(policy: RetryPolicy, handle: OperationHandle) {
        self.policy = policy
        self.handle = handle
    }

    package func run<Output>(_ attempt: () async throws -> Output) async throws -> Output {
        let clock = handle.clock
        let start = clock.monotonicNanoseconds
        var waited = Duration.zero
        while true {
            do {
                return try await attempt()
            } catch {
                if error is CancellationError || Task.isCancelled || handle.isCancelled { throw error }
                let failure = OperationFailure(recording: error)
                let elapsed = Duration.nanoseconds(clock.monotonicNanoseconds - start)
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
        try await handle.clock.sleep(for: delay)
        // A wish that came while waiting is followed before the next try begins.
        try await handle.checkpoint()
        handle.beginAttempt(attempt + 1)
    }
}

extension OperationHandle {
    func beginAttempt(_ number: Int) {
        cell.withState { state in
            state.attempt = number
            state.phase = nil
            state.message = nil
            state.isDirty = true
        }
    }
}
