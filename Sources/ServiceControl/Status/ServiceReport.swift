import OperationTracking

/// How a service is.
public enum ServiceStatus: String, Sendable, Hashable, Codable, CaseIterable {
    /// Its own process holds its port and, where it is asked, says that it is well.
    case running
    /// Nothing of it is there.
    case stopped
    /// It ended by itself, or it runs and says that it isn't well, or doesn't listen on its port.
    case failed
    /// Another process holds its port.
    case portConflict = "port_conflict"
    /// The system doesn't show enough to tell, or it is being started.
    case unknown
}

/// What is known of a service at one moment.
public struct ServiceReport: Sendable, Hashable {
    /// The service.
    public var service: ServiceDefinition
    /// How it is.
    public var status: ServiceStatus
    /// Why, in a sentence; `nil` where the status says it all.
    public var detail: String?
    /// Who holds its port; `nil` for a service without one.
    public var use: PortUse?
    /// Its process: the one that holds its port, or the one by which it was started; `nil` when it doesn't run. In a
    /// conflict, the process that holds the port instead.
    public var process: ProcessDetails?
    /// Whether it runs by having been started here.
    public var wasStartedHere: Bool
    /// Whether its health endpoint says that it is well; `nil` where it has none or isn't asked.
    public var isHealthy: Bool?

    /// Makes a report.
    public init(
        service: ServiceDefinition,
        status: ServiceStatus,
        detail: String? = nil,
        use: PortUse? = nil,
        process: ProcessDetails? = nil,
        wasStartedHere: Bool = false,
        isHealthy: Bool? = nil
    ) {
        self.service = service
        self.status = status
        self.detail = detail
        self.use = use
        self.process = process
        self.wasStartedHere = wasStartedHere
        self.isHealthy = isHealthy
    }
}

extension ServiceReport: Encodable {
    private enum CodingKeys: String, CodingKey {
        case name, port, environment, status, detail, pid, pids, holders, supervisor, description, enabled
        case expectedProcess = "expected_process"
        case actualProcess = "actual_process"
        case wasStartedHere = "started_here"
        case isHealthy = "healthy"
        case registeredBy = "registered_by"
        case startupCommand = "startup_cmd"
        case healthEndpoint = "health_endpoint"
    }

    /// Writes it with every key, `null` for what isn't known.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(service.name, forKey: .name)
        try container.encode(service.port, forKey: .port)
        try container.encode(service.environment, forKey: .environment)
        try container.encode(service.description, forKey: .description)
        try container.encode(service.isEnabled, forKey: .enabled)
        try container.encode(service.registeredBy, forKey: .registeredBy)
        try container.encode(service.startupCommand?.description, forKey: .startupCommand)
        try container.encode(service.healthEndpoint, forKey: .healthEndpoint)
        try container.encode(status, forKey: .status)
        try container.encode(detail, forKey: .detail)
        try container.encode(process?.identity.pid, forKey: .pid)
        try container.encode((use?.holders ?? []).map(\.identity.pid), forKey: .pids)
        try container.encode((use?.holders ?? []).map { SeenProcess($0.identity) }, forKey: .holders)
        try container.encode(process?.supervisor?.description, forKey: .supervisor)
        try container.encode(service.processName, forKey: .expectedProcess)
        try container.encode(process?.name, forKey: .actualProcess)
        try container.encode(wasStartedHere, forKey: .wasStartedHere)
        try container.encode(isHealthy, forKey: .isHealthy)
    }
}
