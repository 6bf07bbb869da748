import OperationTracking

extension APIContext {
    var streamRoutes: [APIRoute] {
        [
            .now("GET", Self.root + "/stream", stream),
            .later("GET", Self.root + "/{id}/stream", streamOfOne),
        ]
    }

    private func stream(_ call: APICall) throws -> APIResponse {
        guard call.request.method != "HEAD" else { return .events(nil) }
        return .events(try hub.subscribe(after: call.request.header("Last-Event-ID")))
    }

    private func streamOfOne(_ call: APICall) async throws -> APIResponse {
        let record = try await record(ofUnknown: id(in: call))
        let operation = record.operation
        guard call.request.method != "HEAD" else { return .events(nil) }
        // A browser asks again when a stream ends, until it is told that there is nothing more.
        if operation.status.isTerminal, let last = call.request.header("Last-Event-ID"),
            last == EventText.stateID(operation) || hub.hasTold(last, endOf: operation.id)
        {
            return APIResponse(status: 204)
        }
        return .events(try stream(of: record))
    }
}

extension APIContext {
    /// A stream of one operation, whoever runs it.
    ///
    /// - Parameter format: makes text of it; the text of events when `nil`.
    func stream(
        of record: OperationRecord,
        format: (@Sendable (OperationRecord) -> [UInt8])? = nil
    ) throws(APIProblem) -> APIStream {
        let operation = record.operation
        if let history = tracker.history, operation.status.isActive, tracker.operation(operation.id) == nil {
            return try hub.follow(record, in: history, format: format)
        }
        return try hub.subscribe(to: record, format: format)
    }
}

extension APIResponse {
    /// Server-Sent Events; without a body when there is no stream.
    static func events(_ stream: APIStream?) -> APIResponse {
        let headers = [
            APIHeader("Content-Type", "text/event-stream"), APIHeader("Cache-Control", "no-store"),
            // Tells nginx to pass on what comes as it comes.
            APIHeader("X-Accel-Buffering", "no"),
        ]
        var answer = APIResponse(headers: headers)
        if let stream { answer.body = .stream(stream) } else { answer.unsentBody = .stream }
        return answer
    }
}
