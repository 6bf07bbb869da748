/// Who holds a service's port, and what can be done about it.
public struct PortConflict: Sendable, Hashable {
    /// The service's name.
    public var service: String
    /// Its port.
    public var port: UInt16
    /// The name of the process that is to hold it; `nil` where any will do.
    public var expectedProcess: String?
    /// The name of the process that does; `nil` when the system doesn't show it.
    public var actualProcess: String?
    /// That process's pid.
    public var pid: Int32?
    /// Whether it is the service's own.
    public var isCorrect: Bool
    /// Whether it may be ended from here.
    public var canKill: Bool
    /// Whether the service can be started in its place.
    public var canRestart: Bool
    /// All processes that hold it, in ascending order of their pids.
    public var holders: [Holder]
    /// Who holds it in the service's place, or, where nobody does, who holds it: as words of a sentence.
    public var heldBy: String
    /// Why it can't be ended; `nil` when it can.
    public var reason: String?
    /// What watches over those in ``heldBy``, such as `systemd (nginx.service)`; `nil` when nothing is known to.
    public var supervisor: String?

    /// A process that holds a port.
    public struct Holder: Sendable, Hashable {
        /// Which process it is.
        public var process: SeenProcess
        /// Its name.
        public var name: String
        /// Whether it is the service's own.
        public var isCorrect: Bool

        /// Makes a description.
        public init(process: SeenProcess, name: String, isCorrect: Bool) {
            self.process = process
            self.name = name
            self.isCorrect = isCorrect
        }
    }

    /// Makes a description.
    public init(
        service: String,
        port: UInt16,
        expectedProcess: String?,
        actualProcess: String?,
        pid: Int32?,
        isCorrect: Bool,
        canKill: Bool,
        canRestart: Bool,
        holders: [Holder],
        heldBy: String,
        reason: String? = nil,
        supervisor: String? = nil
    ) {
        self.service = service
        self.port = port
        self.expectedProcess = expectedProcess
        self.actualProcess = actualProcess
        self.pid = pid
        self.isCorrect = isCorrect
        self.canKill = canKill
        self.canRestart = canRestart
        self.holders = holders
        self.heldBy = heldBy
        self.reason = reason
        self.supervisor = supervisor
    }
}

extension PortConflict: Encodable {
    private enum CodingKeys: String, CodingKey {
        case service, port, pid, holders, reason, supervisor
        case expectedProcess = "expected_process"
        case actualProcess = "actual_process"
        case isCorrect = "is_correct"
        case canKill = "can_kill"
        case canRestart = "can_restart"
        case heldBy = "held_by"
    }

    /// Writes it with every key, `null` for what isn't known.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(service, forKey: .service)
        try container.encode(port, forKey: .port)
        try container.encode(expectedProcess, forKey: .expectedProcess)
        try container.encode(actualProcess, forKey: .actualProcess)
        try container.encode(pid, forKey: .pid)
        try container.encode(isCorrect, forKey: .isCorrect)
        try container.encode(canKill, forKey: .canKill)
        try container.encode(canRestart, forKey: .canRestart)
        try container.encode(holders, forKey: .holders)
        try container.encode(heldBy, forKey: .heldBy)
        try container.encode(reason, forKey: .reason)
        try container.encode(supervisor, forKey: .supervisor)
    }
}

extension PortConflict.Holder: Encodable {
    private enum CodingKeys: String, CodingKey {
        case pid, process, name
        case isCorrect = "is_correct"
    }

    /// Writes it with its pid as a number beside the text form of ``process``.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(process.pid, forKey: .pid)
        try container.encode(process, forKey: .process)
        try container.encode(name, forKey: .name)
        try container.encode(isCorrect, forKey: .isCorrect)
    }
}

/// The ports of all enabled services that anyone holds.
public struct PortConflicts: Sendable, Hashable, Encodable {
    /// One entry for each, those that are held by the service's own process included.
    public var conflicts: [PortConflict]

    /// Makes a list.
    public init(conflicts: [PortConflict]) {
        self.conflicts = conflicts
    }

    /// How many there are.
    public var total: Int { conflicts.count }
    /// How many of them are held by another process than the service's own.
    public var requiresAttention: Int { conflicts.count { !$0.isCorrect } }

    private enum CodingKeys: String, CodingKey {
        case conflicts, total
        case requiresAttention = "requires_attention"
    }

    /// Writes the list, its length, and whether any of them asks for attention.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(conflicts, forKey: .conflicts)
        try container.encode(total, forKey: .total)
        try container.encode(requiresAttention > 0, forKey: .requiresAttention)
    }
}
