/// A way to put several services right at once.
public enum RecoveryStrategy: String, Sendable, Hashable, Codable, CaseIterable {
    /// Ends what holds the port of another's service, and starts the service where that is possible.
    case portConflicts = "port_conflicts"
    /// Restarts services that have ended by themselves, or say that they aren't well.
    case failedServices = "failed_services"
    /// Starts services that are enabled and don't run.
    case stoppedServices = "stopped_services"

    /// What it does, for people.
    public var description: String {
        switch self {
        case .portConflicts: "End what holds a service's port in its place, and start the service"
        case .failedServices: "Restart services that have failed"
        case .stoppedServices: "Start enabled services that don't run"
        }
    }
}

/// What a strategy does to one service.
public struct RecoveryStep: Sendable, Hashable {
    /// What is done.
    public enum Action: String, Sendable, Hashable, Codable {
        /// Ends what holds the port.
        case kill
        /// Starts the service.
        case start
        /// Stops the service, or ends what holds its port, and starts it.
        case restart
        /// Nothing can be done from here; the reason says why.
        case none
    }

    /// What became of it.
    public enum Outcome: String, Sendable, Hashable, Codable {
        /// It has not been done.
        case planned
        /// It has been done.
        case done
        /// It could not be done; the reason says why.
        case failed
        /// There was nothing that could be done from here.
        case skipped
    }

    /// The service's name.
    public var service: String
    /// What is done.
    public var action: Action
    /// Why it is done; after a failure, why it could not be.
    public var reason: String
    /// What became of it.
    public var outcome: Outcome
    /// The processes that may be ended for it: those that held the service's port in its place when it was looked, in ascending order
    /// of their pids. What they have forked since goes with them.
    public var holders: [SeenProcess]
    /// What watches over them and may start them again, such as `systemd (nginx.service)`; `nil` when nothing is known to.
    public var supervisor: String?

    /// Makes a step.
    public init(
        service: String,
        action: Action,
        reason: String,
        outcome: Outcome = .planned,
        holders: [SeenProcess] = [],
        supervisor: String? = nil
    ) {
        self.service = service
        self.action = action
        self.reason = reason
        self.outcome = outcome
        self.holders = holders
        self.supervisor = supervisor
    }
}

extension RecoveryStep: Encodable {
    private enum CodingKeys: CodingKey {
        case service, action, reason, outcome, holders, pids, supervisor
    }

    /// Writes it with every key, `null` for what isn't known, and the pids of ``holders`` as numbers beside their text form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(service, forKey: .service)
        try container.encode(action, forKey: .action)
        try container.encode(reason, forKey: .reason)
        try container.encode(outcome, forKey: .outcome)
        try container.encode(holders, forKey: .holders)
        try container.encode(holders.map(\.pid), forKey: .pids)
        try container.encode(supervisor, forKey: .supervisor)
    }
}

/// What a strategy has done, or would do.
public struct RecoveryReport: Sendable, Hashable, Encodable {
    /// The strategy.
    public var strategy: RecoveryStrategy
    /// Whether nothing was done and only looked.
    public var isDryRun: Bool
    /// One step a service that needs it, in the order in which they are done.
    public var steps: [RecoveryStep]

    private enum CodingKeys: String, CodingKey {
        case strategy, steps
        case isDryRun = "dry_run"
    }

    /// Makes a report.
    public init(strategy: RecoveryStrategy, isDryRun: Bool, steps: [RecoveryStep]) {
        self.strategy = strategy
        self.isDryRun = isDryRun
        self.steps = steps
    }

    /// The services for which anything can be done, each with the processes that may be ended for it: what is to be handed to
    /// ``ServiceController/recover(_:expecting:isDryRun:named:by:)`` by whoever was shown this report and has agreed to it.
    public var holders: [String: Set<SeenProcess>] {
        Dictionary(steps.filter { $0.action != .none }.map { ($0.service, Set($0.holders)) }) { $0.union($1) }
    }

    /// Whether every service that needed it has been put right.
    public var isComplete: Bool { steps.allSatisfy { $0.outcome == .done } }

    /// What came of it, in a sentence.
    public var summary: String {
        if steps.isEmpty { return "There was nothing to do." }
        let done = steps.count { $0.outcome == .done }
        let rest = steps.filter { $0.outcome == .failed || $0.outcome == .skipped }
        let reasons = rest.map { "\($0.service): \($0.reason)" }.joined(separator: " ")
        return "\(done) of \(steps.count) services put right." + (reasons.isEmpty ? "" : " " + reasons)
    }
}
