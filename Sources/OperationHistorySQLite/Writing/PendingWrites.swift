import OperationTracking

/// What has been handed over and not yet written, in order. A newer state of an operation takes the place of an older one that
/// waits, so an operation that starts and ends within one group costs one row write; unless the audit log has something in between.
struct PendingWrites {
    typealias Waiter = CheckedContinuation<HistoryDurability, Never>

    struct Entry {
        var record: OperationRecord
        /// Whoever waits in `commit`.
        var waiter: Waiter?
        /// What the audit log was given behind it.
        var audit: [AuditEntry] = []

        fileprivate var mayBeReplaced: Bool { waiter == nil && record.operation.status.isActive }
    }

    private(set) var entries: [Entry] = []
    /// What the audit log was given before the first state.
    private(set) var audit: [AuditEntry] = []
    /// How many wait in `commit`.
    private(set) var waiterCount = 0
    private var positions: [OperationID: Int] = [:]
    private var hasAudit = false

    var isEmpty: Bool { entries.isEmpty && audit.isEmpty }

    init() {}

    /// - Parameter count: how many entries are expected.
    init(room count: Int) {
        entries.reserveCapacity(count)
        positions.reserveCapacity(count)
    }

    /// Takes out what is handed over, but leaves the states of active operations for whom nobody waits: their endings may be
    /// about to follow, and then take their place. All is taken where the audit log has something in between.
    mutating func takeWaiting() -> PendingWrites {
        var taken = self
        self = PendingWrites(room: entries.count)
        guard !taken.hasAudit, taken.entries.contains(where: \.mayBeReplaced) else { return taken }
        for entry in taken.entries where entry.mayBeReplaced { add(entry.record, waiter: nil) }
        taken.entries.removeAll(where: \.mayBeReplaced)
        return taken
    }

    mutating func add(_ record: OperationRecord, waiter: Waiter?) {
        let id = record.operation.id
        if waiter != nil { waiterCount += 1 }
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
        hasAudit = true
        guard !entries.isEmpty else { return audit.append(entry) }
        entries[entries.count - 1].audit.append(entry)
        // What an operation comes to from here on is noted behind this entry, so it must not move before it.
        positions = [:]
    }
}
