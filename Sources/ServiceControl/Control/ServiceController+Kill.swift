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
    ///   - pid: the process that the caller has seen; `nil` for whichever it is.
    ///   - actor: who wants it, for the audit log.
    /// - Throws: ``ServiceError``: `unknown_service`, `not_possible`, `not_permitted`, `supervised`, `taken_again`, `not_ended`,
    ///   `busy`, `system`; `CancellationError`.
    @discardableResult
    public func kill(_ name: String, pid: Int32? = nil, by actor: String) async throws -> FreedPort {
        let service = try registry.service(name)
        guard let port = service.port else {
            throw ServiceError(.notPossible, "\(name) has no port that anyone could hold: stop it instead.")
        }
        try Self.checkRight(service, in: registry.path)
        return try await exclusively(name, "killed") {
            try await operation(.freePort, "Free port \(port) of \(name)", by: actor) { handle in
                try await self.free(port, expecting: pid, by: actor, handle)
            }
        }
    }

    /// Ends what holds a port, as ``kill(_:pid:by:)`` does.
    ///
    /// - Parameters:
    ///   - port: the port of a service in the registry's file.
    ///   - actor: who wants it, for the audit log.
    /// - Throws: as ``kill(_:pid:by:)``; `not_permitted` where no service has the port.
    @discardableResult
    public func kill(port: UInt16, by actor: String) async throws -> FreedPort {
        let services = registry.services.filter { $0.port == port }
        guard let service = services.first(where: { $0.registeredBy == nil }) ?? services.first else {
            throw ServiceError(
                .notPermitted,
                "Port \(port) is of no service in \(registry.path), and only what holds such a port is ended: add a service with it there."
            )
        }
        return try await kill(service.name, by: actor)
    }

    /// - Parameter pid: who has to be among the holders; `nil` for whoever they are.
    func free(
        _ port: UInt16,
        expecting pid: Int32? = nil,
        by actor: String,
        _ handle: OperationHandle
    ) async throws -> FreedPort {
        handle.setPhase("ending", message: "what holds port \(port)")
        let freer = PortFreer(system: system, clock: handle.clock, grace: configuration.grace)
        return try await freer.free(port, expecting: pid) { process, signal in
            let isForced = signal == SIGKILL
            if isForced { handle.setPhase("ending by force", message: "\(process.name) (pid \(process.identity.pid))") }
            note(
                isForced ? "process.killed" : "process.terminated",
                by: actor,
                handle.id,
                "\(process.name) (pid \(process.identity.pid)), which held port \(port)"
            )
        }
    }

    static func checkRight(_ service: ServiceDefinition, in path: String) throws(ServiceError) {
        guard service.registeredBy == nil else { throw registeredOnly(service, in: path) }
    }

    static func registeredOnly(_ service: ServiceDefinition, in path: String) -> ServiceError {
        ServiceError(
            .notPermitted,
            "\(service.name) was registered by \(service.registeredBy?.shown ?? "somebody"), which gives no right to end what holds its port: take \"registered_by\" out of \(path.shown) to give it."
        )
    }
}
