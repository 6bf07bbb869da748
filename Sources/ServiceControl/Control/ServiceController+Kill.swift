import OperationTracking

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension ServiceController {
    /// Ends what holds a service's port, whether that is the service's own process or not, and makes sure that the port is
    /// free.
    ///
    /// Each process is asked with SIGTERM, and ended with SIGKILL after the grace; in the moment of either it is looked once
    /// more whether it is still that process and still holds the port. Never ended are process 1, this program, those that
    /// have started it, processes of another user, and containers and their proxies.
    ///
    /// - Parameters:
    ///   - name: a service of the registry's file.
    ///   - pid: the process that the caller has seen: it is ended with what it has forked, and others that have the port beside it are
    ///     left alone (``FreedPort/left``); `nil` for whoever holds the port.
    ///   - actor: who wants it, for the audit log.
    /// - Throws: ``ServiceError``: `unknown_service`, `not_possible`, `not_permitted`, `supervised`, `taken_again`, `not_ended`,
    ///   `busy`, `system`; `CancellationError`.
    @discardableResult
    public func kill(_ name: String, pid: Int32? = nil, by actor: String) async throws -> FreedPort {
        try await kill(name, expecting: pid.map { .just(SeenProcess(pid: $0)) } ?? .any, by: actor)
    }

    /// Ends what holds a service's port as ``kill(_:pid:by:)`` does, if nobody holds it but those whom the caller has seen.
    ///
    /// - Parameters:
    ///   - name: a service of the registry's file.
    ///   - seen: those who may be ended; what they have forked since goes with them.
    ///   - sparesOwn: whether the service's own process is left alone (``FreedPort/left``), and those alone ended who hold the port in
    ///     its place.
    ///   - actor: who wants it, for the audit log.
    /// - Throws: as ``kill(_:pid:by:)``; `not_possible` also where another process holds the port by now.
    @discardableResult
    public func kill(
        _ name: String,
        among seen: Set<SeenProcess>,
        sparingOwn sparesOwn: Bool = false,
        by actor: String
    ) async throws -> FreedPort {
        try await kill(name, expecting: .only(seen), sparesOwn: sparesOwn, by: actor)
    }

    /// Ends one process that holds a service's port as ``kill(_:pid:by:)`` does, if it still is the one that the caller has seen.
    @discardableResult
    package func kill(_ name: String, just seen: SeenProcess, by actor: String) async throws -> FreedPort {
        try await kill(name, expecting: .just(seen), by: actor)
    }

    /// - Parameter sparesOwn: whether the service's own process is left alone.
    @discardableResult
    func kill(
        _ name: String,
        expecting holders: ExpectedHolders,
        sparesOwn: Bool = false,
        by actor: String
    ) async throws -> FreedPort {
        let service = try registry.service(name)
        guard let port = service.port else {
            throw ServiceError(.notPossible, "\(name) has no port that anyone could hold: stop it instead.")
        }
        try Self.checkRight(service, in: registry.path)
        return try await exclusively(name, "killed") {
            // Where others may write what is kept, its end couldn't be told from one by itself.
            _ = try folder.record(of: name)
            return try await operation(.freePort, "Free port \(port) of \(name)", by: actor) { handle in
                try await self.free(
                    port,
                    expecting: holders,
                    sparingOwnOf: sparesOwn ? service : nil,
                    by: actor,
                    handle
                )
            }
        }
    }

    /// Ends what holds a port, as ``kill(_:pid:by:)`` does.
    ///
    /// - Parameters:
    ///   - port: the port of a service in the registry's file.
    ///   - seen: those who may be ended, as in ``kill(_:among:sparingOwn:by:)``; `nil` for whoever holds the port.
    ///   - actor: who wants it, for the audit log.
    /// - Throws: as ``kill(_:pid:by:)``; `not_permitted` where no service has the port.
    @discardableResult
    public func kill(port: UInt16, among seen: Set<SeenProcess>? = nil, by actor: String) async throws -> FreedPort {
        let service = try Self.service(with: port, among: registry.services, in: registry.path)
        return try await kill(service.name, expecting: seen.map { .only($0) } ?? .any, by: actor)
    }

    func free(
        _ port: UInt16,
        expecting expected: ExpectedHolders,
        sparingOwnOf service: ServiceDefinition? = nil,
        by actor: String,
        _ handle: OperationHandle
    ) async throws -> FreedPort {
        handle.setPhase("ending", message: "what holds port \(port)")
        let freer = PortFreer(system: system, clock: handle.clock, grace: configuration.grace)
        var ending: [String] = []
        do {
            return try await freer.free(port, expecting: expected) { use in
                service.map { sides(of: use, $0, knownProcess(of: $0.name)).own } ?? []
            } willEnd: {
                ending = expectEnds(of: $0)
            } onSignal: { process, signal in
                let isForced = signal == SIGKILL
                if isForced { handle.setPhase("ending by force", message: process.text) }
                note(
                    isForced ? "process.killed" : "process.terminated",
                    by: actor,
                    handle.id,
                    "\(process.text), which held port \(port)"
                )
            }
        } catch {
            for name in ending { expectNoEnd(of: name) }
            throw error
        }
    }

    fileprivate static func service(
        with port: UInt16,
        among services: [ServiceDefinition],
        in path: String
    ) throws(ServiceError) -> ServiceDefinition {
        let services = services.filter { $0.port == port }
        guard let service = services.first(where: { $0.registeredBy == nil }) ?? services.first else {
            throw ServiceError(
                .notPermitted,
                "Port \(port) is of no service in \(path), and only what holds such a port is ended: add a service with it there."
            )
        }
        return service
    }

    static func checkRight(_ service: ServiceDefinition, in path: String) throws(ServiceError) {
        guard service.registeredBy == nil else { throw registeredOnly(service, in: path) }
    }

    static func registeredOnly(_ service: ServiceDefinition, in path: String) -> ServiceError {
        ServiceError(
            .notPermitted,
            "\(service.name) was registered by \(service.registeredBy?.shown ?? "somebody"), which gives no right to end what holds its port, or what a person started under its name: take \"registered_by\" out of \(path.shown) to give it."
        )
    }
}

extension PortUse {
    /// Looks whether its holders may be ended, as ``ServiceController/kill(port:among:by:)`` would.
    ///
    /// - Parameters:
    ///   - services: those of a registry.
    ///   - path: the registry's file.
    /// - Throws: ``ServiceError`` that says why not.
    package func checkEnding(among services: [ServiceDefinition], in path: String) throws(ServiceError) {
        try ServiceController.checkRight(ServiceController.service(with: port, among: services, in: path), in: path)
        if case .refused(let error) = KillVerdict(self, SystemPorts()) { throw error }
    }
}
