#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import OperationTracking

/// A process group that an operation's owner left behind.
struct ProcessGroup {
    private let leader: ProcessIdentity

    /// `nil` unless the process is still that very one, leads a group, and the group is not this process's own.
    init?(ledBy leader: ProcessIdentity) {
        guard leader.pid > 1, leader.isRunning, getpgid(leader.pid) == leader.pid, leader.pid != getpgrp() else {
            return nil
        }
        self.leader = leader
    }

    /// Asks every process of the groups to end, and ends those by force that have not done so within `grace`.
    static func end(_ groups: [ProcessGroup], grace: Duration) async {
        for group in groups {
            group.signal(SIGTERM)
            // A group that was paused in place has to go on to hear that.
            group.signal(SIGCONT)
        }
        let deadline = ContinuousClock.now + grace
        while groups.contains(where: \.isThere), ContinuousClock.now < deadline {
            // Cancellation cuts the grace short and nothing else: what has to end is ended all the same.
            guard (try? await Task.sleep(for: .milliseconds(10))) != nil else { break }
        }
        for group in groups where group.isThere { group.signal(SIGKILL) }
    }

    /// Whether the group has a process. A number is not given to a new process while it names a group, so with the leader
    /// gone and the group there it is still the same group; with another process under the leader's number it is not.
    private var isThere: Bool {
        guard kill(-leader.pid, 0) == 0 else { return false }
        return leader.isRunning || ProcessIdentity(running: leader.pid) == nil
    }

    private func signal(_ number: Int32) {
        kill(-leader.pid, number)
    }
}
