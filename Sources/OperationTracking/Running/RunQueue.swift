/// The order in which waiting operations begin: a pure value.
///
/// Each level of priority is worth a fixed time of waiting. So within a level the first come is the first served, a higher
/// level goes before what has come a short while earlier, and nothing waits for ever: whatever has waited that time longer
/// goes before the next level's newcomers. As this order doesn't change while time passes, nothing is ever sorted again.
struct RunQueue: Sendable {
    struct Entry: Sendable, Equatable {
        let id: OperationID
        let type: OperationType
        /// The operation that it is a part of.
        let whole: OperationID?
        var priority: OperationPriority
        let enqueuedAt: Int64
        fileprivate let number: UInt64
    }

    private var entries: [Entry] = []
    private var nextNumber: UInt64 = 0
    private let ageing: Int64

    /// - Parameter ageing: how much waiting a level of priority is worth; 36 years at most, so that keys can be counted.
    init(ageing: Duration) {
        self.ageing = min(max(0, ageing.nanoseconds), .max / 8)
    }

    var count: Int { entries.count }
    var ids: [OperationID] { entries.map(\.id) }

    /// - Parameter now: on the monotonic clock, in nanoseconds.
    mutating func insert(
        _ id: OperationID,
        type: OperationType,
        priority: OperationPriority,
        partOf whole: OperationID? = nil,
        at now: Int64
    ) {
        nextNumber += 1
        insert(Entry(id: id, type: type, whole: whole, priority: priority, enqueuedAt: now, number: nextNumber))
    }

    mutating func remove(_ id: OperationID) {
        entries.removeAll { $0.id == id }
    }

    mutating func reprioritise(_ id: OperationID, to priority: OperationPriority) {
        guard let index = entries.firstIndex(where: { $0.id == id }) else { return }
        var entry = entries.remove(at: index)
        entry.priority = priority
        insert(entry)
    }

    /// Takes out the first entry that may begin now.
    mutating func takeFirst(where mayBegin: (Entry) -> Bool) -> Entry? {
        guard let index = entries.firstIndex(where: mayBegin) else { return nil }
        return entries.remove(at: index)
    }

    private mutating func insert(_ entry: Entry) {
        let index = entries.firstIndex { precedes(entry, $0) } ?? entries.endIndex
        entries.insert(entry, at: index)
    }

    private func precedes(_ left: Entry, _ right: Entry) -> Bool {
        let (leftKey, rightKey) = (key(of: left), key(of: right))
        return leftKey == rightKey ? left.number < right.number : leftKey < rightKey
    }

    private func key(of entry: Entry) -> Int64 {
        entry.enqueuedAt - entry.priority.rank * ageing
    }
}
