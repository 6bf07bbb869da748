import Synchronization

/// The operations of one tracker: the active ones, the latest ended ones, and their totals.
final class OperationRegistry: Sendable {
    private struct State {
        var active: [OperationID: OperationCell] = [:]
        /// Names that somebody is about to begin an operation under.
        var reserved: Set<OperationID> = []
        var ended = RingBuffer<OperationCell>(capacity: OperationRegistry.keptEnded)
        var summary = OperationsSummary()
        var endedTotals = EndedTotals()
        /// What operations of a type need; see ``LearnedPeak``. An entry without a peak says that the history has none.
        /// Providers' types are few; those that clients report are learned about only up to a number.
        var memory: [OperationType: LearnedPeak] = [:]
        var isTicking = false
        var isClosed = false

        mutating func learn(_ peakMemory: Int64, of type: OperationType) {
            guard memory[type] != nil || memory.count < EndedTotals.mostTypes else { return }
            memory[type, default: LearnedPeak()].add(peakMemory)
        }
    }

    /// How many ended operations can still be looked up without a history store.
    static let keptEnded = 256

    private let state = Mutex(State())

    /// Steps on their way, each of which may be an ending.
    let steps = InFlightCount()
    /// Work that runs, and that cancelling reaches.
    let work = InFlightCount()

    /// Takes a new operation.
    ///
    /// - Returns: whether a ticker is needed and there is none; the caller then starts it.
    func add(_ cell: OperationCell, status: OperationStatus) throws(OperationError) -> Bool {
        try state.withLock { state throws(OperationError) in
            guard !state.isClosed else { throw .closed }
            guard state.active.updateValueIfAbsent(cell, forKey: cell.id) else { throw .duplicateOperation(cell.id) }
            state.summary.count(status, by: 1)
            state.summary.countActive(cell.type, by: 1)
            defer { state.isTicking = true }
            return !state.isTicking
        }
    }

    /// Keeps a name from others until it is ``release(_:)``d, unless an operation that is known here has it or had it.
    func reserve(_ id: OperationID) throws(OperationError) {
        try state.withLock { state throws(OperationError) in
            guard !state.isClosed else { throw .closed }
            guard state.active[id] == nil, state.ended.last(where: { $0.id == id }) == nil,
                state.reserved.insert(id).inserted
            else { throw .duplicateOperation(id) }
        }
    }

    func release(_ id: OperationID) {
        state.withLock { _ = $0.reserved.remove(id) }
    }

    /// Counts a step between two active statuses.
    func move(from old: OperationStatus, to new: OperationStatus) {
        state.withLock { state in
            state.summary.count(old, by: -1)
            state.summary.count(new, by: 1)
        }
    }

    /// Counts an ending and moves the operation to the ended ones.
    func end(
        _ cell: OperationCell,
        from old: OperationStatus,
        to new: OperationStatus,
        ending: OperationCell.Ending,
        accuracy: EstimateAccuracy?
    ) {
        state.withLock { state in
            guard state.active.removeValue(forKey: cell.id) != nil else { return }
            state.summary.count(old, by: -1)
            state.summary.count(new, by: 1)
            state.summary.cost = state.summary.cost - ending.cost
            state.endedTotals.add(new, of: cell.type, seconds: ending.seconds, bytes: ending.bytes, accuracy: accuracy)
            state.summary.countActive(cell.type, by: -1)
            if state.active.isEmpty { state.summary.measured = CountedCost() }
            if ending.peakMemory > 0 { state.learn(ending.peakMemory, of: cell.type) }
            state.ended.append(cell)
        }
    }

    func addCost(_ cost: CountedCost) {
        state.withLock { $0.summary.cost = $0.summary.cost + cost }
    }

    /// Takes what the processes of all operations together were found to cost.
    func setMeasured(_ cost: CountedCost) {
        state.withLock { $0.summary.measured = $0.active.isEmpty ? CountedCost() : cost }
    }

    func typicalMemory(of type: OperationType) -> Int64? {
        state.withLock { $0.memory[type]?.bytes }
    }

    func hasLearnedMemory(of type: OperationType) -> Bool {
        state.withLock { $0.memory[type]?.knowsHistory ?? false }
    }

    /// Takes what the history knows; what has been measured since is younger.
    func learnMemory(of type: OperationType, _ bytes: Int64?) {
        state.withLock { state in
            var learned = LearnedPeak()
            learned.knowsHistory = true
            if let bytes { learned.add(bytes) }
            if let since = state.memory[type]?.bytes { learned.add(since) }
            state.memory[type] = learned
        }
    }

    /// The active operation with this id, or the ended one if it is among the latest.
    func cell(_ id: OperationID) -> OperationCell? {
        state.withLock { state in state.active[id] ?? state.ended.last { $0.id == id } }
    }

    func activeCell(_ id: OperationID) -> OperationCell? {
        state.withLock { $0.active[id] }
    }

    var activeCells: [OperationCell] { state.withLock { Array($0.active.values) } }

    /// The active operations, oldest first.
    var activeCellsInOrder: [OperationCell] {
        let cells = activeCells
        // Numbers are sorted in their place: moving objects counts references, and comparing names is slow.
        return cells.indices.map { (createdAt: cells[$0].createdAt, number: cells[$0].number, place: $0) }
            .sorted { ($0.createdAt, $0.number) < ($1.createdAt, $1.number) }
            .map { cells[$0.place] }
    }

    /// The latest ended operations, newest first.
    func endedCells(limit: Int) -> [OperationCell] {
        state.withLock { $0.ended.newest(limit) }
    }

    var summary: OperationsSummary { state.withLock { $0.summary } }

    var endedTotals: EndedTotals { state.withLock { $0.endedTotals } }

    /// The operations to look at in this tick; `nil` when there are none, and then the ticker is taken to have stopped.
    func cellsToTick() -> [OperationCell]? {
        state.withLock { state in
            guard !state.active.isEmpty else {
                state.isTicking = false
                return nil
            }
            return Array(state.active.values)
        }
    }

    /// Takes no more operations, and gives those that are still active.
    func close() -> [OperationCell] {
        state.withLock { state in
            state.isClosed = true
            return Array(state.active.values)
        }
    }
}

extension Dictionary {
    /// Adds a value for a key that has none, and says whether it did.
    fileprivate mutating func updateValueIfAbsent(_ value: Value, forKey key: Key) -> Bool {
        // Nearly none has one, so the key is looked for once.
        guard let known = updateValue(value, forKey: key) else { return true }
        self[key] = known
        return false
    }
}

/// The newest elements of a sequence, up to a number.
struct RingBuffer<Element> {
    private var elements: [Element] = []
    private var next = 0
    private let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
    }

    mutating func append(_ element: Element) {
        if elements.count < capacity {
            elements.append(element)
        } else {
            elements[next] = element
            next = (next + 1) % capacity
        }
    }

    var count: Int { elements.count }

    /// At most `limit` elements, newest first.
    func newest(_ limit: Int) -> [Element] {
        (0..<min(max(limit, 0), elements.count)).map { elements[(next + elements.count - 1 - $0) % elements.count] }
    }

    func last(where predicate: (Element) -> Bool) -> Element? {
        for offset in 0..<elements.count {
            let element = elements[(next + elements.count - 1 - offset) % elements.count]
            if predicate(element) { return element }
        }
        return nil
    }
}

extension RingBuffer: Sendable where Element: Sendable {}
