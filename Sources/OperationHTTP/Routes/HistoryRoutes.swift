#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
package import OperationTracking

extension APIContext {
    var historyRoutes: [APIRoute] {
        [
            .later("GET", Self.root + "/history", page),
            .later("GET", Self.root + "/history/statistics", statistics),
            .later("GET", "/api/ports/events", events),
        ]
    }

    private static let longestCursor = 64

    private func page(_ call: APICall) async throws -> APIResponse {
        let parameters = call.parameters
        var query = HistoryQuery(limit: Int(try parameters.integer("limit", in: 1...1000) ?? 100))
        query.types = Set(try types(in: parameters))
        query.statuses = Set(
            try parameters.list("status").map { (name) throws(APIProblem) in
                guard let status = OperationStatus(rawValue: name) else {
                    throw .invalid(
                        "status holds a name that is none of pending, in_progress, paused, completed, failed, cancelled."
                    )
                }
                return status
            }
        )
        query.text = try parameters.text("text", limit: Self.longestText)
        query.since = try parameters.moment("since")
        query.before = try parameters.moment("before")
        query.parent = try id("parent", in: parameters)
        query.cursor = try parameters.text("cursor", limit: Self.longestCursor)
        var page = try await history().page(query)
        page.records = page.records.map { $0.read(at: now) }
        return .list(page.jsonBytes(), to: call.request)
    }

    private func statistics(_ call: APICall) async throws -> APIResponse {
        let types = try types(in: call.parameters)
        let figures = try await history().statistics(types: types.isEmpty ? nil : Set(types))
        var json = JSONWriter(capacity: 256 + 256 * figures.count)
        json.beginObject()
        json.key("statistics")
        json.beginArray()
        for figure in figures { figure.write(to: &json) }
        json.endArray()
        json.endObject()
        return .list(json.bytes, to: call.request)
    }

    private func events(_ call: APICall) async throws -> APIResponse {
        let limit = Int(try call.parameters.integer("limit", in: 1...1000) ?? 50)
        let cursor = try call.parameters.text("cursor", limit: Self.longestCursor)
        let operation = try id("operation_id", in: call.parameters)
        guard let log = try history() as? any AuditLog else {
            throw APIProblem(404, "no_audit_log", "This server's history keeps no audit log.")
        }
        let page = try await log.auditEntries(of: operation, cursor: cursor, limit: limit)
        var json = JSONWriter(capacity: 256 + 256 * page.entries.count)
        json.beginObject()
        json.key("events")
        json.beginArray()
        for entry in page.entries { entry.write(to: &json) }
        json.endArray()
        json.key("next_cursor")
        json.value(page.nextCursor)
        json.endObject()
        return .list(json.bytes, to: call.request)
    }

    private func history() throws(APIProblem) -> any HistoryStore {
        guard let history = tracker.history else {
            throw APIProblem(404, "no_history", "This server keeps no history: start it with a data directory.")
        }
        return history
    }

    private func id(_ name: String, in parameters: APIParameters) throws(APIProblem) -> OperationID? {
        try parameters.text(name, limit: 63).map { (text) throws(APIProblem) in
            guard let id = OperationID(rawValue: text) else { throw .invalid("\(name) is not the id of an operation.") }
            return id
        }
    }

    private func types(in parameters: APIParameters) throws(APIProblem) -> [OperationType] {
        try parameters.list("type").map { (name) throws(APIProblem) in
            guard let type = OperationType(rawValue: name) else {
                throw .invalid("type holds a name that is not a letter a to z, then letters, digits or _.")
            }
            return type
        }
    }
}

extension HistoryStatistics {
    fileprivate func write(to json: inout JSONWriter) {
        json.beginObject()
        json.key("operation_type")
        json.value(type.rawValue)
        json.key("count")
        json.value(count)
        json.key("completed")
        json.value(completed)
        json.key("failed")
        json.value(failed)
        json.key("cancelled")
        json.value(cancelled)
        json.key("success_share")
        json.value(successShare, decimals: 4)
        json.key("p50_seconds")
        json.value(p50Seconds)
        json.key("p90_seconds")
        json.value(p90Seconds)
        json.key("p99_seconds")
        json.value(p99Seconds)
        json.key("mean_bytes_per_second")
        json.value(meanBytesPerSecond)
        json.key("estimates")
        json.value(accuracy.count)
        json.key("estimate_coverage")
        json.value(accuracy.coverage, decimals: 4)
        json.key("estimate_log_error")
        json.value(accuracy.meanLogError, decimals: 4)
        json.key("recent_estimates")
        json.value(recentAccuracy.count)
        json.key("recent_estimate_coverage")
        json.value(recentAccuracy.coverage, decimals: 4)
        json.key("recent_estimate_log_error")
        json.value(recentAccuracy.meanLogError, decimals: 4)
        json.endObject()
    }
}

extension AuditEntry {
    package func write(to json: inout JSONWriter) {
        json.beginObject()
        json.key("timestamp")
        json.value(milliseconds: at.milliseconds)
        json.key("event_type")
        json.value(action)
        json.key("details")
        json.value(detail)
        json.key("actor")
        json.value(actor)
        json.key("operation_id")
        json.value(operationID?.rawValue)
        json.endObject()
    }
}
