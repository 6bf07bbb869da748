/// A leader's processes, looked at again and again while they end.
///
/// They have their leader's number, which may be given to others once all of them have ended. So a look counts only with a
/// witness: the leader itself, or one that is known to be of the session. While a witness lives the number means what it meant
/// then; and a process that was found together with a witness is one from there on.
package struct WatchedSession: Sendable {
    private let leader: ProcessIdentity
    private let session: ProcessSession
    private var witnesses: Set<ProcessIdentity>

    /// Begins to watch.
    ///
    /// - Parameters:
    ///   - leader: as it was recorded.
    ///   - witnesses: those that are known to be of its session.
    package init(ledBy leader: ProcessIdentity, witnesses: Set<ProcessIdentity> = []) {
        self.leader = leader
        self.witnesses = witnesses
        session = ProcessSession(id: leader.pid)
    }

    /// The processes that are left now, without those that have ended and are listed still.
    package mutating func look() -> [ProcessIdentity] {
        let members = session.members
        // In this order: a leader that is there now was there while the members were listed.
        guard leader.isRunning || members.contains(where: witnesses.contains) else { return [] }
        witnesses.formUnion(members)
        return members
    }

    /// Signals those that are left now.
    ///
    /// - Parameter spared: the pid of one that isn't.
    package mutating func signal(_ number: Int32, sparing spared: Int32? = nil) {
        for process in look() where process.pid != spared { session.signal(process, number) }
    }
}
