import OperationHTTP

extension OpenAPIDocument {
    /// The paths of services.
    static let servicePaths = [
        get("/api/ports/version", "getVersion", "The version of this API", "Version"),
        get("/api/ports/status", "getServices", "How every service is", "ServiceList"),
        get(
            "/api/ports/dashboard",
            "getServiceDashboard",
            "Services, conflicts, the machine and what happened last",
            "ServiceDashboard"
        ),
        get("/api/ports/processes", "listServiceProcesses", "The services' own processes", "ServiceProcessList"),
        get(
            "/api/ports/conflicts",
            "listConflicts",
            "Ports that another process holds than its service's",
            "ConflictList"
        ),
        get(
            "/api/ports/env-script",
            "getEnvironmentScript",
            "The services' ports as lines for a shell",
            "EnvironmentScript"
        ),
        availablePath,
        post(
            "/api/ports/start",
            "startService",
            "Start a service, and wait until it answers",
            "StartServiceRequest",
            "ServiceState"
        ),
        post("/api/ports/stop", "stopService", "Stop a service", "StopServiceRequest", "ServiceState"),
        post(
            "/api/ports/restart",
            "restartService",
            "Stop a service, or end what holds its port, and start it",
            "RestartServiceRequest",
            "ServiceState"
        ),
        post("/api/ports/kill", "killPortHolder", "End what holds a service's port", "KillRequest", "FreedPort"),
        post(
            "/api/ports/heal",
            "healConflicts",
            "End what holds services' ports in their place, and start the services",
            "HealRequest",
            "Healed"
        ),
        post(
            "/api/ports/register",
            "registerService",
            "Register a service; that gives no right to end what holds its port",
            "RegisterRequest",
            "ServiceDone"
        ),
        unregisterPath,
        post(
            "/api/ports/reassign",
            "reassignService",
            "Give a service that was registered here another port",
            "ReassignRequest",
            "ServiceReassigned"
        ),
        post(
            "/api/ports/monitor/start",
            "startMonitor",
            "Look at services from time to time, and note changes",
            "MonitorRequest",
            "MonitorStarted"
        ),
        post("/api/ports/monitor/stop", "stopMonitor", "Look at services no more", nil, "MonitorStopped"),
        post(
            "/api/self-heal/port-conflicts",
            "checkPortConflicts",
            "Who holds the ports of services, and what can be done about it",
            nil,
            "PortConflicts"
        ),
        post(
            "/api/self-heal/port-conflicts/kill",
            "killPortConflict",
            "End the process that holds a service's port",
            "KillConflictRequest",
            "FreedPort"
        ),
        post(
            "/api/self-heal/port-conflicts/restart",
            "restartConflictedService",
            "End what holds a service's port, and start the service",
            "RestartConflictRequest",
            "ServiceState"
        ),
        get("/api/self-heal/status", "getSelfHealStatus", "What is wrong, and what to do about it", "SelfHealStatus"),
        get("/api/self-heal/strategies", "listStrategies", "The ways to put services right", "StrategyList"),
        post(
            "/api/self-heal/recover",
            "recover",
            "Follow a strategy, or look what it would do",
            "RecoverRequest",
            "Recovery"
        ),
    ].joined()

    private static func get(_ path: String, _ id: String, _ summary: String, _ schema: String) -> String {
        """
          \(path):
            get:
              summary: \(summary)
              operationId: \(id)
              tags: [services]
              responses:
        \(json(schema, "The answer."))\(refusals(400, 401, 403, 503))
        """
    }

    private static func post(
        _ path: String,
        _ id: String,
        _ summary: String,
        _ request: String?,
        _ schema: String
    ) -> String {
        """
          \(path):
            post:
              summary: \(summary)
              operationId: \(id)
              tags: [services]
        \(request.map { body($0, isRequired: !["HealRequest", "MonitorRequest"].contains($0)) } ?? "")\
              responses:
        \(json(schema, "It is done."))\(refusals(400, 401, 403, 404, 409, 413, 415, 422, 503))
        """
    }

    private static let availablePath = """
          /api/ports/available:
            get:
              summary: A port that no service has and nobody listens on
              operationId: getAvailablePort
              tags: [services]
              parameters:
                - name: start
                  in: query
                  description: Where to begin.
                  schema: {type: integer, minimum: 1, maximum: 65535, default: 8000}
              responses:
        \(json("AvailablePort", "The port."))\(refusals(400, 401, 403, 409, 422, 503))
        """

    private static let unregisterPath = """
          /api/ports/unregister/{name}:
            parameters:
              - name: name
                in: path
                required: true
                description: The service's name.
                schema: {type: string, pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'}
            delete:
              summary: Take out a service that was registered while a program ran
              operationId: unregisterService
              tags: [services]
              responses:
        \(json("ServiceDone", "It is out."))\(refusals(400, 401, 403, 404, 409, 413, 415, 422, 503))
        """
}
