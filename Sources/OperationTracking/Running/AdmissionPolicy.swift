/// What work says that it will need, at most. What is `nil` is not known and not asked about.
public struct ResourceDemand: Sendable, Hashable {
    /// Resident memory in bytes.
    public var memoryBytes: Int64?
    /// Bytes on the file system of the data directory.
    public var diskBytes: Int64?
    /// CPU in per cent of one core: 100 is one core.
    public var cpuPercent: Double?

    /// Makes a demand; what is left out is unknown.
    public init(memoryBytes: Int64? = nil, diskBytes: Int64? = nil, cpuPercent: Double? = nil) {
        self.memoryBytes = memoryBytes
        self.diskBytes = diskBytes
        self.cpuPercent = cpuPercent
    }

    /// Nothing known.
    public static let unknown = ResourceDemand()
}

/// Whether work may begin. Each reason is made of whole sentences with figures.
public enum AdmissionDecision: Sendable, Hashable {
    /// Begin; with a warning when there is something to be said.
    case start(warning: String?)
    /// Begin later, and ask again when the load has changed.
    case wait(reason: String)
    /// Don't begin, and don't wait.
    case refuse(reason: String)
    /// It asks for more than there is in all, so waiting would not help.
    case neverFits(reason: String)
}

/// What is done with new work while the machine is overloaded, or has not enough left for it.
public struct AdmissionPolicy: Sendable, Hashable {
    /// What can be done.
    public enum Response: String, Sendable, Hashable, CaseIterable {
        /// Begin all the same and say so, as the original system did.
        case warn
        /// Wait until the load has gone down.
        case wait
        /// Refuse.
        case refuse
    }

    /// What is done.
    public var whenOverloaded: Response

    /// Makes a policy.
    public init(whenOverloaded: Response = .warn) {
        self.whenOverloaded = whenOverloaded
    }

    /// Decides on new work. Pure: the same figures, the same decision.
    ///
    /// - Parameters:
    ///   - demand: what the work will need.
    ///   - assessment: the load now.
    ///   - host: the machine now; what is not known of it is not held against the work.
    ///   - runningDemand: what other work has been promised and has not taken yet, so that it is not given away twice.
    public func admission(
        of demand: ResourceDemand,
        under assessment: OverloadAssessment,
        host: HostResources,
        runningDemand: ResourceDemand = .unknown
    ) -> AdmissionDecision {
        let needs = Need.needs(demand, host: host, reserved: runningDemand)
        if let need = needs.first(where: \.exceedsAll) { return .neverFits(reason: need.neverFits) }
        let problems = [assessment.message].compactMap(\.self) + needs.filter(\.exceedsFree).map(\.doesNotFitNow)
        guard !problems.isEmpty else { return .start(warning: nil) }
        let reason = problems.joined(separator: " ")
        switch whenOverloaded {
        case .warn: return .start(warning: reason)
        case .wait: return .wait(reason: reason)
        case .refuse: return .refuse(reason: reason)
        }
    }
}

/// A part of a demand beside what there is of it.
private struct Need {
    let what: String
    let wanted: Double
    let inAll: Double?
    let free: Double?
    let reserved: Double
    let format: (Double) -> String

    static func needs(_ demand: ResourceDemand, host: HostResources, reserved: ResourceDemand) -> [Need] {
        var needs: [Need] = []
        if let wanted = demand.memoryBytes {
            let (inAll, free) = (host.memoryLimitBytes, host.usableMemoryBytes)
            needs.append(Need("memory", bytes: wanted, of: inAll, free: free, reserved: reserved.memoryBytes))
        }
        if let wanted = demand.diskBytes {
            let (inAll, free) = (host.diskTotalBytes, host.diskAvailableBytes)
            needs.append(Need("disk space", bytes: wanted, of: inAll, free: free, reserved: reserved.diskBytes))
        }
        if let wanted = demand.cpuPercent {
            needs.append(Need(cpuPercent: wanted, of: host.availableCores * 100))
        }
        return needs
    }

    private init(_ what: String, bytes wanted: Int64, of inAll: Int64?, free: Int64?, reserved: Int64?) {
        self.what = what
        self.wanted = Double(wanted)
        self.inAll = inAll.map { Double($0) }
        self.free = free.map { Double($0) }
        self.reserved = Double(max(0, reserved ?? 0))
        format = { Figures.bytes(Int64(clamping: $0)) }
    }

    /// CPU is shared by all that runs and never used up, so it only matters how much there is in all.
    private init(cpuPercent wanted: Double, of inAll: Double) {
        what = "CPU"
        self.wanted = wanted
        self.inAll = inAll
        free = nil
        reserved = 0
        format = Figures.percent
    }

    var exceedsAll: Bool { inAll.map { wanted > $0 } ?? false }

    /// What asks for nothing fits a full disk too.
    var exceedsFree: Bool { wanted > 0 && free.map { wanted > $0 - reserved } ?? false }

    var neverFits: String {
        "It needs \(format(wanted)) of \(what), more than the \(format(inAll ?? 0)) that there are in all: "
            + "choose smaller work or another machine."
    }

    var doesNotFitNow: String {
        let promised =
            reserved > 0 ? ", of which \(format(min(reserved, free ?? reserved))) are promised to other operations" : ""
        return "It needs \(format(wanted)) of \(what), and \(format(free ?? 0)) are left\(promised): "
            + "free some, or wait until an operation has ended."
    }
}
