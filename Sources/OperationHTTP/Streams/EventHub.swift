import OperationTracking
import Synchronization

/// Hands a tracker's events to any number of streams.
///
/// It reads the tracker's events once, at most so many times a second, and keeps them as text in an ``EventLog``. A stream is
/// no more than a place in that log and somebody to be told when there is more.
final class EventHub: Sendable {
    /// What one stream is.
    struct Client {
        var reader: EventLog.Reader
        /// What is sent before any news.
        var pieces: [[UInt8]]
        /// The one operation that it is about, and how that is told; all operations when `nil`.
        var focus: Focus?
        var notify: (@Sendable () -> Void)?
        var isHeartbeatDue = false
        /// It has been told of the end of its one operation, or is about to be.
        var hasEnded = false
        /// Endings that have to be read again before there is more for it.
        var reading = Reading.none
    }

    enum Reading {
        case none
        case wanted([EventLog.Ending])
        case running
    }

    struct Focus {
        let id: OperationID
        /// Makes text of the operation; the text of the event itself when `nil`.
        let format: (@Sendable (_ record: OperationRecord) -> [UInt8])?
    }

    struct State {
        var log: EventLog?
        var clients: [UInt64: Client] = [:]
        var nextClient: UInt64 = 0
        /// Streams that are not of this tracker's events; `nil` while one is being made.
        var otherStreams: [UInt64: HistoryStream?] = [:]
        var reading: Task<Void, Never>?
        var beating: Task<Void, Never>?
        var isStopping = false
        var isClosed = false
    }

    let tracker: OperationTracker
    let text: EventText
    private let interval: Duration
    private let heartbeat: Duration
    private let limit: Int
    let state = Mutex(State())

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
    var clientCount: Int { state.withLock { $0.clients.count + $0.otherStreams.count } }

    /// Opens a stream of all operations.
    ///
    /// - Parameter lastEventID: the last event that the client has, as it says itself.
    func subscribe(after lastEventID: String?) throws(APIProblem) -> APIStream {
        try open { log in
            let known = lastEventID.flatMap(log.text.sequence(in:)).flatMap { $0 <= log.lastSequence ? $0 : nil }
            // What the log doesn't reach is caught up with at the first reading.
            if let known { return Client(reader: .init(position: known), pieces: [EventText.opening]) }
            let snapshot = log.snapshot(gap: lastEventID != nil)
            return Client(reader: .init(position: log.lastSequence), pieces: [EventText.opening, snapshot])
        }
    }

    /// Opens a stream of one operation that ends with it.
    ///
    /// - Parameters:
    ///   - record: what it is as far as the caller knows; the stream begins with this, or something newer.
    ///   - format: makes text of it; the text of events when `nil`.
    func subscribe(
        to record: OperationRecord,
        format: (@Sendable (OperationRecord) -> [UInt8])? = nil
    ) throws(APIProblem) -> APIStream {
        try open { [tracker] log in
            var latest = record
            let id = record.operation.id
            // Read after the log's place is known: every event after it is news.
            if let now = log.active[id] ?? tracker.operation(id) { latest.operation = now }
            let hasEnded = latest.operation.status.isTerminal
            let state = hasEnded ? EventText.pastState(latest.operation) : log.state(latest.operation)
            var client = Client(
                reader: .init(position: log.lastSequence),
                pieces: format == nil ? [EventText.opening] : []
            )
            client.pieces.append(format?(latest) ?? state)
            client.focus = Focus(id: id, format: format)
            client.hasEnded = hasEnded
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
            guard state.clients.count + state.otherStreams.count < limit else { return nil }
            var log = startReading(&state)
            log.takeTime(at: tracker.clock.monotonicNanoseconds) { tracker.operation($0)?.activeSeconds }
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
        let key = try state.withLock { state throws(APIProblem) in
            guard !state.isClosed else { throw .stopping }
            guard state.clients.count + state.otherStreams.count < limit else { throw .tooManyStreams(limit) }
            state.nextClient += 1
            state.otherStreams[state.nextClient] = .some(nil)
            return state.nextClient
        }
        let source = HistoryStream(
            record,
            in: history,
            clock: tracker.clock,
            opening: format == nil ? EventText.opening : [],
            format: format ?? { EventText.pastState($0.operation) },
            release: { [weak self] in self?.state.withLock { _ = $0.otherStreams.removeValue(forKey: key) } }
        )
        let isClosed = state.withLock { state in
            if state.otherStreams[key] != nil { state.otherStreams[key] = source }
            return state.isClosed
        }
        if isClosed { source.end() }
        return APIStream(source)
    }

    /// Whether no new work is to be taken.
    var isStopping: Bool { state.withLock { $0.isStopping || $0.isClosed } }

    /// Takes no more work. Streams go on.
    func stop() { state.withLock { $0.isStopping = true } }

    /// Ends all streams once they have sent what there is.
    func close() {
        let (notifications, others) = state.withLock { state in
            state.isClosed = true
            state.reading?.cancel()
            state.beating?.cancel()
            state.beating = nil
            return (state.takeNotifications { _ in true }, state.otherStreams.values.compactMap(\.self))
        }
        for notify in notifications { notify() }
        for stream in others { stream.end() }
    }

    fileprivate func next(_ key: UInt64, orNotify notify: @escaping @Sendable () -> Void) -> APIStream.Step {
        let (step, client): (APIStream.Step, Client?) = state.withLock { state in
            guard var client = state.clients[key] else { return (.end, nil) }
            let piece = state.log?.take(for: &client, of: tracker) ?? []
            if piece.isEmpty, client.isAtRest, client.hasEnded || state.isClosed {
                state.clients[key] = nil
                return (.end, nil)
            }
            client.notify = piece.isEmpty ? notify : nil
            state.clients[key] = client
            if case .wanted = client.reading { state.clients[key]?.reading = .running }
            return (piece.isEmpty ? .waiting : .piece(piece), client)
        }
        if let client, case .wanted(let endings) = client.reading { readAgain(endings, client.focus, for: key) }
        return step
    }

    fileprivate func remove(_ key: UInt64) {
        let client = state.withLock { state in
            let client = state.clients.removeValue(forKey: key)
            if state.clients.isEmpty {
                state.beating?.cancel()
                state.beating = nil
            }
            return client
        }
        client?.notify?()
    }
}

extension EventHub {
    /// Begins to read the tracker's events with the first stream, and never stops: a client that comes back finds what it
    /// missed.
    private func startReading(_ state: inout State) -> EventLog {
        if let log = state.log { return log }
        let (events, active, sequence) = tracker.eventsFromNow()
        // Read after the log's place is known: every event after it is news.
        let standing = EventLog.Standing(
            overload: tracker.latestAssessment,
            health: tracker.history?.health ?? .ok
        )
        let log = EventLog(text, active: active, sequence: sequence, standing: standing)
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
        // Written before the lock is taken, so that nobody waits for it.
        guard let batch = EventLog.Batch(events, text) else { return }
        let notifications: [@Sendable () -> Void] = state.withLock { state in
            state.log?.append(batch)
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

extension EventHub.Client {
    fileprivate var isAtRest: Bool {
        if case .none = reading { true } else { false }
    }
}

extension EventLog {
    /// The next piece for a client; empty when there is none.
    fileprivate mutating func take(for client: inout EventHub.Client, of tracker: OperationTracker) -> [UInt8] {
        if client.pieces.isEmpty, client.isAtRest {
            if let focus = client.focus { look(for: &client, focus, of: tracker) } else { look(for: &client) }
        }
        if client.pieces.isEmpty, client.isHeartbeatDue, client.isAtRest, !client.hasEnded {
            client.pieces = [EventText.heartbeat]
        }
        guard !client.pieces.isEmpty else { return [] }
        client.isHeartbeatDue = false
        return client.pieces.removeFirst()
    }

    private mutating func look(for client: inout EventHub.Client) {
        switch news(for: &client.reader) {
        case .none: break
        case .piece(let bytes): client.pieces = [bytes]
        case .endings(let endings): client.reading = .wanted(endings)
        }
    }

    private func look(for client: inout EventHub.Client, _ focus: EventHub.Focus, of tracker: OperationTracker) {
        guard !client.hasEnded else { return }
        switch news(of: focus.id, since: client.reader.position) {
        case .none: break
        case .event(let operation, let bytes):
            client.hasEnded = operation.status.isTerminal
            client.pieces = [focus.text(of: operation, tracker) ?? bytes]
        case .ending(let ending):
            client.hasEnded = true
            client.reading = .wanted([ending])
        }
        client.reader.position = lastSequence
    }
}

extension EventHub.Focus {
    /// The operation in the stream's own words, if it has some.
    fileprivate func text(of operation: BackgroundOperation, _ tracker: OperationTracker) -> [UInt8]? {
        guard let format else { return nil }
        var record = tracker.currentRecord(operation.id) ?? OperationRecord(operation: operation)
        record.operation = operation
        return format(record)
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
