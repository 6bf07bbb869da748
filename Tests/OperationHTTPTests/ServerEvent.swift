import Testing

@testable import OperationHTTP

/// One Server-Sent Event as a client reads it.
struct ServerEvent {
    var id: String?
    var name: String?
    var data: String?
    var retry: String?
    var comment: String?

    var json: JSONValue { data.flatMap { try? JSONReader.read(Array($0.utf8)) } ?? .null }
    var operationID: String? { json["operation_id"]?.text }

    static func all(in bytes: [UInt8]) -> [ServerEvent] {
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasSuffix("\n\n"))
        return text.split(separator: "\n\n").map { block in
            var event = ServerEvent()
            for line in block.split(separator: "\n") {
                let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                let value = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
                switch parts[0] {
                case "id": event.id = value
                case "event": event.name = value
                case "data": event.data = (event.data.map { $0 + "\n" } ?? "") + value
                case "retry": event.retry = value
                case "": event.comment = value
                default: Issue.record("unknown field in \(line)")
                }
            }
            return event
        }
    }
}

extension APIStream {
    /// The events of the next piece, and of those that are there with it.
    func events() async -> [ServerEvent] {
        guard let bytes = await next() else { return [] }
        return ServerEvent.all(in: bytes) + waitingEvents()
    }

    /// What there is without waiting.
    func waitingEvents() -> [ServerEvent] {
        var events: [ServerEvent] = []
        while case .piece(let bytes) = next(orNotify: {}) { events += ServerEvent.all(in: bytes) }
        return events
    }

    var isOver: Bool {
        if case .end = next(orNotify: {}) { true } else { false }
    }
}
