/// A process that can't be mistaken for a later one with the same number.
public struct ProcessIdentity: Sendable, Hashable {
    /// The process id, at least 2.
    public var pid: Int32
    /// When it started, as the system counts: on Linux clock ticks since boot, on Darwin microseconds since 1970.
    public var startTime: UInt64

    /// Makes an identity from both its parts.
    public init(pid: Int32, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    /// The process that has this pid now; `nil` when there is none.
    public init?(running pid: Int32) {
        guard pid > 1, let startTime = Self.startTime(of: pid) else { return nil }
        self.init(pid: pid, startTime: startTime)
    }

    /// Whether that very process is still there.
    public var isRunning: Bool {
        Self.startTime(of: pid) == startTime
    }
}
