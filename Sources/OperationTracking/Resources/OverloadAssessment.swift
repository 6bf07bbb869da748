/// Whether the machine is overloaded, why, and by which figures.
public struct OverloadAssessment: Sendable, Hashable {
    /// Why it is overloaded; empty when it is not.
    public var reasons: [OverloadReason] = []
    /// CPU use of all operations together, in per cent as `OverloadPolicy.cpuPercent` counts it.
    public var cpuPercent = 0.0
    /// Memory of all operations together in bytes.
    public var memoryBytes: Int64 = 0
    /// Operations that had not ended.
    public var activeOperations = 0
    /// The machine; `nil` when it was not measured.
    public var host: HostResources?

    /// Makes an assessment of an idle machine of which nothing is known.
    public init() {}

    /// Whether new heavy work had better wait.
    public var isOverloaded: Bool { !reasons.isEmpty }

    /// All reasons in words; `nil` when there is none.
    public var message: String? {
        isOverloaded ? "System overload: " + reasons.map(\.message).joined(separator: " ") : nil
    }
}

/// One thing of which there is too much or too little.
public struct OverloadReason: Sendable, Hashable {
    /// A short, stable name for a kind of reason. New codes may appear.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The name.
        public let rawValue: String

        /// Takes a code's name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The operations use too much CPU.
        public static let operationsCPU = Code(rawValue: "operations_cpu")
        /// The operations use too much memory.
        public static let operationsMemory = Code(rawValue: "operations_memory")
        /// The whole machine's CPU is used up.
        public static let hostCPU = Code(rawValue: "host_cpu")
        /// Too little memory is left.
        public static let hostMemory = Code(rawValue: "host_memory")
        /// Work stands still for want of memory.
        public static let memoryPressure = Code(rawValue: "memory_pressure")
        /// Too little disk space is left.
        public static let diskSpace = Code(rawValue: "disk_space")
    }

    /// The kind of reason.
    public let code: Code
    /// What is the matter, by which figures, and what to do: whole sentences.
    public let message: String
}
