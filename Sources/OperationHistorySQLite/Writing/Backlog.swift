import OperationTracking

/// What is kept in memory while the file can't be written: of each operation the newest state, in order, within bounds.
struct Backlog {
    /// The most operations, and the most audit entries, that are kept.
    static let limit = 10_000

    private(set) var operations: [KeyedRecord] = []
    private(set) var audit: [AuditEntry] = []
    /// How many of either had to be dropped.
    private(set) var droppedCount = 0
    private var positions: [OperationID: Int] = [:]

    var isEmpty: Bool { operations.isEmpty && audit.isEmpty }

    func record(_ id: OperationID) -> OperationRecord? {
        positions[id].map { operations[$0].record }
    }

    mutating func keep(_ record: OperationRecord, key: HistoryKey) {
        if let position = positions[record.operation.id] {
            guard operations[position].record.operation.status.isActive else { return }
            operations[position].record = record
        } else {
            positions[record.operation.id] = operations.count
            operations.append(KeyedRecord(key: key, record: record))
        }
    }

    mutating func keep(_ entries: [AuditEntry]) {
        audit += entries
    }

    /// Drops what is over the limit: the oldest active operations first, since their ending is still to come and is worth
    /// more than their start; then the oldest that have ended. Returns those.
    mutating func trim() -> [OperationID] {
        if audit.count > Self.limit {
            droppedCount += audit.count - Self.limit
            audit.removeFirst(audit.count - Self.limit)
        }
        var excess = operations.count - Self.limit
        guard excess > 0 else { return [] }
        droppedCount += excess
        operations.removeAll { kept in
            guard excess > 0, kept.record.operation.status.isActive else { return false }
            excess -= 1
            return true
        }
        let ended = operations.prefix(excess).map(\.record.operation.id)
        operations.removeFirst(excess)
        positions = Dictionary(uniqueKeysWithValues: operations.enumerated().map { ($1.record.operation.id, $0) })
        return ended
    }
}
