/// What the system's counters say of the machine at one moment.
struct HostReading: Sendable, Hashable {
    /// CPU time of all cores since boot, in a unit of the system's own.
    struct CPUTime: Sendable, Hashable {
        /// Spent on work, or taken by other virtual machines.
        var busy: UInt64
        /// Spent idle, or waiting for a disk.
        var idle: UInt64
    }

    /// Bytes that interfaces have carried since they came up.
    struct NetworkBytes: Sendable, Hashable {
        var received: UInt64
        var sent: UInt64
    }

    /// What needs no earlier reading.
    var resources = HostResources()
    var cpu: CPUTime?
    var network: NetworkBytes?
}

/// Makes rates of the counters of two readings.
struct HostMeter: Sendable {
    private var last: (reading: HostReading, time: Int64)?

    /// Takes a reading.
    ///
    /// - Parameter time: monotonic nanoseconds.
    mutating func resources(_ reading: HostReading, at time: Int64) -> HostResources {
        var resources = reading.resources
        if let last, time > last.time {
            resources.cpuPercent = Self.cpuPercent(last.reading.cpu, reading.cpu, cores: resources.coreCount)
            let seconds = Double(time - last.time) / 1e9
            let (before, now) = (last.reading.network, reading.network)
            resources.networkReceiveBitsPerSecond = Self.bitRate(before?.received, now?.received, seconds)
            resources.networkTransmitBitsPerSecond = Self.bitRate(before?.sent, now?.sent, seconds)
        }
        last = (reading, time)
        return resources
    }

    /// The time that all cores had is taken from the counters themselves, so that a late reading does no harm.
    private static func cpuPercent(_ before: HostReading.CPUTime?, _ now: HostReading.CPUTime?, cores: Int) -> Double? {
        guard let before, let now else { return nil }
        // Idle time may fall a little when a core goes offline or the kernel corrects its wait for a disk.
        let busy = now.busy.less(before.busy)
        let all = busy + now.idle.less(before.idle)
        return all == 0 ? nil : Double(busy) / Double(all) * 100 * Double(cores)
    }

    /// Unknown for one sample when an interface has gone and taken its bytes with it.
    private static func bitRate(_ before: UInt64?, _ now: UInt64?, _ seconds: Double) -> Double? {
        guard let before, let now, now >= before else { return nil }
        return Double(now - before) * 8 / seconds
    }
}
