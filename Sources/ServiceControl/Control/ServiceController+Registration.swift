import OperationTracking

extension ServiceController {
    /// Registers a service while the program runs, as an extension does each time it starts: one that was registered so
    /// before gives way to it, one that a person put into the file doesn't.
    ///
    /// It is kept in the file with the name of whoever registered it, which gives no right to end what holds its port. Its
    /// commands are refused unless ``Configuration/runsRegisteredCommands`` is set, and its health is asked on this machine
    /// only.
    ///
    /// - Parameters:
    ///   - service: the service.
    ///   - actor: who registers it, such as `http`; at most 100 bytes are kept.
    /// - Throws: ``ServiceError``: `invalid_service`, `duplicate_service`, `port_conflict` where a person's service has the
    ///   port, `not_permitted`, `invalid_registry`, `system`.
    public func register(_ service: ServiceDefinition, by actor: String) async throws(ServiceError) {
        var service = service
        service.registeredBy = actor.bounded(toBytes: 100)
        if let problem = service.problems.first { throw ServiceError(.invalidService, problem) }
        if service.startupCommand != nil || service.shutdownCommand != nil { try checkCommandRight(service) }
        guard service.isHealthLocal else {
            throw ServiceError(
                .notPermitted,
                "The health of a service that is registered this way is asked on this machine only: give a path, or a URL of 127.0.0.1."
            )
        }
        let known = registry.services.first { $0.registeredBy == nil && $0.port != nil && $0.port == service.port }
        if let known, let port = service.port, known.name != service.name {
            throw ServiceError(
                .portConflict,
                "Port \(port) is that of \(known.name), which a person put into \(registry.path): register one that no service has."
            )
        }
        if try await !registry.replaceRegistered(with: service) { try await registry.register(service) }
        note("service.registered", by: actor, nil, service.name)
    }

    /// Takes out a service that was registered while a program ran. One that a person put into the file stays.
    ///
    /// - Parameters:
    ///   - name: its name.
    ///   - actor: who wants it, for the audit log.
    /// - Throws: ``ServiceError``: `unknown_service`, `not_permitted`, `invalid_registry`, `system`.
    public func unregister(_ name: String, by actor: String) async throws(ServiceError) {
        try await registry.unregister(name, onlyRegistered: true)
        note("service.unregistered", by: actor, nil, name)
    }
}
