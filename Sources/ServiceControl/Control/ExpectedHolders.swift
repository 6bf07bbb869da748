import OperationTracking

/// Whom somebody has seen hold a port, who wants them ended and nobody else.
enum ExpectedHolders: Hashable {
    /// Whoever they are.
    case any
    /// This one and what it has forked. Others that have the port beside it are left alone.
    case just(SeenProcess)
    /// These, and what they have forked since. Others that have the port beside them are enough to end none.
    case only(Set<SeenProcess>)

    /// These where anybody was meant.
    func orOnly(_ seen: Set<SeenProcess>) -> ExpectedHolders { self == .any ? .only(seen) : self }

    /// Looks whether it is still they who hold it. That nobody does is nothing against it where nobody has to.
    ///
    /// - Throws: ``ServiceError`` (`not_possible`) where it isn't.
    func check(_ use: PortUse, _ system: any ControlSystem) throws(ServiceError) {
        switch self {
        case .any: return
        case .just(let seen):
            guard !use.holders.contains(where: { seen.matches($0.identity) }) else { return }
            throw ServiceError(.notPossible, "Process \(seen.pid) doesn't hold port \(use.port) any more: look again.")
        case .only:
            let strangers = use.holders.filter { !covers($0, system) }
            guard !strangers.isEmpty else { return }
            let names = strangers.texts.joined(by: " and ")
            let wereThere = strangers.count == 1 ? "wasn't there before, and is" : "weren't there before, and are"
            throw ServiceError(
                .notPossible,
                "Port \(use.port) is held by \(names) by now, which \(wereThere) left alone: look again."
            )
        }
    }

    /// Those who are none of its business.
    func leavesAlone(_ use: PortUse, _ system: any ControlSystem) -> [ProcessDetails] {
        guard case .just = self else { return [] }
        return use.holders.filter { !covers($0, system) }
    }

    private func covers(_ holder: ProcessDetails, _ system: any ControlSystem) -> Bool {
        switch self {
        case .any: true
        case .just(let seen): Self.descends(holder, from: [seen], system)
        case .only(let seen): Self.descends(holder, from: seen, system)
        }
    }

    /// Whether it is one of them or descends from one. Whatever has lost its parent descends from the first process, so that
    /// this one stands for nobody but itself.
    private static func descends(
        _ holder: ProcessDetails,
        from seen: Set<SeenProcess>,
        _ system: any ControlSystem
    ) -> Bool {
        if seen.contains(where: { $0.matches(holder.identity) }) { return true }
        return KillVerdict.ancestors(of: holder.parent, system).contains { pid in
            guard pid > 1, let identity = system.process(pid)?.identity else { return false }
            return seen.contains { $0.matches(identity) }
        }
    }
}
