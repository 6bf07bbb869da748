#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
public import OperationTracking
public import OperationTransfer

/// Looks after the services of a machine: who holds which port, whether that is right, and what to do if it isn't.
///
/// ```swift
/// let services = ServiceController(
///     registry: try ServiceRegistry(path: "\(data)/services.json"),
///     tracker: tracker, audit: history, transport: CurlTransport(),
///     configuration: .init(folder: "\(data)/services")
/// )
/// for report in try await services.status() { print(report.service.name, report.status) }
/// try await services.restart("vite", by: "wizard restart")
/// ```
///
/// Whatever takes time is an operation of the tracker, and whatever is done to a process is an entry of the audit log.
/// Services that it starts go on when this program ends. Before that, call ``shutDown(within:)`` and then the tracker's `close()`.
public actor ServiceController {
    /// What a controller can be told when it is made.
    public struct Configuration: Sendable {
        /// The folder for the logs and records of services that are started; it is made when it is needed. They go by the services'
        /// names, so each registry needs a folder of its own.
        public var folder: String
        /// How long a process that is asked to end has for it.
        public var grace: Duration = .seconds(5)
        /// How long a service has from its start until its port and its health endpoint answer.
        public var startTimeout: Duration = .seconds(60)
        /// How long a service has to end after its `shutdown_cmd` began.
        public var stopTimeout: Duration = .seconds(30)
        /// How long a service without a port and a health endpoint has to run to count as started.
        public var settleTime: Duration = .seconds(1)
        /// How long a health endpoint has for its answer.
        public var healthTimeout: Duration = .seconds(2)
        /// How many bytes the log of a service may have before it is begun anew; one older log is kept, as long at most. See
        /// ``ServiceController/trimLogs()`` and ``ServiceController/keepLogs()`` for when that is done.
        public var logLimit = 10 << 20
        /// What the commands of services find in their environment beside that of this program.
        public var environment: [String: String] = [:]
        /// Whether commands of services are run that were registered while the program ran.
        public var runsRegisteredCommands = false

        /// Makes the usual configuration.
        ///
        /// - Parameter folder: see ``folder``.
        public init(folder: String) {
            self.folder = folder
        }
    }

    /// The services.
    public nonisolated let registry: ServiceRegistry

    let tracker: OperationTracker
    let audit: (any AuditLog)?
    let health: HealthCheck?
    let configuration: Configuration
    let clock: any TrackingClock
    let system: any ControlSystem
    nonisolated let folder: ServiceFolder
    var started: [String: ServiceProcess] = [:]
    /// What is being done to which service.
    private var busy: [String: String] = [:]
    /// Its operations, from their beginning until their endings are recorded; and those whose work runs, the first to begin first.
    let operations = InFlightCount()
    var running: [OperationID] = []
    /// The end of this controller, once it has begun; see ``shutDown(within:)``.
    var shutdown: Task<Void, Never>?
    var isClosed = false
    var monitoring: Task<Void, Never>?
    var lastStatus: [String: ServiceStatus] = [:]

    /// Makes a controller.
    ///
    /// - Parameters:
    ///   - registry: the services.
    ///   - tracker: where its operations run.
    ///   - audit: where it is noted what was done, and by whom; the tracker's history store, if that is one.
    ///   - transport: what asks health endpoints; `nil` when they are not to be asked.
    ///   - clock: what times are measured on; the tracker's.
    ///   - configuration: how long things may take, and where logs go.
    public init(
        registry: ServiceRegistry,
        tracker: OperationTracker,
        audit: (any AuditLog)? = nil,
        transport: (any HTTPTransport)? = nil,
        clock: any TrackingClock = .system,
        configuration: Configuration
    ) {
        self.init(
            registry: registry,
            tracker: tracker,
            audit: audit,
            transport: transport,
            clock: clock,
            configuration: configuration,
            system: SystemPorts()
        )
    }

    init(
        registry: ServiceRegistry,
        tracker: OperationTracker,
        audit: (any AuditLog)?,
        transport: (any HTTPTransport)?,
        clock: any TrackingClock,
        configuration: Configuration,
        system: any ControlSystem
    ) {
        self.registry = registry
        self.tracker = tracker
        self.audit = audit
        health = transport.map { HealthCheck(transport: $0, limit: configuration.healthTimeout) }
        self.configuration = configuration
        self.clock = clock
        self.system = system
        folder = ServiceFolder(configuration)
    }

    deinit {
        monitoring?.cancel()
    }

    /// Does something to a service while nobody else does, in this program or another that has the same folder.
    ///
    /// - Throws: ``ServiceError`` (`busy`).
    func exclusively<Result: Sendable>(
        _ name: String,
        _ what: String,
        _ body: () async throws -> Result
    ) async throws -> Result {
        if let other = busy[name] {
            throw ServiceError(.busy, "\(name) is being \(other): wait until that is done, or cancel it.")
        }
        busy[name] = what
        defer { busy[name] = nil }
        let lock = try folder.lock(of: name)
        defer { lock?.release() }
        return try await body()
    }

    /// Runs work on a service as an operation.
    ///
    /// - Throws: ``ServiceError`` (`closed`), and what the work throws.
    func operation<Result: Sendable>(
        _ type: OperationType,
        _ description: String,
        steps: Int64? = nil,
        named id: OperationID? = nil,
        by actor: String,
        _ body: @escaping @Sendable (OperationHandle) async throws -> Result
    ) async throws -> Result {
        // Whoever asks for one thing after the other would put off the end of a shutdown that waits for an idle moment.
        if shutdown != nil, operations.isIdle { isClosed = true }
        guard !isClosed else {
            throw ServiceError(
                .closed,
                "This program is stopping, and does nothing more to services: ask it once it runs again."
            )
        }
        operations.begin()
        defer { operations.end() }
        return try await tracker.withOperation(
            named: id,
            type: type,
            description: description,
            total: steps,
            unit: .items,
            startedBy: actor
        ) { handle in
            try await self.reach(handle.id) { try await body(handle) }
        }
    }

    /// Runs the work of an operation so that a shutdown finds it.
    private func reach<Result: Sendable>(
        _ id: OperationID,
        _ body: @Sendable () async throws -> Result
    ) async throws -> Result {
        running.append(id)
        defer { running.removeAll { $0 == id } }
        if isClosed {
            // It came after those that were cancelled.
            try? await tracker.cancel(id)
            throw CancellationError()
        }
        return try await body()
    }

    func note(_ action: String, by actor: String, _ operation: OperationID? = nil, _ detail: String) {
        let now = Date(timeIntervalSince1970: Double(clock.wallMilliseconds) / 1000)
        audit?.append(
            AuditEntry(at: now, actor: actor, action: action, operationID: operation, detail: detail.withoutURLSecrets)
        )
    }
}

extension OperationType {
    /// Starting a service.
    public static let startService = OperationType("start_service")
    /// Stopping a service.
    public static let stopService = OperationType("stop_service")
    /// Stopping a service, or what holds its port, and starting it.
    public static let restartService = OperationType("restart_service")
    /// Ending what holds a port.
    public static let freePort = OperationType("free_port")
    /// Putting several services right.
    public static let recoverServices = OperationType("recover_services")
}
