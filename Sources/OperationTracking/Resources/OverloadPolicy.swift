/// From which load on the machine counts as overloaded. A plain value: replace it to change the thresholds of a running tracker.
///
/// A threshold that is `nil` is not looked at.
public struct OverloadPolicy: Sendable, Hashable {
    /// CPU use of all operations together, in per cent, above which they are too many: what was measured counts as a share of
    /// the cores that this process may use (100 is all of them), what clients report is added as it is. 80, as the original
    /// system had it.
    public var cpuPercent: Double? = 80
    /// Memory of all operations together in bytes, above which it is too much. 4000 MB (2^20 bytes), as the original had it.
    public var memoryBytes: Int64? = 4000 << 20

    /// CPU use of the whole machine as a share of all its cores, in per cent from 0 to 100, above which there is too much.
    public var hostCPUPercent: Double? = 95
    /// Memory in bytes that must be left to new work, on the machine and in the container.
    public var minimumAvailableMemoryBytes: Int64? = 512 << 20
    /// The share of the last ten seconds in which something stood still for want of memory, in per cent from 0 to 100: above
    /// it, the machine spends its time on making room.
    public var memoryPressurePercent: Double? = 20
    /// Bytes that must be left on the file system of the data directory.
    public var minimumDiskBytes: Int64? = 1 << 30

    /// A reason ends when its figure has gone back to this part of the threshold, from 0 to 1: at 0.9, a threshold of 80 is
    /// left below 72. For what must be left it is the other way round: above the threshold divided by it.
    public var leaveFraction = 0.9
    /// How long a reason stands at least; and how long a figure has to be on the good side of the threshold for the reason to
    /// end although it did not go back as far as `leaveFraction` asks. So no reason comes more than once in this time.
    public var settleTime: Duration = .seconds(10)

    /// Makes a policy with the default thresholds.
    public init() {}
}

/// What operations cost together.
struct OperationLoad: Sendable, Hashable {
    /// Of operations whose processes were measured here.
    var measured = ResourceImpact.unknown
    /// Of operations whose clients report what they cost; their per cent are taken as they are.
    var reported = ResourceImpact.unknown
    /// Operations that have not ended.
    var activeOperations = 0

    /// Memory of both in bytes; what nobody knows counts as nothing.
    var memoryBytes: Int64 {
        let (sum, overflow) = (measured.memoryBytes ?? 0).addingReportingOverflow(reported.memoryBytes ?? 0)
        return overflow ? .max : sum
    }

    /// What `OverloadPolicy.cpuPercent` is compared with.
    ///
    /// - Parameter cores: how many this process may use, more than 0.
    func cpuPercent(of cores: Double) -> Double {
        (measured.cpuPercent ?? 0) / (cores > 0 ? cores : 1) + (reported.cpuPercent ?? 0)
    }
}
