/// How many operations there are and what they cost together. Kept up to date, so that reading it costs the same however
/// many there are.
public struct OperationsSummary: Sendable, Hashable {
    /// Active operations by type; a type without any is absent.
    public internal(set) var activeByType: [OperationType: Int] = [:]
    /// What active operations cost together; what nobody measured counts as nothing.
    public var cpuPercent: Double { Double(cost.cpuMillipercent + measured.cpuMillipercent) / 1000 }
    /// Resident memory of active operations in bytes.
    public var memoryBytes: Int64 { cost.memoryBytes + measured.memoryBytes }
    /// Network transfer of active operations in bits a second.
    public var networkBitsPerSecond: Double { Double(cost.networkBitsPerSecond) }

    private var counts = StatusCounts()
    /// The sum over operations, but for what their processes cost.
    var cost = CountedCost()
    /// What the processes of all operations cost together.
    var measured = CountedCost()

    /// What operations without a process of their own are said to cost.
    var reported: ResourceImpact {
        ResourceImpact(
            cpuPercent: Double(cost.cpuMillipercent) / 1000,
            memoryBytes: cost.memoryBytes,
            networkBitsPerSecond: networkBitsPerSecond
        )
    }

    /// Operations with a status: active ones now, ended ones since the tracker was made.
    public subscript(status: OperationStatus) -> Int {
        counts[status]
    }

    /// Operations that have not ended.
    public var totalActive: Int { counts.pending + counts.inProgress + counts.paused }

    mutating func count(_ status: OperationStatus, by change: Int) {
        counts[status] += change
    }

    mutating func countActive(_ type: OperationType, by change: Int) {
        guard let place = activeByType.index(forKey: type) else { return activeByType[type] = change }
        activeByType.values[place] += change
        if activeByType.values[place] <= 0 { activeByType.remove(at: place) }
    }
}

/// A number for each status, without a dictionary's allocation.
private struct StatusCounts: Sendable, Hashable {
    var pending = 0
    var inProgress = 0
    var paused = 0
    var completed = 0
    var failed = 0
    var cancelled = 0

    subscript(status: OperationStatus) -> Int {
        get {
            switch status {
            case .pending: pending
            case .inProgress: inProgress
            case .paused: paused
            case .completed: completed
            case .failed: failed
            case .cancelled: cancelled
            }
        }
        set {
            switch status {
            case .pending: pending = newValue
            case .inProgress: inProgress = newValue
            case .paused: paused = newValue
            case .completed: completed = newValue
            case .failed: failed = newValue
            case .cancelled: cancelled = newValue
            }
        }
    }
}

/// A cost in whole numbers, so that adding and taking away again leaves nothing behind.
struct CountedCost: Sendable, Hashable {
    var cpuMillipercent: Int64 = 0
    var memoryBytes: Int64 = 0
    var networkBitsPerSecond: Int64 = 0

    init() {}

    init(_ impact: ResourceImpact) {
        cpuMillipercent = Self.whole((impact.cpuPercent ?? 0) * 1000)
        memoryBytes = Self.whole(Double(impact.memoryBytes ?? 0))
        networkBitsPerSecond = Self.whole(impact.networkBitsPerSecond ?? 0)
    }

    /// Held within a range whose sums over a hundred thousand operations fit.
    private static func whole(_ value: Double) -> Int64 {
        value.isFinite ? Int64(min(max(value, 0), 1e13)) : 0
    }

    static func + (left: CountedCost, right: CountedCost) -> CountedCost {
        var sum = left
        sum.cpuMillipercent += right.cpuMillipercent
        sum.memoryBytes += right.memoryBytes
        sum.networkBitsPerSecond += right.networkBitsPerSecond
        return sum
    }

    static func - (left: CountedCost, right: CountedCost) -> CountedCost {
        var difference = left
        difference.cpuMillipercent -= right.cpuMillipercent
        difference.memoryBytes -= right.memoryBytes
        difference.networkBitsPerSecond -= right.networkBitsPerSecond
        return difference
    }
}
