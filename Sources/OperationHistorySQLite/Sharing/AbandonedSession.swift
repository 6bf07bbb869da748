#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import OperationTracking

/// What is left of the processes of an operation whose owner is gone.
///
/// Nothing is signalled without a witness that was there while the operation was still looked after: the leader itself, or one that
/// started after it and before the last sign of life of the operation's row.
struct AbandonedSession {
    fileprivate var session: WatchedSession

    /// Finds what is left.
    ///
    /// - Parameters:
    ///   - leader: as it was recorded.
    ///   - lastSign: the start time of what started when the operation's row was last known to be true.
    /// - Returns: `nil` when nothing is left that can be proven to be the operation's, or when it is this process's own session.
    init?(ledBy leader: ProcessIdentity, lastSign: UInt64) {
        let processes = ProcessSession(id: leader.pid)
        guard leader.pid > 1, !processes.contains(0) else { return nil }
        let isOfThen = { (process: ProcessIdentity) in
            leader.startTime <= process.startTime && process.startTime <= lastSign
        }
        session = WatchedSession(ledBy: leader, witnesses: Set(processes.members.filter(isOfThen)))
        guard !session.look().isEmpty else { return nil }
    }

    /// Asks every process of the sessions to end, and ends those by force that have not done so within `grace`.
    static func end(_ sessions: [AbandonedSession], grace: Duration) async {
        var left = sessions
        left.signal(SIGTERM)
        // What was paused in place has to go on to hear that.
        left.signal(SIGCONT)
        // Cancellation cuts the waiting short and nothing else: what has to end is ended all the same.
        await left.vanish(within: grace)
        // One that is killed may have begun another before its turn came.
        for _ in 0..<killRounds where !left.isEmpty {
            left.signal(SIGKILL)
            await left.vanish(within: .milliseconds(100))
        }
    }

    /// Processes in the kernel's hands, or of another user, don't vanish.
    private static let killRounds = 10
}

extension [AbandonedSession] {
    fileprivate mutating func signal(_ number: Int32) {
        for index in indices { self[index].session.signal(number) }
    }

    /// Waits until nothing is left of them, but no longer than `limit`; what nothing is left of is removed.
    fileprivate mutating func vanish(within limit: Duration) async {
        let deadline = ContinuousClock.now + limit
        while true {
            for index in indices.reversed() where self[index].session.look().isEmpty { remove(at: index) }
            guard !isEmpty, ContinuousClock.now < deadline,
                (try? await Task.sleep(for: .milliseconds(10))) != nil
            else { return }
        }
    }
}
