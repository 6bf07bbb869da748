import Synchronization

/// A history that ends with its process: for tests, and for services that want none on disk.
///
/// It behaves as the stores on disk do, except that nothing survives ``close()`` and that it is never shared, so it has no
/// orphans. Of the ended operations and of the audit entries the newest are kept.
public final class InMemoryHistoryStore: HistoryStore, AuditLog, SharedHistory, LatestRuns {
    private let state: Mutex<State>

    /// Makes an empty history.
    ///
    /// - Parameter maximumCount: how many ended operations are kept, at least 1; the older ones are dropped. Twice as many
    ///   audit entries are kept, since an operation has a start and an end.
    public init(maximumCount: Int = 10_000) {
        state = Mutex(State(maximumCount: max(maximumCount, 1)))
    }

    /// Takes a state; it is there at once.
    public func enqueue(_ record: OperationRecord) {
        state.withLock { _ = $0.write(record) }
    }

    /// Takes an ending. It is as durable as this store is, so `durable`, unless the operation has ended before.
    public func commit(_ record: OperationRecord) async -> HistoryDurability {
        state.withLock { $0.write(record) }
    }

    /// The operation with this id.
    public func record(_ id: OperationID) async throws -> OperationRecord? {
        try state.withLock { state in
            try state.requireOpen()
            return state.record(id)
        }
    }

    /// One page of operations, newest first.
    public func page(_ query: HistoryQuery) async throws -> HistoryPage {
        let bounds = try query.keyBounds()
        return try state.withLock { state in
            try state.requireOpen()
            return state.page(query, from: bounds.lowest, below: bounds.end)
        }
    }

    /// Figures by type over everything that ever ended, also what has been dropped since.
    public func statistics(types: Set<OperationType>?) async throws -> [HistoryStatistics] {
        try state.withLock { state in
            try state.requireOpen()
            return state.tallies
                .filter { types?.contains($0.key) ?? true }
                .map { $0.value.statistics(of: $0.key) }
                .sorted { $0.type < $1.type }
        }
    }

    /// Removes what is too old or too many.
    @discardableResult
    public func prune(_ policy: RetentionPolicy) async throws -> Int {
        try state.withLock { state in
            try state.requireOpen()
            return state.prune(policy)
        }
    }

    /// Always ok: there is nothing to go wrong.
    public var health: HistoryHealth { .ok }

    /// Forgets everything.
    public func close() async {
        state.withLock { $0.close() }
    }

    /// Takes an audit entry; it is there at once.
    public func append(_ entry: AuditEntry) {
        state.withLock { $0.note(entry) }
    }

    /// One page of audit entries, newest first.
    public func auditEntries(of operation: OperationID?, cursor: String?, limit: Int) async throws -> AuditPage {
        let end = try HistoryCursor.key(.audit, in: cursor)
        return try state.withLock { state in
            try state.requireOpen()
            return state.auditPage(of: operation, below: end, limit: min(max(limit, 1), 1000))
        }
    }

    /// The latest completed operations of each type.
    public func latestRuns(ofEachType limit: Int) async throws -> [OperationRecord] {
        try state.withLock { state in
            try state.requireOpen()
            return state.latestRuns(ofEachType: limit)
        }
    }

    /// None: nothing outlives its process.
    public func orphans() async throws -> [OperationRecord] {
        try state.withLock { try $0.requireOpen() }
        return []
    }

    /// False: there are no orphans.
    public func adopt(_ id: OperationID) async throws -> Bool {
        try state.withLock { try $0.requireOpen() }
        return false
    }

    /// Writes a first row, unless an operation has its id or an active one its unique key; returns that one.
    public func claim(_ record: OperationRecord) async throws -> OperationRecord? {
        try state.withLock { state in
            try state.requireOpen()
            return state.claim(record)
        }
    }
}
