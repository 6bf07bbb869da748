extension OperationCell {
    /// What a runner's operations have: how they were asked for, and what is kept to go on.
    struct Orders: Sendable {
        var payload: Payload?
        var uniqueKey: String?
        /// Whether its bytes go to the file system whose space is looked after, as its provider says.
        var writesToDataDirectory = false
    }

    struct Payload: Sendable {
        var request: [UInt8]?
        var result: [UInt8]?
        var resumeState: [UInt8]?
        var retry: RetryPolicy?
        /// What decides how long the work takes beside its type and size; `nil` for nothing.
        var feature: String?
    }

    /// What few operations have.
    struct Extras: Sendable {
        var pid: Int32?
        var process: ProcessIdentity?
        var processGroup: ProcessIdentity?
        var cpuPercent: Double?
        var memoryBytes: Int64?
        var peakMemory: Int64 = 0
        /// What is counted beside the transfer.
        var countedProcess = CountedCost()
        var failure: OperationFailure?
        var children: [Child] = []
        var rewound: Int64 = 0
        var present: Int64 = 0
        var reportedPercent: Double?
        var limiter: BandwidthLimiter?
        var earliestEnd: Int64?
        var hold = 0.0
    }
}

extension OperationCell.State {
    var writesToDataDirectory: Bool {
        get { orders.read(or: false) { $0.writesToDataDirectory } }
        set { orders.write(OperationCell.Orders(), unless: !newValue) { $0.writesToDataDirectory = newValue } }
    }

    var payload: OperationCell.Payload? {
        get { orders.read(or: nil) { $0.payload } }
        set { orders.write(OperationCell.Orders(), unless: newValue == nil) { $0.payload = newValue } }
    }

    var uniqueKey: String? {
        get { orders.read(or: nil) { $0.uniqueKey } }
        set { orders.write(OperationCell.Orders(), unless: newValue == nil) { $0.uniqueKey = newValue } }
    }

    var pid: Int32? {
        get { extras.read(or: nil) { $0.pid } }
        set { extras.write(OperationCell.Extras(), unless: newValue == nil) { $0.pid = newValue } }
    }

    /// The process whose cost is measured; unlike `pid` it can't be taken for a later one.
    var process: ProcessIdentity? {
        get { extras.read(or: nil) { $0.process } }
        set { extras.write(OperationCell.Extras(), unless: newValue == nil) { $0.process = newValue } }
    }

    var processGroup: ProcessIdentity? {
        get { extras.read(or: nil) { $0.processGroup } }
        set { extras.write(OperationCell.Extras(), unless: newValue == nil) { $0.processGroup = newValue } }
    }

    var peakMemory: Int64 {
        get { extras.read(or: 0) { $0.peakMemory } }
        set { extras.write(OperationCell.Extras(), unless: newValue == 0) { $0.peakMemory = newValue } }
    }

    var failure: OperationFailure? {
        get { extras.read(or: nil) { $0.failure } }
        set { extras.write(OperationCell.Extras(), unless: newValue == nil) { $0.failure = newValue } }
    }

    /// The operations that own a part of this one's progress.
    var children: [OperationCell.Child] {
        get { extras.read(or: []) { $0.children } }
        set { extras.write(OperationCell.Extras(), unless: newValue.isEmpty) { $0.children = newValue } }
    }

    var rewound: Int64 {
        get { extras.read(or: 0) { $0.rewound } }
        set { extras.write(OperationCell.Extras(), unless: newValue == 0) { $0.rewound = newValue } }
    }

    var present: Int64 {
        get { extras.read(or: 0) { $0.present } }
        set { extras.write(OperationCell.Extras(), unless: newValue == 0) { $0.present = newValue } }
    }

    var reportedPercent: Double? {
        get { extras.read(or: nil) { $0.reportedPercent } }
        set { extras.write(OperationCell.Extras(), unless: newValue == nil) { $0.reportedPercent = newValue } }
    }

    var limiter: BandwidthLimiter? {
        get { extras.read(or: nil) { $0.limiter } }
        set { extras.write(OperationCell.Extras(), unless: newValue == nil) { $0.limiter = newValue } }
    }

    /// When, on the monotonic clock, the work can be done at the earliest, as it says itself.
    var earliestEnd: Int64? {
        get { extras.read(or: nil) { $0.earliestEnd } }
        set { extras.write(OperationCell.Extras(), unless: newValue == nil) { $0.earliestEnd = newValue } }
    }

    /// How many seconds that was away at the last tick.
    var hold: Double {
        get { extras.read(or: 0) { $0.hold } }
        set { extras.write(OperationCell.Extras(), unless: newValue == 0) { $0.hold = newValue } }
    }

    var resources: ResourceImpact {
        get {
            ResourceImpact(
                cpuPercent: extras.read(or: nil) { $0.cpuPercent },
                memoryBytes: extras.read(or: nil) { $0.memoryBytes },
                networkBitsPerSecond: networkBitsPerSecond
            )
        }
        set {
            networkBitsPerSecond = newValue.networkBitsPerSecond
            let isUnknown = newValue.cpuPercent == nil && newValue.memoryBytes == nil
            extras.write(OperationCell.Extras(), unless: isUnknown) { extras in
                extras.cpuPercent = newValue.cpuPercent
                extras.memoryBytes = newValue.memoryBytes
            }
        }
    }

    /// The part of the registry's totals that is this operation's.
    var countedCost: CountedCost {
        get {
            var cost = extras.read(or: CountedCost()) { $0.countedProcess }
            cost.networkBitsPerSecond = countedNetwork
            return cost
        }
        set {
            countedNetwork = newValue.networkBitsPerSecond
            let isNothing = newValue.cpuMillipercent == 0 && newValue.memoryBytes == 0
            extras.write(OperationCell.Extras(), unless: isNothing) { $0.countedProcess = newValue }
        }
    }

    var control: OperationCell.Control {
        get { controls.read(or: OperationCell.Control()) { $0 } }
        set { controls.write(newValue, unless: !newValue.isThere) { $0 = newValue } }
    }
}
