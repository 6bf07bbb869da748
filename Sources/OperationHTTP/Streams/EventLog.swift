import OperationTracking

/// The latest events as text, encoded once, for any number of readers that are at different places in them. A plain value.
///
/// Events come in batches, one for each look at the tracker. A reader that is one batch behind gets that batch's bytes as they
/// are. One that is further behind gets the newest event of each operation, a little at a time, so that one that doesn't read
/// holds little. One for which the log is too short gets the endings that it missed, which are kept longer, and what is active
/// now. Of endings that are too many to be kept as text, the log still knows which they were, so that they can be read again
/// where operations are kept.
struct EventLog: Sendable {
    /// One event in a batch's bytes.
    struct Entry: Sendable {
        let sequence: UInt64
        /// The operation as the event has it; `nil` for events about none.
        let operation: BackgroundOperation?
        let ending: Ending?
        let standing: Standing.Change?
        let range: Range<Int>
    }

    struct Batch: Sendable {
        let bytes: [UInt8]
        let entries: [Entry]

        var lastSequence: UInt64 { entries.last?.sequence ?? 0 }

        /// - Parameters:
        ///   - events: at most one about each operation, in the order of their numbers.
        ///   - text: how they are written.
        init?(_ events: [OperationEvent], _ text: EventText) {
            guard !events.isEmpty else { return nil }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(1200 * events.count)
            var entries: [Entry] = []
            for event in events {
                let start = bytes.count
                var json = JSONWriter(capacity: 1024)
                event.writeData(to: &json)
                text.append(event.wireName, sequence: event.sequence, data: json.bytes, to: &bytes)
                entries.append(
                    Entry(
                        sequence: event.sequence,
                        operation: event.operation,
                        ending: event.ending,
                        standing: event.standing,
                        range: start..<bytes.count
                    )
                )
            }
            self.bytes = bytes
            self.entries = entries
        }
    }

    /// What holds of the machine and the history until it changes: who comes in between is told with the snapshot.
    struct Standing: Sendable {
        enum Change: Sendable {
            case overload(OverloadAssessment)
            case health(HistoryHealth)
        }

        var overload = OverloadAssessment()
        var health = HistoryHealth.ok

        mutating func take(_ change: Change) {
            switch change {
            case .overload(let overload): self.overload = overload
            case .health(let health): self.health = health
            }
        }
    }

    /// An ending whose text is not kept any more.
    struct Ending: Sendable {
        let sequence: UInt64
        let id: OperationID
        let isDurable: Bool
    }

    /// Where a reader of all operations is.
    struct Reader: Sendable {
        /// It has everything up to this event.
        var position: Position
        /// It is given the endings that it missed, and then what is active.
        var isCatchingUp = false
        /// It has missed endings that can't be had.
        var lacksEndings = false
    }

    /// What a reader of all operations is given next.
    enum News {
        case none
        /// Bytes, which readers at the same place share where they can.
        case piece([UInt8])
        /// Endings that have to be read again.
        case endings([Ending])
    }

    /// What a reader of one operation lacks.
    enum NewsOfOne {
        case none
        case event(BackgroundOperation, [UInt8])
        /// It has ended, and has to be read again.
        case ending(Ending)
    }

    /// Where a reader is: it has everything up to this event.
    typealias Position = UInt64

    let text: EventText
    /// The last event there was, whether or not it is kept.
    private(set) var lastSequence: UInt64
    /// The operations that are active, as the last batch left them.
    private(set) var active: [OperationID: BackgroundOperation] = [:]
    private var standing: Standing

    /// The snapshots made since anything happened, or time was taken: many clients that come at once share one.
    private var snapshots: [Bool: [UInt8]] = [:]
    /// When time was taken last, on the monotonic clock.
    private var timeTakenAt = Int64.min
    private var batches: [Batch] = []
    private var batchBytes = 0
    /// Nothing up to this event is kept in batches.
    private var batchesBegin: UInt64
    private var texts: [(ending: Ending, operation: BackgroundOperation, bytes: [UInt8])] = []
    private var textBytes = 0
    /// The endings before those, without their text.
    private var endings: [Ending] = []
    /// No ending up to this event is known.
    private var endingsBegin: UInt64
    private let byteLimit: Int
    private let batchLimit: Int
    private let endingLimit: Int
    /// How many endings are read again at a time, and how many bytes are put together for one reader alone: one that doesn't
    /// read holds no more.
    private static let endingsAtOnce = 32
    private static let bytesAtOnce = 64 << 10

    /// - Parameters:
    ///   - text: how events are written.
    ///   - active: what is active.
    ///   - sequence: the number of the last event that went into `active`.
    ///   - standing: what holds at that event, or has come to since.
    ///   - byteLimit: how many bytes batches may have in all, and again the texts of endings.
    ///   - batchLimit: how many batches are kept.
    ///   - endingLimit: how many endings are known without their text; each takes some 100 bytes.
    init(
        _ text: EventText,
        active: [BackgroundOperation],
        sequence: UInt64,
        standing: Standing = Standing(),
        byteLimit: Int = 4 << 20,
        batchLimit: Int = 256,
        endingLimit: Int = 50_000
    ) {
        self.text = text
        self.standing = standing
        self.byteLimit = byteLimit
        self.batchLimit = batchLimit
        self.endingLimit = endingLimit
        lastSequence = sequence
        batchesBegin = sequence
        endingsBegin = sequence
        for operation in active { self.active[operation.id] = operation }
    }

    /// Takes the events of one look.
    @discardableResult
    mutating func append(_ events: [OperationEvent]) -> Batch? {
        guard let batch = Batch(events, text) else { return nil }
        append(batch)
        return batch
    }

    mutating func append(_ batch: Batch) {
        for entry in batch.entries {
            if let change = entry.standing { standing.take(change) }
            guard let operation = entry.operation else { continue }
            active[operation.id] = entry.ending == nil ? operation : nil
            if let ending = entry.ending { keep(ending, of: operation, Array(batch.bytes[entry.range])) }
        }
        lastSequence = batch.lastSequence
        snapshots = [:]
        batches.append(batch)
        batchBytes += batch.bytes.count
        while batches.count > batchLimit || (batchBytes > byteLimit && batches.count > 1) { dropOldestBatch() }
    }

    /// Takes how long operations have been at work by now, which no event tells where nothing else changes; once a second at most.
    mutating func takeTime(at now: Int64, _ activeSeconds: (OperationID) -> Double?) {
        guard now >= timeTakenAt + 1_000_000_000 else { return }
        timeTakenAt = now
        snapshots = [:]
        for (id, operation) in active where operation.status == .inProgress {
            active[id]?.activeSeconds = activeSeconds(id) ?? operation.activeSeconds
        }
    }

    private mutating func dropOldestBatch() {
        let batch = batches.removeFirst()
        batchBytes -= batch.bytes.count
        batchesBegin = batch.lastSequence
    }

    private mutating func keep(_ ending: Ending, of operation: BackgroundOperation, _ bytes: [UInt8]) {
        texts.append((ending, operation, bytes))
        textBytes += bytes.count
        guard textBytes > byteLimit else { return }
        // A quarter at once, so that what moves down is paid for by many.
        let count = max(1, texts.count / 4)
        endings += texts[..<count].map(\.ending)
        textBytes -= texts[..<count].reduce(0) { $0 + $1.bytes.count }
        texts.removeFirst(count)
        guard endings.count > endingLimit else { return }
        let dropped = max(endings.count - endingLimit, endingLimit / 4)
        endingsBegin = endings[dropped - 1].sequence
        endings.removeFirst(dropped)
    }
}

extension EventLog {
    /// What a reader of all operations is given next; its place moves on by as much.
    mutating func news(for reader: inout Reader) -> News {
        guard reader.position < lastSequence || reader.isCatchingUp else { return .none }
        guard reader.position >= batchesBegin, !reader.isCatchingUp else { return catchUp(&reader) }
        let first = firstBatch(after: reader.position)
        if first == batches.count - 1, batches[first].entries.first.map({ $0.sequence > reader.position }) ?? true {
            reader.position = lastSequence
            return .piece(batches[first].bytes)
        }
        return .piece(newestOfEach(in: batches[first...], &reader))
    }

    /// The oldest of the events that are the newest about their operation, as many as are put together at a time.
    private func newestOfEach(in batches: ArraySlice<Batch>, _ reader: inout Reader) -> [UInt8] {
        var seen: Set<OperationID> = []
        var newest: [(sequence: UInt64, text: ArraySlice<UInt8>)] = []
        for batch in batches.reversed() {
            for entry in batch.entries.reversed() where entry.sequence > reader.position {
                guard entry.operation.map({ seen.insert($0.id).inserted }) ?? true else { continue }
                newest.append((entry.sequence, batch.bytes[entry.range]))
            }
        }
        return Self.piece(of: newest.reversed(), &reader, orElse: lastSequence)
    }

    /// Puts texts together, and moves the reader to the last of them; to `end` where there are none.
    private static func piece(
        of texts: some Sequence<(sequence: UInt64, text: ArraySlice<UInt8>)>,
        _ reader: inout Reader,
        orElse end: UInt64
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        for (sequence, text) in texts {
            bytes += text
            reader.position = sequence
            if bytes.count >= bytesAtOnce { return bytes }
        }
        if bytes.isEmpty { reader.position = end }
        return bytes
    }

    /// The newest event about one operation that a reader lacks.
    func news(of id: OperationID, since position: Position) -> NewsOfOne {
        guard position < lastSequence else { return .none }
        for batch in batches[firstBatch(after: position)...].reversed() {
            guard let entry = batch.entries.last(where: { $0.operation?.id == id }), let operation = entry.operation
            else {
                continue
            }
            return .event(operation, Array(batch.bytes[entry.range]))
        }
        guard position < batchesBegin else { return .none }
        if let operation = active[id] { return .event(operation, state(operation)) }
        if let kept = texts.last(where: { $0.operation.id == id }) { return .event(kept.operation, kept.bytes) }
        let ending = endings.last { $0.id == id }
        return .ending(ending ?? Ending(sequence: lastSequence, id: id, isDurable: true))
    }

    /// Whether a reader at a position has been told that an operation has ended.
    func hasTold(_ position: Position, endOf id: OperationID) -> Bool {
        // A position that was never given out is nobody's.
        guard position <= lastSequence else { return false }
        let ending = texts.last { $0.operation.id == id }?.ending ?? endings.last { $0.id == id }
        return ending.map { $0.sequence <= position } ?? false
    }

    /// What is active and what else holds, as a reader of all operations begins with it.
    ///
    /// - Parameter gap: whether the reader may have missed endings.
    mutating func snapshot(gap: Bool) -> [UInt8] {
        if let known = snapshots[gap] { return known }
        var json = JSONWriter(capacity: 64 + 1024 * active.count)
        json.beginObject()
        json.key("operations")
        json.beginArray()
        for operation in active.values.sorted(by: { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }) {
            operation.write(to: &json)
        }
        json.endArray()
        json.key("overload")
        json.beginObject()
        standing.overload.writeVerdict(to: &json)
        json.endObject()
        json.key("history_health")
        json.beginObject()
        standing.health.writeFields(to: &json)
        json.endObject()
        json.key("gap")
        json.value(gap)
        json.endObject()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(json.bytes.count + 64)
        text.append("snapshot", sequence: lastSequence, data: json.bytes, to: &bytes)
        snapshots[gap] = bytes
        return bytes
    }

    /// One operation as it is now, in the words of an event.
    func state(_ operation: BackgroundOperation) -> [UInt8] {
        text.state(operation, sequence: lastSequence)
    }

    private mutating func catchUp(_ reader: inout Reader) -> News {
        reader.isCatchingUp = true
        if reader.position < endingsBegin { reader.lacksEndings = true }
        if let last = endings.last, last.sequence > reader.position {
            let first = endings.firstIndex { $0.sequence > reader.position } ?? 0
            let next = Array(endings[first...].prefix(Self.endingsAtOnce))
            reader.position = next.last?.sequence ?? reader.position
            return .endings(next)
        }
        let missed = texts.lazy.filter { [position = reader.position] in $0.ending.sequence > position }
            .map { (sequence: $0.ending.sequence, text: $0.bytes[...]) }
        let bytes = Self.piece(of: missed, &reader, orElse: lastSequence)
        if !bytes.isEmpty { return .piece(bytes) }
        let snapshot = snapshot(gap: reader.lacksEndings)
        reader = Reader(position: lastSequence)
        return .piece(snapshot)
    }

    private func firstBatch(after position: Position) -> Int {
        // Nearly always the last one.
        (batches.lastIndex { $0.lastSequence <= position } ?? -1) + 1
    }
}
