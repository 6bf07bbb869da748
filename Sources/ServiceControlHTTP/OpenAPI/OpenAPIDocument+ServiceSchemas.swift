import OperationHTTP

extension OpenAPIDocument {
    private static let port = "{type: integer, minimum: 1, maximum: 65535}"
    private static let maybePort = "{type: [integer, 'null'], minimum: 1, maximum: 65535}"
    private static let maybePID = "{type: [integer, 'null'], minimum: 1, maximum: 2147483647}"
    private static let success = "{const: true}"
    private static let serviceStatus = "{enum: [running, stopped, failed, port_conflict, unknown]}"
    private static let anyServiceName = "{type: string, maxLength: 64, pattern: '^[^\\u0000]*$'}"
    private static let timeout = "{type: [number, 'null'], minimum: 1, maximum: 600}"
    private static let command = "{type: [string, 'null'], minLength: 1, maxLength: 4096, pattern: '^[^\\u0000]*$'}"

    private static let bothNamed =
        "With `pid` and `expected`, `pid` is one of those in `expected`, and it alone may be ended."

    /// The schemas of services.
    static let serviceSchemas = requests + reports + conflicts + outcomes

    private static let requests = [
        request(
            "StartServiceRequest",
            required: ["service_name"],
            [("service_name", anyServiceName), ("timeout", timeout)]
        ),
        request(
            "StopServiceRequest",
            required: ["service_name"],
            description: bothNamed,
            [("service_name", anyServiceName), ("pid", maybePID), ("expected", expectedHolders)]
        ),
        request(
            "RestartServiceRequest",
            required: ["service_name"],
            description: bothNamed,
            [
                ("service_name", anyServiceName), ("timeout", timeout), ("pid", maybePID),
                ("expected", expectedHolders),
            ]
        ),
        request(
            "KillRequest",
            required: ["service_name"],
            description: bothNamed,
            [("service_name", anyServiceName), ("pid", maybePID), ("expected", expectedHolders)]
        ),
        request(
            "KillConflictRequest",
            required: ["service"],
            description: "Needs `pid`, here or in the query, or `expected`. \(bothNamed)",
            [("service", anyServiceName), ("pid", maybePID), ("expected", expectedHolders)]
        ),
        request(
            "RestartConflictRequest",
            required: ["service"],
            description: bothNamed,
            [("service", anyServiceName), ("timeout", timeout), ("pid", maybePID), ("expected", expectedHolders)]
        ),
        request(
            "RegisterRequest",
            required: ["name", "port"],
            [
                ("name", "{type: string, pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'}"), ("port", port),
                ("description", shortText),
                ("environment", "{enum: [production, development, experimental, null]}"),
                (
                    "process_name",
                    "{type: [string, 'null'], minLength: 1, maxLength: 255, pattern: '^[^\\u0000-\\u001f]*$'}"
                ),
                ("startup_cmd", command), ("shutdown_cmd", command),
                ("health_endpoint", "{type: [string, 'null'], maxLength: 2048, pattern: '^(/|https?://)[!-~]*$'}"),
                ("enabled", maybeTruth),
            ]
        ),
        request(
            "ReassignRequest",
            required: ["service_name"],
            [("service_name", anyServiceName), ("port", maybePort)]
        ),
        request("MonitorRequest", [("interval", "{type: [number, 'null'], minimum: 1, maximum: 86400}")]),
        request(
            "RecoverRequest",
            required: ["strategy"],
            [
                ("strategy", "{enum: [port_conflicts, failed_services, stopped_services]}"),
                ("dry_run", "{type: [boolean, 'null'], default: true}"), ("expected", expectedHolders),
                ("operation_id", operationName),
            ]
        ),
        request(
            "HealRequest",
            [
                ("dry_run", "{type: [boolean, 'null'], default: false}"), ("expected", expectedHolders),
                ("operation_id", operationName),
            ]
        ),
    ].joined()

    /// The name that the operation is to have, by which it can be cancelled.
    private static let operationName = "{type: [string, 'null'], pattern: '^op_[A-Za-z0-9_-]{1,60}$'}"

    /// A process as it was seen: its pid, and when it started.
    private static let seenProcess = "{type: string, pattern: '^[1-9][0-9]{0,8}@[0-9]{1,19}$'}"
    private static let seenProcesses = "{type: array, items: \(seenProcess)}"

    /// For each service that may be put right, the processes that may be ended, as a dry run's actions, the list of conflicts and a
    /// service's status have them. Where one service is named beside it, its own list alone counts.
    private static let expectedHolders = """
        {type: [object, 'null'], maxProperties: 256, \
        additionalProperties: {type: array, maxItems: 4096, items: {anyOf: [{type: integer, minimum: 1, maximum: 2147483647}, \(seenProcess)]}}}
        """

    private static let reports = [
        object("Version", [("version", text)]),
        object(
            "ServiceList",
            [
                ("version", text),
                ("services", "{type: object, additionalProperties: \(reference("Service"))}"), ("report", text),
                ("monitoring", truth), ("registry", reference("Registry")),
            ]
        ),
        object(
            "Service",
            [
                ("name", text), ("port", maybePort), ("environment", "{enum: [production, development, experimental]}"),
                ("description", text), ("enabled", truth), ("registered_by", maybeText), ("startup_cmd", maybeText),
                ("health_endpoint", maybeText), ("status", serviceStatus), ("detail", maybeText), ("pid", maybePID),
                ("pids", "{type: array, items: {type: integer}}"), ("holders", seenProcesses),
                ("supervisor", maybeText), ("expected_process", maybeText), ("actual_process", maybeText),
                ("started_here", truth),
                ("healthy", maybeTruth),
            ]
        ),
        object(
            "Registry",
            [("path", text), ("problem", maybeText), ("warnings", "{type: array, items: {type: string}}")]
        ),
        object(
            "ServiceDashboard",
            [
                ("version", text), ("timestamp", moment), ("resources", reference("Resources")),
                ("services", reference("ServicesByStatus")), ("conflicts", list("OccupiedPort")),
                ("events", list("Event")), ("managed_processes", list("ServiceProcess")),
                ("totals", reference("ServiceTotals")),
            ]
        ),
        object(
            "ServicesByStatus",
            ["running", "stopped", "failed", "conflict", "unknown"].map { ($0, list("Service")) }
        ),
        object("ServiceTotals", ["services", "running", "stopped", "conflicts"].map { ($0, count) }),
        object("ServiceProcessList", [("processes", list("ServiceProcess"))]),
        object(
            "ServiceProcess",
            [
                ("service_name", text), ("pid", count), ("port", maybePort), ("process", text), ("started_at", moment),
                ("started_here", truth), ("cmd", maybeText), ("working_dir", maybeText), ("cpu_percent", maybeNumber),
                ("memory_mb", maybeNumber), ("status", serviceStatus), ("uptime_seconds", number),
                ("supervisor", maybeText),
            ]
        ),
        object("EnvironmentScript", [("script", text)]),
        object("AvailablePort", [("port", port)]),
    ].joined()

    private static let conflicts = [
        object("ConflictList", [("conflicts", list("OccupiedPort")), ("has_conflicts", truth)]),
        object("OccupiedPort", [("service", text), ("port", port), ("occupant", reference("Occupant"))]),
        object(
            "Occupant",
            [("pid", maybePID), ("process", maybeText), ("port", port), ("supervisor", maybeText)]
        ),
        object(
            "PortConflicts",
            [("conflicts", list("PortConflict")), ("total", count), ("requires_attention", truth)]
        ),
        object(
            "PortConflict",
            [
                ("service", text), ("port", port), ("expected_process", maybeText), ("actual_process", maybeText),
                ("pid", maybePID), ("is_correct", truth), ("can_kill", truth), ("can_restart", truth),
                ("holders", list("PortHolder")), ("held_by", text), ("reason", maybeText), ("supervisor", maybeText),
            ]
        ),
        object("PortHolder", [("pid", count), ("process", seenProcess), ("name", text), ("is_correct", truth)]),
        object(
            "SelfHealStatus",
            [
                ("healthy", truth), ("conflicts", count), ("failed_services", "{type: array, items: {type: string}}"),
                ("registry", reference("Registry")), ("history", reference("HistoryState")),
                ("overload", reference("OverloadState")), ("next_steps", "{type: array, items: {type: string}}"),
            ]
        ),
        object("HistoryState", [("status", "{enum: [ok, degraded]}"), ("reason", maybeText)]),
        object("OverloadState", [("overloaded", truth), ("message", text), ("reasons", list("Reason"))]),
    ].joined()

    private static let outcomes = [
        object(
            "ServiceState",
            [
                ("success", success), ("message", text), ("service", text), ("status", serviceStatus),
                ("pid", maybePID), ("port", maybePort),
            ]
        ),
        object(
            "FreedPort",
            [
                ("success", success), ("message", text), ("service", text), ("port", port), ("pid", maybePID),
                ("ended", "{type: array, items: {type: integer}}"), ("left", "{type: array, items: {type: integer}}"),
                ("forced", truth), ("supervisor", maybeText),
            ]
        ),
        object(
            "Healed",
            [
                ("success", truth), ("message", text),
                ("healed", "{type: object, additionalProperties: {type: boolean}}"), ("steps", list("RecoveryStep")),
            ]
        ),
        object(
            "RecoveryStep",
            [
                ("service", text), ("action", "{enum: [kill, start, restart, none]}"), ("reason", text),
                ("outcome", "{enum: [planned, done, failed, skipped]}"),
                ("holders", seenProcesses), ("pids", "{type: array, items: {type: integer}}"),
                ("supervisor", maybeText),
            ]
        ),
        object(
            "Recovery",
            [("success", truth), ("summary", reference("RecoverySummary")), ("actions", list("RecoveryStep"))]
        ),
        object(
            "RecoverySummary",
            [
                ("strategy", "{enum: [port_conflicts, failed_services, stopped_services]}"), ("dry_run", truth),
                ("steps", count), ("done", count), ("message", text),
            ]
        ),
        object(
            "StrategyList",
            [
                ("success", success), ("count", count),
                ("strategies", "{type: object, additionalProperties: \(reference("Strategy"))}"),
            ]
        ),
        object(
            "Strategy",
            [("description", text), ("steps", "{type: array, items: {enum: [kill, start, restart]}}")]
        ),
        object("ServiceDone", [("success", success), ("service", text)]),
        object("ServiceReassigned", [("success", success), ("service", text), ("port", port)]),
        object("MonitorStarted", [("started", success), ("interval", number)]),
        object("MonitorStopped", [("stopped", success)]),
    ].joined()
}
