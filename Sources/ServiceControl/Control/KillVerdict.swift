import OperationTracking

/// Whether what holds a port may be ended, decided before anything is signalled.
enum KillVerdict: Hashable {
    /// These are to be ended. Other holders descend from them, and go with them.
    case allowed([ProcessDetails])
    case refused(ServiceError)

    /// Judges the holders of a port.
    ///
    /// One holder that must not be ended is enough to refuse: the port would not come free. The exception is one that has
    /// been forked by a holder that may be ended, as a server's workers are that run as another user.
    ///
    /// - Parameters:
    ///   - use: who holds the port, which isn't free.
    ///   - system: tells who this process is, and the parents of processes.
    init(_ use: PortUse, _ system: any ControlSystem) {
        let relatives = Self.ancestors(of: system.ownPID, system)
        let judged = use.holders.map { ($0, Self.refusal($0, port: use.port, relatives: relatives, system)) }
        let allowed = judged.filter { $0.1 == nil }.map(\.0)
        let pids = Set(allowed.map(\.identity.pid))
        let blocking = judged.first { holder, refusal in
            guard let refusal else { return false }
            let goesWithAnother = refusal.isOthers && !pids.isDisjoint(with: Self.ancestors(of: holder.parent, system))
            return !goesWithAnother
        }
        if let error = blocking?.1?.error {
            self = .refused(error)
        } else if let hidden = use.unattributed.first {
            let held = "Port \(use.port) is held by a process of \(UserName.described(hidden.userID))"
            let why =
                system.userID == 0
                ? "that the system doesn't show to this one: it may run in a container, and is ended there."
                : "which this user may neither see nor end: do it as that user, or as root."
            self = .refused(ServiceError(.notPermitted, "\(held), \(why)"))
        } else {
            self = .allowed(allowed)
        }
    }

    private struct Refusal: Hashable {
        var error: ServiceError
        /// Whether the only reason is that it is another user's.
        var isOthers = false
    }

    private static func refusal(
        _ holder: ProcessDetails,
        port: UInt16,
        relatives: Set<Int32>,
        _ system: any ControlSystem
    ) -> Refusal? {
        let pid = holder.identity.pid
        let held = "Port \(port) is held by \(holder.text)"
        if pid == system.ownPID {
            return Refusal(
                error: ServiceError(
                    .notPermitted,
                    "Port \(port) is held by this program itself, which nothing ends from here: end it by hand. If it is to have the port, all is well where the service's process_name is \(holder.name.shown)."
                )
            )
        }
        if pid == 1 {
            return Refusal(
                error: ServiceError(
                    .notPermitted,
                    "\(held), the system's first process, which starts services when someone connects: look for the socket with `systemctl list-sockets`, and stop that."
                )
            )
        }
        if relatives.contains(pid) {
            return Refusal(
                error: ServiceError(
                    .notPermitted,
                    "\(held), which has started this program: end it by hand if you mean to."
                )
            )
        }
        if let supervisor = holder.supervisor, supervisor.isOfContainer {
            return Refusal(error: ServiceError(.supervised, "\(held), of \(supervisor). \(supervisor.advice)"))
        }
        if holder.userID != system.userID || holder.realUserID != system.userID {
            let user = UserName.described(holder.userID == system.userID ? holder.realUserID : holder.userID)
            return Refusal(
                error: ServiceError(
                    .notPermitted,
                    "\(held) of \(user), not of this one: end it as that user."
                ),
                isOthers: true
            )
        }
        return nil
    }

    /// A process, its parent, and so on.
    static func ancestors(of pid: Int32, _ system: any ControlSystem) -> Set<Int32> {
        var found: Set<Int32> = []
        var next = pid
        // Parents can't run in a circle, but a look takes time and numbers are given again.
        while next > 0, found.insert(next).inserted, let process = system.process(next) { next = process.parent }
        return found
    }
}
