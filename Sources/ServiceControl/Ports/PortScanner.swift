import OperationTracking

/// Finds who listens on which TCP port.
///
/// One question to the kernel (sock_diag(7); `/proc/net/tcp` where it has none) and one look at every process's descriptors,
/// two to four microseconds for each descriptor that this user may see. No other program is started. It sees the sockets of this
/// process's network namespace.
public struct PortScanner: Sendable {
    private let system: any PortSystem

    /// Makes a scanner; all are alike.
    public init() {
        self.init(system: SystemPorts())
    }

    init(system: any PortSystem) {
        self.system = system
    }

    /// Who listens on a port now.
    ///
    /// - Throws: ``ServiceError`` (`system`) when the system doesn't say.
    public func use(of port: UInt16) throws(ServiceError) -> PortUse {
        try look { () throws(ServiceError) in try system.listeners(port: port) }.first ?? PortUse(port: port)
    }

    /// Every port that anyone listens on now, in ascending order.
    ///
    /// - Throws: ``ServiceError`` (`system`) when the system doesn't say.
    public func uses() throws(ServiceError) -> [PortUse] {
        try look { () throws(ServiceError) in try system.listeners(port: nil) }
    }

    /// Who listens on some ports now.
    ///
    /// - Parameter ports: the ports of interest.
    /// - Returns: one use a port, in ascending order; those that are free included.
    /// - Throws: ``ServiceError`` (`system`) when the system doesn't say.
    public func uses(of ports: Set<UInt16>) throws(ServiceError) -> [PortUse] {
        let found = try look { () throws(ServiceError) in
            try system.listeners(port: nil).filter { ports.contains($0.port) }
        }
        let free = ports.subtracting(found.map(\.port)).map { PortUse(port: $0) }
        return (found + free).sorted { $0.port < $1.port }
    }

    /// Looks for the sockets, then for their holders. A socket without a holder may have been closed between the two looks, so
    /// that they are taken again.
    private func look(
        _ sockets: () throws(ServiceError) -> [ListeningSocket]
    ) throws(ServiceError) -> [PortUse] {
        var uses: [PortUse] = []
        for _ in 0..<3 {
            let sockets = try sockets()
            uses = Self.uses(of: sockets, holders: system.holders(of: Set(sockets.map(\.inode))), system)
            // What the kernel itself listens with has no number.
            guard uses.contains(where: { $0.unattributed.contains { $0.inode != 0 } }) else { break }
        }
        return uses
    }

    private static func uses(
        of sockets: [ListeningSocket],
        holders: [Int32: Set<UInt64>],
        _ system: any PortSystem
    ) -> [PortUse] {
        // A process may end between the scan and the look at it; then its sockets have no holder either.
        let processes = holders.keys.sorted().compactMap { pid in system.process(pid) }
        return Dictionary(grouping: sockets, by: \.port).map { port, sockets in
            let own = processes.filter { process in
                sockets.contains { holders[process.identity.pid]?.contains($0.inode) == true }
            }
            let attributed = Set(own.flatMap { holders[$0.identity.pid] ?? [] })
            return PortUse(
                port: port,
                sockets: sockets.sorted { $0.inode < $1.inode },
                holders: own,
                unattributed: sockets.filter { !attributed.contains($0.inode) }
            )
        }
        .sorted { $0.port < $1.port }
    }
}
