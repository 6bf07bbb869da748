import OperationTracking
import Synchronization

/// Hands a tracker's events to any number of streams.
///
/// It reads the tracker's events once, at most so many times a second, and keeps them as text in an ``EventLog``. A stream is
/// no more than a place in that log and somebody to be told when there is more.
final class EventHub: Sendable {
    /// What one stream is.
    struct Client {
        var position: EventLog.Position
        /// What is sent before any news.
        var pieces: [[UInt8]]
        /// The one operation that it is about, and how that is told; all operations when `nil`.
        var focus: Focus?
        var notify: (@Sendable () -> Void)?
        var isHeartbeatDue = false
        /// It has been told of the end of its one operation.
        var hasEnded = false
    }

    struct Focus {
        let id: OperationID
        /// Makes text of the operation; the text of the event itself when `nil`.
        let format: (@Sendable (_ operation: BackgroundOperation) -> [UInt8])?
    }

    fileprivate struct State {
        var log: EventLog?
        var clients: [UInt64: Client] = [:]
        var nextClient: UInt64 = 0
        /// Streams that are not of this tracker's events.
        var otherStreams = 0
        var reading: Task<Void, Never>?
        var beating: Task<Void, Never>?
        var isClosed = false
    }

    private let tracker: OperationTracker
    private let text: EventText
    private let interval: Duration
    private let heartbeat: Duration
    private let limit: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - tracker: whose events are read.
    ///   - run: what the ids of this server's events begin with.
    ///   - interval: how long events are gathered.
    ///   - heartbeat: how long a stream may be silent.
    ///   - limit: how many streams there may be.
    init(_ tracker: OperationTracker, run: String, interval: Duration, heartbeat: Duration, limit: Int) {
        self.tracker = tracker
        text = EventText(run: run)
        self.interval = interval
        self.heartbeat = heartbeat
        self.limit = limit
    }

    deinit {
        state.withLock { state in
            state.reading?.cancel()
            state.beating?.cancel()
        }
    }

    /// How many streams there are.
    var clientCount: Int { state.withLock { $0.clients.count + $0.otherStreams } }

    /// Opens a stream of all operations.
    ///
    /// - Parameter lastEventID: the last event that the client has, as it says itself.
    func subscribe(after lastEventID: String?) throws(APIProblem) -> APIStream {
        try open { log in
            let known = lastEventID.flatMap(log.text.sequence(in:)).flatMap { $0 <= log.lastSequence ? $0 : nil }
            // What the log doesn't reach is caught up with at the first reading.
            if let known { return Client(position: known, pieces: [EventText.opening]) }
            let snapshot = log.snapshot(gap: lastEventID != nil)
            return Client(position: log.lastSequence, pieces: [EventText.opening, snapshot])
        }
    }

    /// Opens a stream of one operation that ends with it.
    ///
    /// - Parameters:
    ///   - operation: what it is as far as the caller knows; the stream begins with this, or something newer.
    ///   - format: makes text of it; the text of events when `nil`.
    func subscribe(
        to operation: BackgroundOperation,
        format: (@Sendable (BackgroundOperation) -> [UInt8])? = nil
    ) throws(APIProblem) -> APIStream {
        try open { [tracker] log in
            // Read after the log's place is known: every event after it is news.
            let now = log.active[operation.id] ?? tracker.operation(operation.id) ?? operation
            var client = Client(position: log.lastSequence, pieces: format == nil ? [EventText.opening] : [])
            client.pieces.append(format?(now) ?? log.state(now))
            client.focus = Focus(id: operation.id, format: format)
            client.hasEnded = now.status.isTerminal
            return client
        }
    }

    /// Whether a client that has had events up to an id knows that an operation has ended.
    func hasTold(_ lastEventID: String, endOf id: OperationID) -> Bool {
        guard let position = text.sequence(in: lastEventID) else { return false }
        return state.withLock { $0.log?.hasTold(position, endOf: id) ?? false }
    }

    private func open(_ makeClient: (inout EventLog) -> Client) throws(APIProblem) -> APIStream {
        let key: UInt64? = try state.withLock { state throws(APIProblem) in
            guard !state.isClosed else { throw .stopping }
            guard state.clients.count + state.otherStreams < limit else { return nil }
            var log = startReading(&state)
            state.nextClient += 1
            state.clients[state.nextClient] = makeClient(&log)
            state.log = log
            if state.beating == nil { state.beating = beat() }
            return state.nextClient
        }
        guard let key else { throw .tooManyStreams(limit) }
        return APIStream(HubStream(hub: self, key: key))
    }

    /// Opens a stream of an operation that another process runs, which only the history that both share tells about.
    ///
    /// - Parameters:
    ///   - record: what it is as far as the caller knows.
    ///   - history: that history.
    ///   - format: makes text of it; the text of events when `nil`.
    func follow(
        _ record: OperationRecord,
        in history: any HistoryStore,
        format: (@Sendable (OperationRecord) -> [UInt8])? = nil
    ) throws(APIProblem) -> APIStream {
        let text = text
        let position = try state.withLock { state throws(APIProblem) in
            guard !state.isClosed else { throw .stopping }
            guard state.clients.count + state.otherStreams < limit else { throw .tooManyStreams(limit) }
            state.otherStreams += 1
            return state.log?.lastSequence ?? 0
        }
        let source = HistoryStream(
            record,
            in: history,
            clock: tracker.clock,
            format: format ?? { text.state($0.operation, sequence: position) },
            release: { [weak self] in self?.state.withLock { $0.otherStreams -= 1 } }
        )
        return APIStream(source)
    }

    /// Ends all streams once they have sent what there is.
    func close() {
        let notifications = state.withLock { state in
            state.isClosed = true
            state.reading?.cancel()
            state.beating?.cancel()
            state.beating = nil
            return state.takeNotifications { _ in true }
        }
        for notify in notifications { notify() }
    }

    fileprivate func next(_ key: UInt64, orNotify notify: @escaping @Sendable () -> Void) -> APIStream.Step {
        state.withLock { state in
            guard var client = state.clients[key], let piece = state.log?.take(for: &client) else { return .end }
            if piece.isEmpty, client.hasEnded || state.isClosed {
                state.clients[key] = nil
                return .end
            }
            client.notify = piece.isEmpty ? notify : nil
            state.clients[key] = client
            return piece.isEmpty ? .waiting : .piece(piece)
        }
    }

    fileprivate func remove(_ key: UInt64) {
        state.withLock { state in
            state.clients[key] = nil
            guard state.clients.isEmpty else { return }
            state.beating?.cancel()
            state.beating = nil
        }
    }
}

extension EventHub {
    /// Begins to read the tracker's events with the first stream, and never stops: a client that comes back finds what it
    /// missed.
    private func startReading(_ state: inout State) -> EventLog {
        if let log = state.log { return log }
        let (events, active, sequence) = tracker.eventsFromNow()
        let log = EventLog(text, active: active, sequence: sequence)
        state.log = log
        let (clock, interval) = (tracker.clock, interval)
        state.reading = Task { [weak self] in
            var iterator = events.makeAsyncIterator()
            var last: Int64?
            while let first = await iterator.next() {
                let since = last.map { clock.monotonicNanoseconds - $0 } ?? .max
                if since < interval.nanoseconds {
                    try? await clock.sleep(for: .nanoseconds(interval.nanoseconds - since))
                }
                last = clock.monotonicNanoseconds
                guard let self else { return }
                self.publish(first.together(with: events.takeWaiting()))
            }
            self?.close()
        }
        return log
    }

    private func publish(_ events: [OperationEvent]) {
        let notifications: [@Sendable () -> Void] = state.withLock { state in
            guard let batch = state.log?.append(events) else { return [] }
            let ids = Set(batch.entries.compactMap { $0.operation?.id })
            return state.takeNotifications { client in client.focus.map { ids.contains($0.id) } ?? true }
        }
        for notify in notifications { notify() }
    }

    /// Sends every stream a sign of life from time to time.
    private func beat() -> Task<Void, Never> {
        let (clock, heartbeat) = (tracker.clock, heartbeat)
        return Task { [weak self] in
            while true {
                do { try await clock.sleep(for: heartbeat) } catch { return }
                guard let self else { return }
                let notifications = self.state.withLock { state in
                    for key in state.clients.keys { state.clients[key]?.isHeartbeatDue = true }
                    return state.takeNotifications { _ in true }
                }
                for notify in notifications { notify() }
            }
        }
    }
}

extension EventHub.State {
    /// Those who wait for news, each of whom is told once.
    fileprivate mutating func takeNotifications(
        where isWanted: (EventHub.Client) -> Bool
    ) -> [@Sendable () -> Void] {
        var notifications: [@Sendable () -> Void] = []
        for (key, client) in clients {
            guard let notify = client.notify, isWanted(client) else { continue }
            notifications.append(notify)
            clients[key]?.notify = nil
        }
        return notifications
    }
}

extension EventLog {
    /// The next piece for a client; empty when there is none.
    fileprivate mutating func take(for client: inout EventHub.Client) -> [UInt8] {
        if client.pieces.isEmpty {
            client.pieces = news(for: &client)
            client.position = lastSequence
        }
        if client.pieces.isEmpty, client.isHeartbeatDue, !client.hasEnded { client.pieces = [EventText.heartbeat] }
        guard !client.pieces.isEmpty else { return [] }
        client.isHeartbeatDue = false
        return client.pieces.removeFirst()
    }

    private mutating func news(for client: inout EventHub.Client) -> [[UInt8]] {
        guard let focus = client.focus else { return news(since: client.position) }
        guard !client.hasEnded, let (operation, bytes) = news(of: focus.id, since: client.position) else { return [] }
        client.hasEnded = operation?.status.isTerminal ?? true
        if let format = focus.format, let operation { return [format(operation)] }
        return bytes.isEmpty ? [] : [bytes]
    }
}

extension OperationEvent {
    /// This event and those that came while it waited, at most one about each operation.
    fileprivate func together(with later: [OperationEvent]) -> [OperationEvent] {
        guard let id = operation?.id, let index = later.firstIndex(where: { $0.operation?.id == id }) else {
            return [self] + later
        }
        var events = later
        events[index] = later[index].merged(over: self)
        return events
    }
}

/// One stream's end of the hub.
private final class HubStream: StreamSource {
    private let hub: EventHub
    private let key: UInt64

    init(hub: EventHub, key: UInt64) {
        self.hub = hub
        self.key = key
    }

    func next(orNotify notify: @escaping @Sendable () -> Void) -> APIStream.Step {
        hub.next(key, orNotify: notify)
    }

    func cancel() {
        hub.remove(key)
    }
}

extension APIProblem {
    fileprivate static func tooManyStreams(_ limit: Int) -> APIProblem {
        APIProblem(
            429,
            "too_many_streams",
            "\(limit) event streams are open, and no more may be: close one, or poll instead.",
            headers: [APIHeader("Retry-After", "5")]
        )
    }
}
