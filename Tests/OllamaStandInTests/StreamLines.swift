@testable import OllamaStandIn

/// All events of a stream, as a server would ask for them that is never late. Stops after `limit` events.
func events(of stream: inout some PullEventStream, limit: Int = 100_000) -> [PullEvent] {
    var events: [PullEvent] = []
    while events.count < limit, let event = stream.next(now: events.last?.at ?? 0) {
        events.append(event)
    }
    return events
}

extension PullEvent {
    /// The line this event sends, without its newline.
    var timedLine: TimedLine? {
        guard case .send(let bytes) = action, bytes.last == UInt8(ascii: "\n") else { return nil }
        return TimedLine(t: Double(at) / 1e9, line: String(decoding: bytes.dropLast(), as: UTF8.self))
    }
}

/// The fields of the lines of some events.
func fields(_ events: [PullEvent]) throws -> [LineFields] {
    try events.compactMap(\.timedLine).map { try LineFields($0.line) }
}
