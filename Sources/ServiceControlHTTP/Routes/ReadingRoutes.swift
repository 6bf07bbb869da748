import OperationHTTP
import OperationTracking
import ServiceControl

/// How services are, and who holds their ports.
extension ServiceRoutes {
    var readingRoutes: [APIRoute] {
        [
            route("GET", Self.root + "/version") { _ in
                .json { json in
                    json.key("version")
                    json.value(OperationAPI.version)
                }
            },
            route("GET", Self.root + "/status", status),
            route("GET", Self.root + "/dashboard", dashboard),
            route("GET", Self.root + "/processes", processes),
            route("GET", Self.root + "/conflicts", conflicts),
            route("GET", Self.root + "/env-script") { _ in
                .json { json in
                    json.key("script")
                    json.value(services.environmentScript)
                }
            },
            route("GET", Self.root + "/available", available),
        ]
    }

    private func status(_ call: APICall) async throws -> APIResponse {
        let reports = try await services.status()
        let isMonitoring = await services.isMonitoring
        return try .json(capacity: 256 + 512 * reports.count) { json in
            json.key("version")
            json.value(OperationAPI.version)
            json.key("services")
            json.beginObject()
            for report in reports {
                json.outsideKey(report.service.name)
                try json.encode(report)
            }
            json.endObject()
            json.key("report")
            json.value(reports.map(\.line).joined(separator: "\n"))
            json.key("monitoring")
            json.value(isMonitoring)
            json.key("registry")
            services.registry.write(to: &json)
        }
    }

    private func dashboard(_ call: APICall) async throws -> APIResponse {
        let reports = try await services.status()
        let groups = Dictionary(grouping: reports, by: \.status)
        let conflicts = try await services.conflicts().conflicts.filter { !$0.isCorrect }
        let resources = await tracker.resourcesJSON()
        let events = try await (tracker.history as? any AuditLog)?.auditEntries(cursor: nil, limit: 10).entries ?? []
        return try .json(capacity: 4096) { json in
            json.key("version")
            json.value(OperationAPI.version)
            json.key("timestamp")
            json.value(milliseconds: tracker.clock.wallMilliseconds)
            json.key("resources")
            json.embed(resources)
            json.key("services")
            json.beginObject()
            for status in ServiceStatus.allCases {
                json.outsideKey(status == .portConflict ? "conflict" : status.rawValue)
                try json.encode(groups[status] ?? [])
            }
            json.endObject()
            json.key("conflicts")
            conflicts.writeOccupants(to: &json)
            json.key("events")
            json.beginArray()
            for event in events { event.write(to: &json) }
            json.endArray()
            json.key("managed_processes")
            write(reports, to: &json)
            json.key("totals")
            json.beginObject()
            json.key("services")
            json.value(reports.count)
            json.key("running")
            json.value(groups[.running]?.count ?? 0)
            json.key("stopped")
            json.value(groups[.stopped]?.count ?? 0)
            json.key("conflicts")
            json.value(conflicts.count)
            json.endObject()
        }
    }

    private func processes(_ call: APICall) async throws -> APIResponse {
        let reports = try await services.status()
        return .json(capacity: 512 * reports.count) { json in
            json.key("processes")
            write(reports, to: &json)
        }
    }

    private func conflicts(_ call: APICall) async throws -> APIResponse {
        let conflicts = try await services.conflicts().conflicts.filter { !$0.isCorrect }
        return .json { json in
            json.key("conflicts")
            conflicts.writeOccupants(to: &json)
            json.key("has_conflicts")
            json.value(!conflicts.isEmpty)
        }
    }

    private func available(_ call: APICall) async throws -> APIResponse {
        let start = try call.parameters.port("start") ?? 8000
        let port = try await services.availablePort(from: start)
        return .json { json in
            json.key("port")
            json.value(port)
        }
    }
}

// MARK: - Processes

extension ServiceRoutes {
    /// The services' own processes, with what they use.
    private func write(_ reports: [ServiceReport], to json: inout JSONWriter) {
        let running = reports.filter { $0.process != nil && $0.status != .portConflict }
        let now = tracker.clock.wallMilliseconds
        let impacts = meter.impacts(
            of: running.compactMap { $0.process?.identity },
            at: tracker.clock.monotonicNanoseconds
        )
        json.beginArray()
        for report in running {
            guard let process = report.process else { continue }
            let startedAt = process.identity.startedAt
            json.beginObject()
            json.key("service_name")
            json.value(report.service.name)
            json.key("pid")
            json.value(process.identity.pid)
            json.key("port")
            json.value(report.service.port)
            json.key("process")
            json.value(process.name)
            json.key("started_at")
            json.value(milliseconds: startedAt)
            json.key("started_here")
            json.value(report.wasStartedHere)
            json.key("cmd")
            json.value(process.command.isEmpty ? nil : process.command.joined(separator: " "))
            json.key("working_dir")
            json.value(process.workingDirectory)
            json.key("cpu_percent")
            json.value(impacts[process.identity]?.cpuPercent)
            json.key("memory_mb")
            json.value(impacts[process.identity]?.memoryBytes.map { Double($0) / 1_048_576 })
            json.key("status")
            json.value(report.status.rawValue)
            json.key("uptime_seconds")
            json.value(Double(max(0, now - startedAt)) / 1000)
            json.key("supervisor")
            json.value(process.supervisor?.description)
            json.endObject()
        }
        json.endArray()
    }
}
