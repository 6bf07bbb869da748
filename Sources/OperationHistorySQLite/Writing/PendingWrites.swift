import OperationTracking

/// What has been handed over and not yet written, in order, with at most one waiting state of an operation: a newer one
/// takes the place of an older, so an operation that starts and ends within one group costs one row write.
struct PendingWrites {
    typealias Waiter = CheckedContinuation<HistoryDurability, Never>

    struct Entry {
        var record: OperationRecord
        /// Whoever waits in `commit`.
        var waiter: Waiter?
    }

    private(set) var entries: [Entry] = []
    private(set) var audit: [AuditEntry] = []
    private var positions: [OperationID: Int] = [:]

    var isEmpty: Bool { entries.isEmpty && audit.isEmpty }

    mutating func add(_ record: OperationRecord, waiter: Waiter?) {
        let id = record.operation.id
        if let position = positions[id], entries[position].waiter == nil {
            // An ending is final: what arrives after it is late news, or a second ending that has to hear of the first.
            if entries[position].record.operation.status.isActive {
                entries[position] = Entry(record: record, waiter: waiter)
                return
            }
            if waiter == nil { return }
        }
        positions[id] = entries.count
        entries.append(Entry(record: record, waiter: waiter))
    }

    mutating func append(_ entry: AuditEntry) {
        audit.append(entry)
    }
}
