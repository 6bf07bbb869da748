import OperationTracking

extension ServiceController {
    /// How long work that was told to stop is waited for beside ``Configuration/grace``: what it has started is ended, by force after
    /// the grace.
    private static let stopTime: Duration = .seconds(6)

    /// Ends the controller: looks no more, lets what it does to services finish until a deadline, then cancels it, and takes no more
    /// requests.
    ///
    /// Until then, as long as anything runs, the steps of a recovery are begun, and so is what is asked for: whoever asks on behalf of
    /// others should take no more before. When this returns everything is recorded, as cancelled what was, except work that doesn't stop within
    /// ``Configuration/grace`` and a few seconds: that is recorded as interrupted by the tracker's `close()`.
    ///
    /// Whoever calls it again waits for the same shutdown, and the first one's deadline holds.
    ///
    /// - Parameter deadline: how long what runs may go on.
    public func shutDown(within deadline: Duration) async {
        // A task of its own, so that cancelling one who waits doesn't cut the deadline short.
        let task = shutdown ?? Task { await finish(within: deadline) }
        shutdown = task
        await task.value
    }

    private func finish(within deadline: Duration) async {
        stopMonitoring()
        let end = clock.monotonicNanoseconds.later(by: deadline)
        // What is asked for begins on this actor, so after the last look nothing comes before it is closed; and what is asked for in an
        // idle moment closes it, see `operation`.
        while !operations.isIdle, case let left = end - clock.monotonicNanoseconds, left > 0 {
            await operations.isOver(within: .nanoseconds(left), on: clock)
        }
        isClosed = true
        guard !operations.isIdle else { return }
        // Wholes first: one whose step ends as cancelled before it knows why would have failed.
        for id in running { try? await tracker.cancel(id) }
        await operations.isOver(within: configuration.grace + Self.stopTime, on: clock)
    }
}
