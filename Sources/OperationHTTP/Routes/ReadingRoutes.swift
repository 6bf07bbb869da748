import OperationTracking

extension APIContext {
    var readingRoutes: [APIRoute] {
        [
            .now("GET", Self.root, list),
            .later("GET", Self.root + "/summary", now: summary, measuredSummary),
            .later("GET", Self.root + "/{id}", now: operation, pastOperation),
            .later("GET", Self.root + "/check-overload", checkOverload),
            .later("POST", Self.root + "/check-overload", checkOverload),
            .now("GET", "/health", access: .open, health),
        ]
    }

    private func list(_ call: APICall) -> APIResponse {
        var json = JSONWriter(capacity: 64 + tracker.activeOperationsSize)
        json.beginObject()
        json.key("operations")
        var state = Hasher()
        let count = tracker.writeActiveOperations(to: &json) { state.combine($0.atStandstill) }
        json.key("count")
        json.value(count)
        json.endObject()
        return .list(json.bytes, tag: EntityTag.weak(state), to: call.request)
    }

    /// Answered at once while the figures are fresh, which they are whenever anything runs.
    private func summary(_ call: APICall) -> APIResponse? {
        tracker.recentAssessment.map(summary)
    }

    private func measuredSummary(_ call: APICall) async -> APIResponse {
        summary(await tracker.assessOverload())
    }

    private func summary(_ assessment: OverloadAssessment) -> APIResponse {
        .json(capacity: 2048 + tracker.activeOperationsSize) { writeSummary(assessment, to: &$0) }
    }

    private func writeSummary(_ assessment: OverloadAssessment, to json: inout JSONWriter) {
        let summary = tracker.summary
        json.key("operations")
        let count = tracker.writeActiveOperations(to: &json)
        json.key("total_active")
        json.value(count)
        json.key("aggregate_cpu_percent")
        json.value(summary.cpuPercent)
        json.key("aggregate_memory_mb")
        json.value(summary.memoryBytes.megabytes)
        json.key("aggregate_network_mbps")
        json.value(summary.networkBitsPerSecond / 1e6)
        json.key("system_overload_risk")
        json.value(assessment.isOverloaded)
        json.key("by_status")
        json.beginObject()
        for status in OperationStatus.allCases {
            json.outsideKey(status.rawValue)
            json.value(summary[status])
        }
        json.endObject()
        json.key("by_type")
        json.beginObject()
        for (type, count) in summary.activeByType.sorted(by: { $0.key < $1.key }) {
            json.outsideKey(type.rawValue)
            json.value(count)
        }
        json.endObject()
        json.key("host")
        json.embed(assessment.host.map(encodedHost.json))
    }

    private func operation(_ call: APICall) throws -> APIResponse? {
        try tracker.currentRecord(id(in: call)).map { .json($0.jsonBytes()) }
    }

    private func pastOperation(_ call: APICall) async throws -> APIResponse {
        try await .json(record(ofUnknown: id(in: call)).jsonBytes())
    }

    private func checkOverload(_ call: APICall) async -> APIResponse {
        let assessment = await tracker.assessOverload()
        return .json(capacity: 2048 + tracker.activeOperationsSize) { json in
            assessment.writeVerdict(to: &json)
            json.key("resource_summary")
            json.beginObject()
            writeSummary(assessment, to: &json)
            json.endObject()
        }
    }

    /// A server that stops is no place to send new work, which is what a load balancer asks for.
    private func health(_ call: APICall) -> APIResponse {
        let health = tracker.history?.health ?? .ok
        let isStopping = hub.isStopping
        return .json(status: isStopping ? 503 : 200) { json in
            if isStopping {
                json.key("status")
                json.value("stopping")
                json.key("reason")
                json.value(APIProblem.stopping.detail)
            } else {
                health.writeFields(to: &json)
            }
            json.key("active_operations")
            json.value(tracker.summary.totalActive)
            json.key("streams")
            json.value(hub.clientCount)
        }
    }
}

extension BackgroundOperation {
    /// Without what changes by the mere passing of time: a list that is asked for every second is sent again when there is news.
    fileprivate var atStandstill: BackgroundOperation {
        var operation = self
        operation.activeSeconds = nil
        operation.remaining = nil
        return operation
    }
}
