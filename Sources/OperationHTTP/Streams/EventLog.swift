import OperationTracking

/// The latest events as text, encoded once, for any number of readers that are at different places in them. A plain value.
///
/// Events come in batches, one for each look at the tracker. A reader that is one batch behind gets that batch's bytes as they
/// are. One that is further behind gets the newest event of each operation. One for which the log is too short gets the endings
/// that it missed, which are kept longer, and what is active now.
struct EventLog: Sendable {
    /// One event in a batch's bytes.
    struct Entry: Sendable {
        let sequence: UInt64
        /// The operation as the event has it; `nil` for events about none.
        let operation: BackgroundOperation?
        let isEnding: Bool
        let range: Range<Int>
    }

    struct Batch: Sendable {
        let bytes: [UInt8]
        let entries: [Entry]

        var lastSequence: UInt64 { entries.last?.sequence ?? 0 }
    }

    /// Where a reader is: it has everything up to this event.
    typealias Position = UInt64

    let text: EventText
    /// The last event there was, whether or not it is kept.
    private(set) var lastSequence: UInt64
    /// The operations that are active, as the last batch left them.
    private(set) var active: [OperationID: BackgroundOperation] = [:]

    /// The snapshots made since anything happened: many clients that come at once share one.
    private var snapshots: [Bool: [UInt8]] = [:]
    private var batches: [Batch] = []
    private var batchBytes = 0
    /// Nothing up to this event is kept in batches.
    private var batchesBegin: UInt64
    private var endings: [(sequence: UInt64, operation: BackgroundOperation, bytes: [UInt8])] = []
    private var endingBytes = 0
    /// No ending up to this event is kept.
    private var endingsBegin: UInt64
    private let byteLimit: Int
    private let batchLimit: Int

    /// - Parameters:
    ///   - text: how events are written.
    ///   - active: what is active.
    ///   - sequence: the number of the last event that went into `active`.
    ///   - byteLimit: how many bytes batches may have in all, and again endings.
    ///   - batchLimit: how many batches are kept.
    init(
        _ text: EventText,
        active: [BackgroundOperation],
        sequence: UInt64,
        byteLimit: Int = 4 << 20,
        batchLimit: Int = 256
    ) {
        self.text = text
        self.byteLimit = byteLimit
        self.batchLimit = batchLimit
        lastSequence = sequence
        batchesBegin = sequence
        endingsBegin = sequence
        for operation in active { self.active[operation.id] = operation }
    }

    /// Takes the events of one look: at most one about each operation, in the order of their numbers.
    ///
    /// - Returns: what was made of them.
    @discardableResult
    mutating func append(_ events: [OperationEvent]) -> Batch? {
        guard !events.isEmpty else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1200 * events.count)
        var entries: [Entry] = []
        for event in events {
            let start = bytes.count
            var json = JSONWriter(capacity: 1024)
            event.writeData(to: &json)
            text.append(event.wireName, sequence: event.sequence, data: json.bytes, to: &bytes)
            let range = start..<bytes.count
            let isEnding = event.isEnding
            entries.append(
                Entry(sequence: event.sequence, operation: event.operation, isEnding: isEnding, range: range)
            )
            guard let operation = event.operation else { continue }
            active[operation.id] = isEnding ? nil : operation
            if isEnding { keepEnding(of: operation, event.sequence, Array(bytes[range])) }
        }
        let batch = Batch(bytes: bytes, entries: entries)
        lastSequence = batch.lastSequence
        snapshots = [:]
        batches.append(batch)
        batchBytes += bytes.count
        while batches.count > batchLimit || (batchBytes > byteLimit && batches.count > 1) { dropOldestBatch() }
        return batch
    }

    private mutating func dropOldestBatch() {
        let batch = batches.removeFirst()
        batchBytes -= batch.bytes.count
        batchesBegin = batch.lastSequence
    }

    private mutating func keepEnding(of operation: BackgroundOperation, _ sequence: UInt64, _ bytes: [UInt8]) {
        endings.append((sequence, operation, bytes))
        endingBytes += bytes.count
        guard endingBytes > byteLimit else { return }
        // A quarter at once, so that what moves down is paid for by many.
        let count = max(1, endings.count / 4)
        endingsBegin = endings[count - 1].sequence
        endingBytes -= endings[..<count].reduce(0) { $0 + $1.bytes.count }
        endings.removeFirst(count)
    }
}

extension EventLog {
    /// Everything that a reader of all operations lacks, in pieces that readers share; empty when it has it all.
    mutating func news(since position: Position) -> [[UInt8]] {
        guard position < lastSequence else { return [] }
        guard position >= batchesBegin else { return catchUp(since: position) }
        let first = firstBatch(after: position)
        if first == batches.count - 1 { return [batches[first].bytes] }
        var seen: Set<OperationID> = []
        var pieces: [ArraySlice<UInt8>] = []
        for batch in batches[first...].reversed() {
            for entry in batch.entries.reversed() where entry.operation.map({ seen.insert($0.id).inserted }) ?? true {
                pieces.append(batch.bytes[entry.range])
            }
        }
        return [Array(pieces.reversed().joined())]
    }

    /// The newest event about one operation that a reader lacks; the operation is `nil` where its ending has been forgotten.
    func news(of id: OperationID, since position: Position) -> (operation: BackgroundOperation?, bytes: [UInt8])? {
        guard position < lastSequence else { return nil }
        for batch in batches[firstBatch(after: position)...].reversed() {
            guard let entry = batch.entries.last(where: { $0.operation?.id == id }) else { continue }
            return (entry.operation, Array(batch.bytes[entry.range]))
        }
        guard position < batchesBegin else { return nil }
        if let ending = endings.last(where: { $0.operation.id == id }) { return (ending.operation, ending.bytes) }
        return active[id].map { ($0, state($0)) } ?? (nil, [])
    }

    /// Whether a reader at a position has been told that an operation, which has ended, has.
    func hasTold(_ position: Position, endOf id: OperationID) -> Bool {
        if let ending = endings.last(where: { $0.operation.id == id }) { return ending.sequence <= position }
        return position >= endingsBegin
    }

    /// What is active, as a reader of all operations begins with it.
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

    private mutating func catchUp(since position: Position) -> [[UInt8]] {
        var bytes: [UInt8] = []
        for ending in endings where ending.sequence > position { bytes += ending.bytes }
        let snapshot = snapshot(gap: position < endingsBegin)
        return bytes.isEmpty ? [snapshot] : [bytes, snapshot]
    }

    private func firstBatch(after position: Position) -> Int {
        // Nearly always the last one.
        (batches.lastIndex { $0.lastSequence <= position } ?? -1) + 1
    }
}
