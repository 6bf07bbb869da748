/// What the machine has and how much of it is in use.
///
/// `nil` means that it is not known: the system has no such figure, or it can only be told from the second sample on.
public struct HostResources: Sendable, Hashable {
    /// CPU use of the whole machine in per cent of one core: 100 is one core fully used. `nil` in the first sample.
    public var cpuPercent: Double?
    /// Cores of the machine that are online.
    public var coreCount = 1
    /// Cores that this process may use: its CPU affinity and its container's quota considered. Above 0; 1.5 is one and a half.
    public var availableCores = 1.0

    /// Memory of the machine in bytes.
    public var memoryTotalBytes: Int64?
    /// Memory in bytes that new work can have without swapping: on Linux `MemAvailable`, which counts caches that can go.
    public var memoryAvailableBytes: Int64?

    /// Size in bytes of the file system that the data directory is on; `nil` when no directory was given.
    public var diskTotalBytes: Int64?
    /// Bytes that this user can still write to the file system of the data directory; `nil` when no directory was given.
    public var diskAvailableBytes: Int64?

    /// Bits a second received on all interfaces but the loopback ones. `nil` in the first sample.
    public var networkReceiveBitsPerSecond: Double?
    /// Bits a second sent on all interfaces but the loopback ones. `nil` in the first sample.
    public var networkTransmitBitsPerSecond: Double?

    /// How many tasks ran or waited to run, on average over some minutes.
    public var loadAverage: LoadAverage?
    /// How much of the time work stood still for want of something.
    public var pressure = ResourcePressure()
    /// What the container allows; `nil` outside of one, or where no limit is set.
    public var container: ContainerLimits?

    /// Makes a description in which nothing but one core is known.
    public init() {}

    /// CPU use as a share of all cores, in per cent from 0 to 100.
    public var cpuPercentOfAllCores: Double? {
        cpuPercent.map { $0 / Double(max(1, coreCount)) }
    }

    /// Memory in bytes that this process can use at most: the machine's, or its container's when that is less.
    public var memoryLimitBytes: Int64? {
        [memoryTotalBytes, container?.memoryLimitBytes].compactMap(\.self).min()
    }

    /// Memory in bytes that new work can have: what the machine has left, or the container when that is less.
    public var usableMemoryBytes: Int64? {
        [memoryAvailableBytes, container?.memoryAvailableBytes].compactMap(\.self).min()
    }
}

/// How many tasks ran or waited to run, on average (`getloadavg(3)`). On Linux, tasks that wait for a disk count too.
public struct LoadAverage: Sendable, Hashable {
    /// Over the last minute.
    public var oneMinute: Double
    /// Over the last five minutes.
    public var fiveMinutes: Double
    /// Over the last fifteen minutes.
    public var fifteenMinutes: Double

    /// Makes it from its three parts.
    public init(oneMinute: Double, fiveMinutes: Double, fifteenMinutes: Double) {
        self.oneMinute = oneMinute
        self.fiveMinutes = fiveMinutes
        self.fifteenMinutes = fifteenMinutes
    }
}

/// The share of the last ten seconds in which at least one task stood still for want of something, in per cent from 0 to 100.
///
/// From `/proc/pressure` of Linux ("some avg10"); `nil` where the kernel doesn't measure it.
public struct ResourcePressure: Sendable, Hashable {
    /// Waiting for a core.
    public var cpuPercent: Double?
    /// Waiting for memory.
    public var memoryPercent: Double?
    /// Waiting for a disk.
    public var ioPercent: Double?

    /// Makes it from its parts; what is left out is unknown.
    public init(cpuPercent: Double? = nil, memoryPercent: Double? = nil, ioPercent: Double? = nil) {
        self.cpuPercent = cpuPercent
        self.memoryPercent = memoryPercent
        self.ioPercent = ioPercent
    }
}

/// What the control groups of Linux (version 2) allow this process: the strictest of its own group's limits and of those of
/// the groups around it.
public struct ContainerLimits: Sendable, Hashable {
    /// Cores that may be used at once (`cpu.max`); `nil` when not limited.
    public var cores: Double?
    /// Bytes of memory that may be used (`memory.max`); `nil` when not limited.
    public var memoryLimitBytes: Int64?
    /// Bytes of memory in use in the group whose limit that is (`memory.current`), caches of files included.
    public var memoryCurrentBytes: Int64?
    /// Bytes of memory that can still be had: the least room that any of the groups has, where caches of files that are not in
    /// use count as room. `nil` when not limited.
    public var memoryAvailableBytes: Int64?

    /// Makes limits; what is left out is not limited.
    public init(
        cores: Double? = nil,
        memoryLimitBytes: Int64? = nil,
        memoryCurrentBytes: Int64? = nil,
        memoryAvailableBytes: Int64? = nil
    ) {
        self.cores = cores
        self.memoryLimitBytes = memoryLimitBytes
        self.memoryCurrentBytes = memoryCurrentBytes
        self.memoryAvailableBytes = memoryAvailableBytes
    }

    static let none = ContainerLimits()
}
