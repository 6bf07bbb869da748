import OperationHTTP
import OperationTracking
import ServiceControl

/// What extensions register, and looking at services from time to time.
extension ServiceRoutes {
    var registeringRoutes: [APIRoute] {
        [
            route("POST", Self.root + "/register", register),
            route("DELETE", Self.root + "/unregister/{name}") { call in
                let name = call.captures["name"] ?? ""
                try await services.unregister(name, by: call.actor)
                return Self.done(name)
            },
            route("POST", Self.root + "/reassign", reassign),
            route("POST", Self.root + "/monitor/start", startMonitor),
            route("POST", Self.root + "/monitor/stop") { _ in
                await services.stopMonitoring()
                return .json { json in
                    json.key("stopped")
                    json.value(true)
                }
            },
        ]
    }

    private func register(_ call: APICall) async throws -> APIResponse {
        let given = call.parameters
        guard let port = try given.port("port") else {
            throw APIProblem.invalid("port is missing: send the port that the service listens on.")
        }
        let service = ServiceDefinition(
            name: try given.serviceName("name"),
            port: port,
            environment: try given.choice("environment") ?? .development,
            processName: try given.text("process_name", limit: 255),
            description: try given.text("description", limit: 1000) ?? "",
            startupCommand: try given.text("startup_cmd", limit: 4096).map { .shell($0) },
            shutdownCommand: try given.text("shutdown_cmd", limit: 4096).map { .shell($0) },
            healthEndpoint: try given.text("health_endpoint", limit: 2048),
            isEnabled: try given.flag("enabled") ?? true
        )
        try await services.register(service, by: call.actor)
        return Self.done(service.name)
    }

    private func reassign(_ call: APICall) async throws -> APIResponse {
        let name = try call.parameters.serviceName("service_name")
        let wanted = try call.parameters.port("port")
        // Whoever could move a port of the file's could choose what may be killed.
        guard try services.registry.service(name).registeredBy != nil else {
            throw APIProblem(
                403,
                "not_permitted",
                "\(name) was put into \(services.registry.path) by hand, so its port is changed there: what holds it may be ended."
            )
        }
        let port = try await services.reassign(name, to: wanted, by: call.actor)
        return Self.done(name, port: port)
    }

    private func startMonitor(_ call: APICall) async throws -> APIResponse {
        let interval = try call.parameters.number("interval", in: 1...86400) ?? 60
        // So that another interval than before is taken.
        await services.stopMonitoring()
        await services.startMonitoring(every: .seconds(interval))
        return .json { json in
            json.key("started")
            json.value(true)
            json.key("interval")
            json.value(interval)
        }
    }

    private static func done(_ name: String, port: UInt16? = nil) -> APIResponse {
        .json { json in
            json.key("success")
            json.value(true)
            json.key("service")
            json.value(name)
            if let port {
                json.key("port")
                json.value(port)
            }
        }
    }
}
