import OperationTracking

extension ServiceController {
    /// Who listens on a port now, whether or not a service has it.
    ///
    /// - Throws: ``ServiceError`` (`system`) when the system doesn't say.
    public func use(of port: UInt16) throws(ServiceError) -> PortUse {
        try PortScanner(system: system).use(of: port)
    }

    /// The first port that no service has and that a server could listen on.
    ///
    /// - Parameter start: where to begin, at least 1.
    /// - Throws: ``ServiceError`` (`no_port`) when there is none from there to 65535.
    public func availablePort(from start: UInt16 = 8000) throws(ServiceError) -> UInt16 {
        let taken = Set(registry.services.compactMap(\.port)).union(try system.listeners(port: nil).map(\.port))
        for port in max(1, start)...UInt16.max where !taken.contains(port) && AvailablePort.isFree(port) { return port }
        throw ServiceError(.noPort, "No port from \(start) to 65535 is free: begin lower.")
    }

    /// Gives a service another port in the registry. It is used from its next start on.
    ///
    /// A health endpoint on the old port of this machine is moved to the new one.
    ///
    /// - Parameters:
    ///   - name: the service.
    ///   - port: the port; `nil` for the next one that is available behind its own.
    ///   - actor: who wants it, for the audit log.
    /// - Returns: the new port.
    /// - Throws: ``ServiceError``: `unknown_service`, `not_possible` where another service has the port, `port_conflict` where a
    ///   process listens on it, `no_port`, `busy`, `invalid_registry`, `system`.
    @discardableResult
    public func reassign(_ name: String, to port: UInt16? = nil, by actor: String) async throws -> UInt16 {
        let service = try registry.service(name)
        return try await exclusively(name, "reassigned") {
            let new = try port ?? availablePort(from: service.port.map { $0 == .max ? 1024 : $0 + 1 } ?? 8000)
            if new == service.port { return new }
            if let other = registry.services.first(where: { $0.port == new && $0.name != name }) {
                throw ServiceError(.notPossible, "Port \(new) is \(other.name)'s: choose another.")
            }
            let use = try PortScanner(system: system).use(of: new)
            guard use.isFree else {
                throw ServiceError(.portConflict, "Port \(new) is held by \(use.holderText): choose another.")
            }
            try await registry.update(name) { changed in
                changed.port = new
                if let old = service.port {
                    changed.healthEndpoint = changed.healthEndpoint?.movingPort(from: old, to: new)
                }
            }
            note(
                "service.reassigned",
                by: actor,
                nil,
                "\(name): port \(service.port.map(String.init) ?? "none") to \(new)"
            )
            return new
        }
    }

    /// The ports of all enabled services as lines for a POSIX shell, such as `export VITE_PORT=5173`.
    public nonisolated var environmentScript: String { EnvironmentScript.text(registry.services) }
}

extension String {
    /// A URL on this machine with another port.
    fileprivate func movingPort(from old: UInt16, to new: UInt16) -> String {
        for host in ["127.0.0.1", "localhost", "[::1]"] {
            for scheme in ["http", "https"] {
                let start = "\(scheme)://\(host):\(old)"
                guard hasPrefix(start), dropFirst(start.count).first?.isNumber != true else { continue }
                return "\(scheme)://\(host):\(new)" + dropFirst(start.count)
            }
        }
        return self
    }
}
