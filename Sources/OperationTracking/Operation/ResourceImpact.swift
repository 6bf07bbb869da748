/// What an operation costs the machine now; `nil` where nobody has measured it.
public struct ResourceImpact: Sendable, Hashable {
    /// CPU use in per cent of one core: 100 is one core fully used, 250 two and a half.
    public var cpuPercent: Double?
    /// Resident memory in bytes.
    public var memoryBytes: Int64?
    /// Network transfer in bits a second.
    public var networkBitsPerSecond: Double?

    /// Makes a measurement; what is left out is unknown.
    public init(cpuPercent: Double? = nil, memoryBytes: Int64? = nil, networkBitsPerSecond: Double? = nil) {
        self.cpuPercent = cpuPercent
        self.memoryBytes = memoryBytes
        self.networkBitsPerSecond = networkBitsPerSecond
    }

    /// Nothing measured.
    public static let unknown = ResourceImpact()
}
