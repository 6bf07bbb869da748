import OperationTracking

/// The text of Server-Sent Events (WHATWG HTML, "Server-sent events"): an id, a name, and one line of JSON.
struct EventText: Sendable {
    /// Tells ids of this server's run from those of earlier ones.
    let run: String

    /// - Parameter data: JSON without line breaks, as every JSON of ours.
    func append(_ name: String, sequence: UInt64, data: some Collection<UInt8>, to bytes: inout [UInt8]) {
        bytes += "id: \(run)-\(sequence)\nevent: \(name)\ndata: ".utf8
        bytes += data
        bytes += "\n\n".utf8
    }

    /// An operation as it is, in the words of an event.
    func state(_ operation: BackgroundOperation, sequence: UInt64) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        operation.write(to: &json)
        var bytes: [UInt8] = []
        append(operation.status.isTerminal ? "finished" : "updated", sequence: sequence, data: json.bytes, to: &bytes)
        return bytes
    }

    /// The number in an id of this run; `nil` for any other id.
    func sequence(in id: String) -> UInt64? {
        let prefix = run + "-"
        guard id.utf8.count <= 64, id.hasPrefix(prefix) else { return nil }
        let digits = id.dropFirst(prefix.count)
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return UInt64(digits)
    }

    /// What a stream begins with: after how long a client that lost it is to come back.
    static let opening = Array("retry: 2000\n\n".utf8)
    /// What keeps a silent connection from being taken for a dead one.
    static let heartbeat = Array(": heartbeat\n\n".utf8)
}

extension OperationEvent {
    /// The event's name on the wire.
    var wireName: String {
        switch kind {
        case .started: "started"
        case .updated: "updated"
        case .finished: "finished"
        case .historyHealth: "history_health"
        case .overloadChanged: "overload"
        case .thresholdChanged: "threshold"
        }
    }

    var isEnding: Bool {
        if case .finished = kind { true } else { false }
    }

    /// The event's data as JSON.
    func writeData(to json: inout JSONWriter) {
        switch kind {
        case .started, .updated:
            operation?.write(to: &json)
        case .finished(let durable):
            json.beginObject()
            operation?.writeFields(to: &json)
            json.key("durable")
            json.value(durable)
            json.endObject()
        case .historyHealth(let health):
            json.beginObject()
            health.writeFields(to: &json)
            json.endObject()
        case .overloadChanged(let assessment):
            json.beginObject()
            assessment.writeVerdict(to: &json)
            json.endObject()
        case .thresholdChanged(let change):
            json.beginObject()
            json.key("code")
            json.value(change.code.rawValue)
            json.key("old")
            json.value(change.old)
            json.key("new")
            json.value(change.new)
            json.key("reason")
            json.value(change.reason)
            json.endObject()
        }
    }
}
