import OperationTracking

/// The text of Server-Sent Events (WHATWG HTML, "Server-sent events"): an id, a name, and one line of JSON.
struct EventText: Sendable {
    /// Tells ids of this server's run from those of earlier ones.
    let run: String

    /// - Parameter data: JSON without line breaks, as every JSON of ours.
    func append(_ name: String, sequence: UInt64, data: some Collection<UInt8>, to bytes: inout [UInt8]) {
        Self.append(name, id: "\(run)-\(sequence)", data: data, to: &bytes)
    }

    private static func append(_ name: String, id: String, data: some Collection<UInt8>, to bytes: inout [UInt8]) {
        bytes += "id: \(id)\nevent: \(name)\ndata: ".utf8
        bytes += data
        bytes += "\n\n".utf8
    }

    /// An operation as it is, in the words of an event.
    func state(_ operation: BackgroundOperation, sequence: UInt64) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        operation.write(to: &json)
        var bytes: [UInt8] = []
        append(Self.name(ofState: operation), sequence: sequence, data: json.bytes, to: &bytes)
        return bytes
    }

    /// An ending that is read again because its event is not kept any more.
    func ending(_ operation: BackgroundOperation, _ ending: EventLog.Ending) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        operation.writeEnding(durable: ending.isDurable, to: &json)
        var bytes: [UInt8] = []
        append("finished", sequence: ending.sequence, data: json.bytes, to: &bytes)
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

    /// The id of an operation's state where no event of this run tells of it: another process's, or one that was over before.
    /// It means the same to every run of a server.
    static func stateID(_ operation: BackgroundOperation) -> String {
        "\(operation.status.rawValue)-\(operation.updatedAt.milliseconds)"
    }

    /// An operation as its history has it, in the words of an event.
    static func pastState(_ operation: BackgroundOperation) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        operation.write(to: &json)
        var bytes: [UInt8] = []
        append(name(ofState: operation), id: stateID(operation), data: json.bytes, to: &bytes)
        return bytes
    }

    private static func name(ofState operation: BackgroundOperation) -> String {
        operation.status.isTerminal ? "finished" : "updated"
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

    /// Which ending it tells of.
    var ending: EventLog.Ending? {
        guard case .finished(let durable) = kind, let operation else { return nil }
        return EventLog.Ending(sequence: sequence, id: operation.id, isDurable: durable)
    }

    /// What holds from now on, where it tells of that.
    var standing: EventLog.Standing.Change? {
        switch kind {
        case .overloadChanged(let overload): .overload(overload)
        case .historyHealth(let health): .health(health)
        case .started, .updated, .finished, .thresholdChanged: nil
        }
    }

    /// The event's data as JSON.
    func writeData(to json: inout JSONWriter) {
        switch kind {
        case .started, .updated:
            operation?.write(to: &json)
        case .finished(let durable):
            operation?.writeEnding(durable: durable, to: &json)
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

extension BackgroundOperation {
    fileprivate func writeEnding(durable: Bool, to json: inout JSONWriter) {
        json.beginObject()
        writeFields(to: &json)
        json.key("durable")
        json.value(durable)
        json.endObject()
    }
}
