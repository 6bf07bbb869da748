extension OpenAPIDocument {
    private static let operation: [(String, String)] = [
        ("operation_id", id), ("operation_type", type), ("description", text), ("status", reference("Status")),
        ("started_at", maybeMoment), ("updated_at", moment), ("progress", "{type: number, minimum: 0, maximum: 100}"),
        ("total_size_mb", maybeNumber), ("downloaded_mb", maybeNumber), ("eta_seconds", maybeNumber),
        ("pid", maybeCount),
        ("error", maybeText), ("resource_impact", reference("ResourceImpact")), ("uptime_seconds", maybeNumber),
        ("created_at", moment), ("priority", reference("Priority")), ("parent_id", maybeID), ("phase", maybeText),
        ("message", maybeText), ("pending_request", "{enum: [pause, resume, cancel, null]}"), ("attempt", count),
        ("rewound_mb", maybeNumber), ("completed_units", count), ("total_units", maybeCount),
        ("unit", "{enum: [bytes, items, fraction]}"), ("eta_low_seconds", maybeNumber),
        ("eta_high_seconds", maybeNumber),
        ("eta_basis", maybeText), ("eta_samples", maybeCount), ("eta_overdue", maybeTruth),
        ("finished_at", maybeMoment), ("error_code", maybeText), ("node", maybeText),
        ("bandwidth_limit_bytes_per_second", maybeCount),
    ]

    private static let summary: [(String, String)] = [
        ("operations", list("Operation")), ("total_active", count), ("aggregate_cpu_percent", number),
        ("aggregate_memory_mb", number), ("aggregate_network_mbps", number), ("system_overload_risk", truth),
        ("by_status", "{type: object, additionalProperties: {type: integer}}"),
        ("by_type", "{type: object, additionalProperties: {type: integer}}"),
        ("host", "{oneOf: [\(reference("Host")), {type: 'null'}]}"),
    ]

    private static let verdict = [("overloaded", truth), ("message", text), ("reasons", list("Reason"))]

    private static let machine = [
        ("cpu_percent", maybeNumber), ("memory_percent", maybeNumber), ("memory_used_mb", maybeNumber),
        ("memory_available_mb", maybeNumber), ("disk_percent", maybeNumber), ("disk_used_gb", maybeNumber),
        ("disk_free_gb", maybeNumber),
    ]

    static let operationSchemas = [
        "    Status: {type: string, enum: [pending, in_progress, paused, completed, failed, cancelled]}\n",
        "    Priority: {type: string, enum: [low, normal, high, urgent]}\n",
        object(
            "ResourceImpact",
            [("cpu_percent", maybeNumber), ("memory_mb", maybeNumber), ("network_mbps", maybeNumber)]
        ),
        object("Operation", operation),
        object(
            "OperationDetails",
            operation + [
                ("request", anything), ("result", anything), ("started_by", maybeText), ("phases", list("PhaseTime")),
            ]
        ),
        object("PhaseTime", [("phase", maybeText), ("seconds", number)]),
        object("OperationList", [("operations", list("Operation")), ("count", count)]),
        object("Summary", summary),
        object("Started", [("operation_id", id)]),
        object("Updated", [("updated", "{const: true}")]),
        object("Completed", [("completed", "{const: true}"), ("durable", truth)]),
        object("Overload", verdict + [("resource_summary", reference("Summary"))]),
        object("Reason", [("code", text), ("message", text)]),
        object("HistoryPage", [("operations", list("Operation")), ("next_cursor", maybeText)]),
        object("StatisticsList", [("statistics", list("Statistics"))]),
        object(
            "Statistics",
            [
                ("operation_type", type), ("count", count), ("completed", count), ("failed", count),
                ("cancelled", count),
                ("success_share", maybeNumber), ("p50_seconds", maybeNumber), ("p90_seconds", maybeNumber),
                ("p99_seconds", maybeNumber), ("mean_bytes_per_second", maybeNumber),
                ("estimates", count), ("estimate_coverage", maybeNumber), ("estimate_log_error", maybeNumber),
                ("recent_estimates", count), ("recent_estimate_coverage", maybeNumber),
                ("recent_estimate_log_error", maybeNumber),
            ]
        ),
        object(
            "Wish",
            [
                ("operation_id", id), ("status", reference("Status")),
                ("pending_request", "{enum: [pause, resume, cancel, null]}"),
            ]
        ),
        object("Submitted", [("operation_id", id), ("joined", truth), ("warning", maybeText)]),
    ].joined()

    static let otherSchemas = [
        request(
            "StartRequest",
            hereOrInQuery: ["operation_type"],
            [
                ("operation_type", type), ("description", shortText), ("total_size_mb", number(upTo: "8589934592")),
                ("pid", "{type: [integer, 'null'], minimum: 1, maximum: 2147483647}"), ("operation_id", maybeID),
            ]
        ),
        request(
            "UpdateRequest",
            [
                ("progress", number(upTo: "100")), ("downloaded_mb", number(upTo: "8589934592")),
                ("status", "{enum: [pending, in_progress, paused, completed, failed, cancelled, null]}"),
                ("error", shortText), ("resource_impact", "{oneOf: [\(reference("ImpactRequest")), {type: 'null'}]}"),
            ]
        ),
        request(
            "ImpactRequest",
            [
                ("cpu_percent", number(upTo: "1000000")), ("memory_mb", number(upTo: "8589934592")),
                ("network_mbps", number(upTo: "1000000")),
            ]
        ),
        request("CompleteRequest", [("error", shortText)]),
        request(
            "RunRequest",
            hereOrInQuery: ["operation_type"],
            [
                ("operation_type", type), ("request", "{type: [object, 'null']}"),
                ("priority", "{enum: [low, normal, high, urgent, null]}"),
            ]
        ),
        request("PriorityRequest", hereOrInQuery: ["priority"], [("priority", reference("Priority"))]),
        request(
            "LimitRequest",
            hereOrInQuery: ["bytes_per_second"],
            [("bytes_per_second", "{type: [integer, 'null'], minimum: 1, maximum: 1125899906842624}")]
        ),
        request(
            "PullRequest",
            hereOrInQuery: ["model"],
            [("model", "{type: string, minLength: 1, maxLength: 512, pattern: '^[^\\u0000]*$'}")]
        ),
        request(
            "SeedRequest",
            [
                ("categories", "{type: [object, 'null'], additionalProperties: {type: array, items: {type: string}}}"),
                ("per_term", "{type: [integer, 'null'], minimum: 1, maximum: 5}"),
            ]
        ),
        request("EmptyRequest", []),
        object("ProviderList", [("providers", list("Provider")), ("missing", list("MissingProvider"))]),
        object("MissingProvider", [("operation_type", type), ("reason", text)]),
        object(
            "Provider",
            [
                ("operation_type", type), ("may_be_started", truth),
                ("pausing", "{enum: [in_place, by_restart, unsupported]}"), ("resume_cost", maybeText),
                ("is_unique", truth), ("is_throttleable", truth), ("unit", "{enum: [bytes, items, fraction]}"),
                ("request_example", anything),
            ]
        ),
        object("EventPage", [("events", list("Event")), ("next_cursor", maybeText)]),
        object(
            "Event",
            [
                ("timestamp", moment), ("event_type", text), ("details", maybeText), ("actor", text),
                ("operation_id", maybeID),
            ]
        ),
        object(
            "Host",
            [
                ("cpu_percent", maybeNumber), ("cpu_percent_of_all_cores", maybeNumber), ("core_count", count),
                ("available_cores", number), ("memory_total_mb", maybeNumber), ("memory_available_mb", maybeNumber),
                ("disk_total_mb", maybeNumber), ("disk_available_mb", maybeNumber),
                ("network_receive_mbps", maybeNumber),
                ("network_transmit_mbps", maybeNumber),
                ("load_average", "{type: [array, 'null'], items: {type: number}}"),
                ("cpu_pressure_percent", maybeNumber),
                ("memory_pressure_percent", maybeNumber), ("io_pressure_percent", maybeNumber),
                ("container_memory_limit_mb", maybeNumber), ("container_cores", maybeNumber),
            ]
        ),
        object(
            "Resources",
            [("timestamp", moment)] + machine + [
                ("active_operations", count), ("aggregate_cpu_percent", number), ("aggregate_memory_mb", number),
                ("aggregate_network_mbps", number),
            ] + verdict + [("host", reference("Host"))]
        ),
        object("ResourceHistory", [("history", list("ResourcePoint"))]),
        object(
            "ResourcePoint",
            [("timestamp", moment)] + machine + [
                ("network_receive_mbps", maybeNumber), ("network_transmit_mbps", maybeNumber),
                ("cpu_pressure_percent", maybeNumber), ("memory_pressure_percent", maybeNumber),
                ("io_pressure_percent", maybeNumber), ("active_operations", count),
                ("aggregate_cpu_percent", maybeNumber), ("aggregate_memory_mb", maybeNumber),
                ("aggregate_network_mbps", maybeNumber),
            ]
        ),
        object("Session", [("authenticated", "{const: true}"), ("expires_in_seconds", maybeCount)]),
        object(
            "Health",
            [
                ("status", "{enum: [ok, degraded, stopping]}"), ("reason", maybeText), ("active_operations", count),
                ("streams", count),
            ]
        ),
        object(
            "Problem",
            [
                ("type", "{const: 'about:blank'}"), ("title", text),
                ("status", "{type: integer, minimum: 400, maximum: 599}"),
                ("detail", text), ("code", text),
            ]
        ),
    ].joined()
}
