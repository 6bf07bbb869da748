import OperationTracking

/// Whom somebody has seen hold a port, who wants them ended and nobody else.
enum ExpectedHolders: Hashable {
    /// Whoever they are.
    case any
    /// This one, and whoever else has the port with it.
    case including(Int32)
    /// These, and what they have forked since.
    case only(Set<Int32>)

    /// Looks whether it is still they who hold it. That nobody does is nothing against it where nobody has to.
    ///
    /// - Throws: ``ServiceError`` (`not_possible`) where it isn't.
    func check(_ use: PortUse, _ system: any ControlSystem) throws(ServiceError) {
        switch self {
        case .any: return
        case .including(let pid):
            guard !use.holders.contains(where: { $0.identity.pid == pid }) else { return }
            throw ServiceError(.notPossible, "Process \(pid) doesn't hold port \(use.port) any more: look again.")
        case .only(let pids):
            // Whatever has lost its parent descends from the first process.
            let parents = pids.subtracting([1])
            let stranger = use.holders.first { holder in
                !pids.contains(holder.identity.pid)
                    && parents.isDisjoint(with: KillVerdict.ancestors(of: holder.parent, system))
            }
            guard let stranger else { return }
            throw ServiceError(
                .notPossible,
                "Port \(use.port) is held by \(stranger.name) (pid \(stranger.identity.pid)) by now, which wasn't there before: look again."
            )
        }
    }
}
