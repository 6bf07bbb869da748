import OperationTracking
import OperationTransfer
import ServiceControl

/// How the server looks after services, as a configuration file says under `services`.
struct ServiceSettings: Sendable {
    /// The registry; `services.json` in the data directory unless given.
    var file: String?
    /// The time between two looks; `nil` when nobody looks until someone asks for it.
    var monitorInterval: Duration?
    var startTimeout: Duration = .seconds(60)
    var grace: Duration = .seconds(5)
    var runsRegisteredCommands = false

    mutating func take(_ section: inout ConfigSection) {
        section.section("services") { section in
            file = section.text("file")
            if let seconds = section.limit("monitor_seconds", in: 1...86_400) {
                monitorInterval = seconds.map { .seconds($0) }
            }
            startTimeout = section.number("start_timeout_seconds", in: 1...3600).map { .seconds($0) } ?? startTimeout
            grace = section.number("grace_seconds", in: 0...600).map { .seconds($0) } ?? grace
            runsRegisteredCommands = section.flag("registered_commands") ?? runsRegisteredCommands
        }
    }

    /// Opens the registry.
    ///
    /// - Parameters:
    ///   - data: the data directory, which exists.
    ///   - notice: takes what people should know.
    /// - Throws: `ServiceError` when the registry can be neither read nor made.
    func controller(
        data: String,
        tracker: OperationTracker,
        audit: any AuditLog,
        notice: (String) -> Void
    ) throws -> ServiceController {
        let registry = try ServiceRegistry(path: file ?? data + "/services.json")
        for warning in registry.warnings { notice(warning) }
        var configuration = ServiceController.Configuration(data: data, services: file)
        configuration.startTimeout = startTimeout
        configuration.grace = grace
        configuration.runsRegisteredCommands = runsRegisteredCommands
        return ServiceController(
            registry: registry,
            tracker: tracker,
            audit: audit,
            transport: CurlTransport(),
            configuration: configuration
        )
    }
}
