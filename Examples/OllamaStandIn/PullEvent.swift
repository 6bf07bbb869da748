/// One thing a pull's answer does at its time.
struct PullEvent: Sendable, Equatable {
    enum Action: Sendable, Equatable {
        /// Sends this, as one chunk.
        case send([UInt8])
        /// Closes the connection without an end.
        case cut
    }

    /// Since the start of the request.
    let at: Nanoseconds
    let action: Action
}

/// The events of one answer, in order. After the last one (`nil`) the answer ends in an orderly way.
///
/// A value without clock or socket: who asks says what time it is.
protocol PullEventStream: Sendable {
    /// The next event. A download line whose time had passed by a whole interval at `now` is left out for its
    /// successor, as Go's ticker does it for Ollama, so that a server that was frozen does not catch up in a burst.
    mutating func next(now: Nanoseconds) -> PullEvent?

    /// The bytes that the layers touched by this pull had at the last event, by digest.
    var arrived: [String: Int] { get }

    /// Whether the last event was the line that says success.
    var hasSucceeded: Bool { get }
}

/// Events that were fixed beforehand.
struct FixedEvents: PullEventStream {
    private var rest: ArraySlice<PullEvent>
    private(set) var hasSucceeded = false

    init(_ events: [PullEvent]) {
        rest = events[...]
    }

    var arrived: [String: Int] { [:] }

    mutating func next(now: Nanoseconds) -> PullEvent? {
        let event = rest.popFirst()
        hasSucceeded = event?.action == .send(PullLine.status("success").encoded)
        return event
    }
}
