import OperationTracking
import Synchronization

/// A history in memory that outlives its tracker, as one on disk does: closing it ends what one service does with it, and the
/// next finds what was left behind.
final class RestartableHistory: HistoryStore, SharedHistory {
    private final class Shelf: Sendable {
        let store = InMemoryHistoryStore()
        /// Which service's an active operation is.
        let owners = Mutex<[OperationID: ObjectIdentifier]>([:])
        let open = Mutex<Set<ObjectIdentifier>>([])
    }

    private let shelf: Shelf
    private var me: ObjectIdentifier { ObjectIdentifier(self) }

    convenience init() {
        self.init(Shelf())
    }

    private init(_ shelf: Shelf) {
        self.shelf = shelf
        shelf.open.withLock { _ = $0.insert(ObjectIdentifier(self)) }
    }

    /// The same history, as the next service opens it.
    func reopened() -> RestartableHistory { RestartableHistory(shelf) }

    private var isOpen: Bool { shelf.open.withLock { $0.contains(me) } }

    func enqueue(_ record: OperationRecord) {
        guard isOpen else { return }
        shelf.owners.withLock { $0[record.operation.id] = me }
        shelf.store.enqueue(record)
    }

    func commit(_ record: OperationRecord) async -> HistoryDurability {
        guard isOpen else { return .volatile(reason: "The history is closed.") }
        return await shelf.store.commit(record)
    }

    func record(_ id: OperationID) async throws -> OperationRecord? { try await shelf.store.record(id) }

    func page(_ query: HistoryQuery) async throws -> HistoryPage { try await shelf.store.page(query) }

    func statistics(types: Set<OperationType>?) async throws -> [HistoryStatistics] {
        try await shelf.store.statistics(types: types)
    }

    func prune(_ policy: RetentionPolicy) async throws -> Int { try await shelf.store.prune(policy) }

    var health: HistoryHealth { .ok }

    func close() async {
        shelf.open.withLock { _ = $0.remove(me) }
    }

    func orphans() async throws -> [OperationRecord] {
        var query = HistoryQuery(limit: 1000)
        query.statuses = [.paused, .pending]
        return try await page(query).records.reversed().filter { $0.request != nil && isOrphan($0.operation.id) }
    }

    func adopt(_ id: OperationID) async throws -> Bool {
        guard isOrphan(id) else { return false }
        shelf.owners.withLock { $0[id] = me }
        return true
    }

    func claim(_ record: OperationRecord) async throws -> OperationRecord? {
        if let holder = try await shelf.store.claim(record) { return holder }
        shelf.owners.withLock { $0[record.operation.id] = me }
        return nil
    }

    private func isOrphan(_ id: OperationID) -> Bool {
        let open = shelf.open.withLock(\.self)
        return shelf.owners.withLock { owners in owners[id].map { !open.contains($0) } ?? true }
    }
}
