/// How long the parts of a transfer may take. Each limit has its own ``TransferError/Code``.
public struct HTTPTimeouts: Sendable, Hashable {
    /// The longest time until a connection stands, name look-up and TLS included; in steps of a millisecond, and at least one.
    public var connect: Duration
    /// The least speed that is put up with once the connection stands; `nil` for none.
    public var lowSpeed: LowSpeedLimit?
    /// The longest time for the whole transfer, from `send` to the body's last byte, the reader's pauses included; `nil` for none.
    public var total: Duration?

    /// Limits; ten seconds to connect, and no other unless given.
    public init(connect: Duration = .seconds(10), lowSpeed: LowSpeedLimit? = nil, total: Duration? = nil) {
        self.connect = connect
        self.lowSpeed = lowSpeed
        self.total = total
    }

    /// Ten seconds to connect, and no other limit: a body may take as long as it takes.
    public static let `default` = HTTPTimeouts()
}

/// The speed below which a transfer counts as stalled.
///
/// The body bytes sent and received are counted over one period after another, the first from the connection on; a stall is seen after
/// one to two periods. A period in which the reader held the transfer back doesn't count. Waiting for the answer's head
/// does: allow for a server that thinks before it answers. A byte counts as sent when the system takes it, which may be some
/// megabytes ahead of the peer.
public struct LowSpeedLimit: Sendable, Hashable {
    /// The least number of body bytes a second, averaged over one period.
    public var bytesPerSecond: Int
    /// The length of one period.
    public var period: Duration

    /// A limit of `bytesPerSecond`, averaged over `period`.
    public init(bytesPerSecond: Int, for period: Duration) {
        self.bytesPerSecond = bytesPerSecond
        self.period = period
    }
}
