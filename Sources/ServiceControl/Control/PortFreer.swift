import OperationTracking

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What was done to free a port.
public struct FreedPort: Sendable, Hashable {
    /// The port.
    public var port: UInt16
    /// The processes that held it and were ended; empty when it was free already.
    public var ended: [ProcessDetails]
    /// Whether any of them had to be ended by force, with SIGKILL.
    public var wasForced: Bool
    /// The processes that hold it still because they were to be left alone; empty when it is free.
    public var left: [ProcessDetails]

    /// Makes a description.
    public init(port: UInt16, ended: [ProcessDetails] = [], wasForced: Bool = false, left: [ProcessDetails] = []) {
        self.port = port
        self.ended = ended
        self.wasForced = wasForced
        self.left = left
    }

    /// What watches over those that were ended and may start them again, with what to do about that, in a sentence or two; `nil` when
    /// nothing is known to.
    public var supervisorAdvice: String? {
        let texts = ended.compactMap { process in
            process.supervisor.map { "\(process.text) was of \($0). \($0.advice)" }
        }
        return texts.isEmpty ? nil : texts.joined(separator: " ")
    }

    /// Who holds it still, as words of a sentence; empty when it is free.
    public var leftText: String { left.texts.joined(by: " and ") }
}

/// Ends what holds a port: SIGTERM, SIGKILL after a grace, and then a look whether the port is free.
///
/// What is ended are the processes that have the sockets which were there when it began. A process that has made a new one
/// since, as a supervisor starts it, is not touched: that would go on for ever.
struct PortFreer {
    let system: any ControlSystem
    let clock: any TrackingClock
    /// The time from SIGTERM to SIGKILL.
    let grace: Duration
    /// How often it is looked.
    var interval = Duration.milliseconds(50)
    /// How long those may take to vanish that have been killed.
    var vanishingTime = Duration.seconds(5)
    /// How long a supervisor is given to start it again, before the port counts as free.
    var restartTime = Duration.seconds(1)
    /// How long a socket without a process is waited for, where its process should be seen.
    var endingTime = Duration.seconds(1)

    /// Frees a port.
    ///
    /// - Parameters:
    ///   - port: the port.
    ///   - expected: whom the caller has seen hold it.
    ///   - sparing: says which of its holders are left alone, whatever becomes of the others.
    ///   - willEnd: told of those that are to be ended before any is signalled.
    ///   - onSignal: told of each process that is signalled, and with what.
    /// - Throws: ``ServiceError``: `not_permitted`, `supervised`, `taken_again`, `not_ended`, `system`; `CancellationError`.
    func free(
        _ port: UInt16,
        expecting expected: ExpectedHolders = .any,
        sparing: (PortUse) -> [ProcessDetails] = { _ in [] },
        willEnd: ([ProcessDetails]) -> Void = { _ in },
        onSignal: (ProcessDetails, Int32) -> Void
    ) async throws -> FreedPort {
        let all = try await lookAtHolders(of: port)
        let spared = Set((expected.leavesAlone(all, system) + sparing(all)).map(\.identity))
        let use = without(all) { spared.contains($0.identity) }
        // In the same look that decides who is ended: another may have taken the port since an earlier one.
        try expected.check(use, system)
        if use.isFree { return FreedPort(port: port, left: all.holders) }
        let targets: [ProcessDetails]
        switch KillVerdict(use, system) {
        case .refused(let error): throw error
        case .allowed(let holders): targets = holders
        }
        willEnd(targets)
        var hunt = Hunt(port: port, sockets: Set(use.sockets.map(\.inode)), targets: targets, spared: spared)
        let end = clock.monotonicNanoseconds + grace.nanoseconds
        while try askToEnd(&hunt, onSignal), clock.monotonicNanoseconds < end { try await clock.sleep(for: interval) }
        let last = clock.monotonicNanoseconds + vanishingTime.nanoseconds
        while try endByForce(&hunt, onSignal), clock.monotonicNanoseconds < last {
            try await clock.sleep(for: interval)
        }
        let left = try await verify(port, hunt)
        let ended = hunt.signalled.values.sorted { $0.identity.pid < $1.identity.pid }
        return FreedPort(port: port, ended: ended, wasForced: hunt.wasForced, left: left)
    }

    /// While a process ends, its descriptors are gone a moment before its sockets are: that is nobody who may not be seen.
    private func lookAtHolders(of port: UInt16) async throws -> PortUse {
        let scanner = PortScanner(system: system)
        let end = clock.monotonicNanoseconds + endingTime.nanoseconds
        while true {
            let use = try scanner.use(of: port)
            let isEnding = use.unattributed.contains { socket in
                socket.inode != 0 && (system.userID == 0 || socket.userID == system.userID)
            }
            guard isEnding, clock.monotonicNanoseconds < end else { return use }
            try await clock.sleep(for: interval)
        }
    }

    /// A look without some of the holders, and the sockets that nobody else has.
    private func without(_ use: PortUse, _ isSpared: (ProcessDetails) -> Bool) -> PortUse {
        guard use.holders.contains(where: isSpared) else { return use }
        var rest = use
        rest.holders.removeAll(where: isSpared)
        let inodes = Set(use.sockets.map(\.inode))
        let held = rest.holders.reduce(into: Set(use.unattributed.map(\.inode))) {
            $0.formUnion(system.sockets(of: $1.identity.pid, among: inodes))
        }
        rest.sockets.removeAll { !held.contains($0.inode) }
        return rest
    }

    private struct Hunt {
        let port: UInt16
        /// Those there were when it began.
        let sockets: Set<UInt64>
        let targets: [ProcessDetails]
        let spared: Set<ProcessIdentity>
        var signalled: [ProcessIdentity: ProcessDetails] = [:]
        var killed: Set<ProcessIdentity> = []
        var wasForced: Bool { !killed.isEmpty }

        /// Also what those have forked since who are to be left alone.
        func spares(_ holder: ProcessDetails) -> Bool {
            if spared.contains(holder.identity) { return true }
            guard !targets.contains(where: { $0.identity == holder.identity }) else { return false }
            return spared.contains { $0.pid == holder.parent }
        }
    }

    /// Asks the holders to end that descend from no other: a server's first process ends its workers better than a stranger
    /// does. Workers that outlive it are asked in turn.
    ///
    /// - Returns: whether any of the sockets is still there.
    private func askToEnd(_ hunt: inout Hunt, _ onSignal: (ProcessDetails, Int32) -> Void) throws -> Bool {
        let holders = holders(of: hunt)
        let pids = Set(holders.map(\.identity.pid))
        for holder in holders where hunt.signalled[holder.identity] == nil && !pids.contains(holder.parent) {
            try signal(holder, SIGTERM, &hunt, onSignal)
        }
        return try isHeld(hunt)
    }

    private func endByForce(_ hunt: inout Hunt, _ onSignal: (ProcessDetails, Int32) -> Void) throws -> Bool {
        let holders = holders(of: hunt)
        for holder in holders where !hunt.killed.contains(holder.identity) {
            if try signal(holder, SIGKILL, &hunt, onSignal) { hunt.killed.insert(holder.identity) }
        }
        return try isHeld(hunt)
    }

    /// Also those count that may not be ended: workers of another user end a moment after their first process.
    private func isHeld(_ hunt: Hunt) throws -> Bool {
        let there = hunt.sockets.intersection(try system.listeners(port: hunt.port).map(\.inode))
        guard !there.isEmpty, !hunt.spared.isEmpty else { return !there.isEmpty }
        // One that is to be left alone may have the very socket, and keeps it.
        let holders = system.holders(of: there)
        let others = holders.keys.filter { pid in system.process(pid).map { !hunt.spares($0) } ?? false }
        return !others.isEmpty || !there.isSubset(of: holders.values.reduce(into: Set()) { $0.formUnion($1) })
    }

    /// The processes that have the sockets now, as far as they may be ended.
    private func holders(of hunt: Hunt) -> [ProcessDetails] {
        system.holders(of: hunt.sockets).keys.sorted().compactMap(system.process).filter { holder in
            hunt.targets.contains { $0.identity == holder.identity } || isOwn(holder) && !hunt.spares(holder)
        }
    }

    /// Workers may have been forked since the look.
    private func isOwn(_ holder: ProcessDetails) -> Bool {
        let pid = holder.identity.pid
        return pid > 1 && pid != system.ownPID && holder.userID == system.userID
            && holder.realUserID == system.userID && holder.supervisor?.isOfContainer != true
    }

    @discardableResult
    private func signal(
        _ holder: ProcessDetails,
        _ number: Int32,
        _ hunt: inout Hunt,
        _ onSignal: (ProcessDetails, Int32) -> Void
    ) throws -> Bool {
        switch system.signal(holder.identity, number, ifItHas: hunt.sockets) {
        case .sent:
            hunt.signalled[holder.identity] = holder
            onSignal(holder, number)
            return true
        case .gone, .holdsNothing: return false
        case .refused(let number):
            let isForbidden = number == EPERM
            let advice =
                switch number {
                case EMFILE, ENFILE: "Close something, or raise the limit of open files (ulimit -n)."
                case ENOSYS: "That takes Linux 5.3 or later, and a sandbox that allows pidfd_open(2)."
                default: "Do it as root."
                }
            throw ServiceError(
                isForbidden ? .notPermitted : .system,
                "The system doesn't let \(holder.text) be ended: \(String(cString: strerror(number))). \(advice)"
            )
        }
    }

    /// - Returns: those who have it still and may.
    private func verify(_ port: UInt16, _ hunt: Hunt) async throws -> [ProcessDetails] {
        var all = try PortScanner(system: system).use(of: port)
        var use = without(all, hunt.spares)
        if use.isFree, hunt.targets.contains(where: { $0.supervisor != nil }) {
            try await clock.sleep(for: restartTime)
            all = try PortScanner(system: system).use(of: port)
            use = without(all, hunt.spares)
        }
        guard !use.isFree else { return all.holders }
        let names = use.holders.map(\.text).joined(separator: ", ")
        let holder = names.isEmpty ? "another process" : names
        if use.sockets.contains(where: { hunt.sockets.contains($0.inode) }) {
            throw ServiceError(.notEnded, "Port \(port) is still held by \(holder), which can't be ended.")
        }
        let supervisor = use.holders.compactMap(\.supervisor).first ?? hunt.targets.compactMap(\.supervisor).first
        let advice =
            supervisor.map { "\($0) has started it: \($0.advice)" } ?? "Find out what starts it again, and stop that."
        throw ServiceError(.takenAgain, "Port \(port) came free and is held again, by \(holder). \(advice)")
    }
}
