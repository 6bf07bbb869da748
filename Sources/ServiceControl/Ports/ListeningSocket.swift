/// A TCP socket that waits for connections.
public struct ListeningSocket: Sendable, Hashable {
    /// The address it is bound to; a wildcard for all.
    public var address: IPAddress
    /// The port it is bound to.
    public var port: UInt16
    /// The user that made it.
    public var userID: UInt32
    /// The system's own number for it, the same in every process that has it.
    public var inode: UInt64
    /// Whether an IPv6 socket leaves IPv4 connections to others; `nil` where the system doesn't tell.
    public var isIPv6Only: Bool?

    /// Makes a socket's description.
    public init(address: IPAddress, port: UInt16, userID: UInt32, inode: UInt64, isIPv6Only: Bool? = nil) {
        self.address = address
        self.port = port
        self.userID = userID
        self.inode = inode
        self.isIPv6Only = isIPv6Only
    }
}

extension ListeningSocket: CustomStringConvertible {
    /// Address and port, such as `127.0.0.1:8765` or `[::]:80`.
    public var description: String { address.isIPv6 ? "[\(address)]:\(port)" : "\(address):\(port)" }
}

/// Who listens on a port, as far as the system shows it to this user.
public struct PortUse: Sendable, Hashable {
    /// The port.
    public var port: UInt16
    /// The sockets that listen on it. Several may: one for each address, or one for each worker (`SO_REUSEPORT`).
    public var sockets: [ListeningSocket]
    /// The processes that have any of these sockets, by pid. Several may have the same one, as forked workers do.
    public var holders: [ProcessDetails]
    /// Those of ``sockets`` that no process in ``holders`` has: their holders belong to another user or another container, so
    /// that the system names none, or have ended in this moment. Each names its user.
    public var unattributed: [ListeningSocket]

    /// Makes a description of a port's use.
    public init(
        port: UInt16,
        sockets: [ListeningSocket] = [],
        holders: [ProcessDetails] = [],
        unattributed: [ListeningSocket] = []
    ) {
        self.port = port
        self.sockets = sockets
        self.holders = holders
        self.unattributed = unattributed
    }

    /// Whether nobody listens on it.
    public var isFree: Bool { sockets.isEmpty }
}
