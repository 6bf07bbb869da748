public import OperationTracking

/// The history of one machine in an SQLite file: `history.sqlite` in a directory of its own, which several processes may
/// share and which anyone can read with the `sqlite3` shell.
///
/// What has been acknowledged survives a crash and a power cut. Writes are grouped: what is handed over with
/// ``enqueue(_:)`` is on disk within 50 ms, and all calls of ``commit(_:)`` that wait share one transaction. When the file
/// can't be written, because the disk is full for example, ``health`` says so, everything is kept in memory within bounds,
/// and is written once that is possible. ``record(_:)`` and ``page(_:)`` show it all the while.
///
/// Close a store with ``close()``. What an unclosed store was running counts as interrupted as soon as its process is gone.
public final class SQLiteHistoryStore: HistoryStore, AuditLog, SharedHistory, LatestRuns, Sendable {
    private let shared: SharedState
    let writer: HistoryWriter
    private let readers: ReaderPool

    private init(paths: HistoryPaths, options: Options) {
        shared = SharedState()
        writer = HistoryWriter(paths: paths, options: options, shared: shared)
        readers = ReaderPool(paths: paths, shared: shared, patience: options.lockPatience)
    }

    /// Opens the history in a directory, and makes both when they aren't there.
    ///
    /// It then clears up after processes that are gone, as ``recover()`` does. A damaged file is set aside under a new name
    /// when no other process has it open, which ``notices`` tells. Where the disk is full, or a damaged file is in use
    /// elsewhere, a store is returned whose ``health`` is degraded.
    ///
    /// - Parameters:
    ///   - directory: where the file is, or will be; made for this user only.
    ///   - options: how much is kept.
    /// - Throws: `HistoryError`: `cannot_open` when the directory can't be made or written, `incompatible` when the file
    ///   is a newer version's or another program's; such a file is not touched.
    public static func open(in directory: String, options: Options = Options()) async throws -> SQLiteHistoryStore {
        let paths = HistoryPaths(directory: directory)
        try paths.makeDirectories()
        let store = SQLiteHistoryStore(paths: paths, options: options)
        try await store.writer.open()
        return store
    }

    /// What people should know of this store, such as where a damaged file went; in the order in which it happened.
    public var notices: [String] { shared.notices }

    /// Degraded while what is handed over is kept in memory only; the reason says why and what was dropped.
    public var health: HistoryHealth { shared.health }

    /// Writes what still waits, lets go of the file, and leaves the store gone as an owner; see ``HistoryStore/close()``.
    public func close() async {
        shared.close()
        await writer.close()
        await readers.close()
    }

    // MARK: Writing

    /// Takes a state and returns at once: no lock that is held during I/O, no I/O. It is on disk within 50 ms.
    public func enqueue(_ record: OperationRecord) {
        writer.wake(shared.add(record))
    }

    /// Takes an ending and returns when its transaction is durable, or with the reason why it is kept in memory only.
    public func commit(_ record: OperationRecord) async -> HistoryDurability {
        await withCheckedContinuation { waiter in
            writer.wake(shared.add(record, waiter: waiter))
        }
    }

    /// Takes an audit entry and returns at once. It is on disk within 50 ms.
    public func append(_ entry: AuditEntry) {
        writer.wake(shared.append(entry))
    }

    /// Removes what is too old or too many, in batches between which commits go on.
    @discardableResult
    public func prune(_ policy: RetentionPolicy) async throws -> Int {
        try shared.requireOpen()
        return try await explained { try await self.writer.prune(policy) }
    }

    /// How many operations have been handed over and not yet been taken by the writer.
    var waitingCount: Int { shared.waitingCount }

    // MARK: Reading

    /// The operation with this id, on disk or kept in memory.
    public func record(_ id: OperationID) async throws -> OperationRecord? {
        if let kept = shared.backlog.record(id) { return kept }
        return try await read(.lookUp) { try $0.record(id) } ?? nil
    }

    /// One page of operations, newest first, on disk or kept in memory. A search of texts, which looks at every row, ends with
    /// `CancellationError` when its task is cancelled.
    public func page(_ query: HistoryQuery) async throws -> HistoryPage {
        let bounds = try query.keyBounds()
        let backlog = shared.backlog
        // One more than the page holds says whether anything follows. Of what is kept in memory, the rows on disk are older
        // states, which may have to be left out again.
        let limit = query.effectiveLimit
        let kind: ReaderPool.Kind = query.text == nil ? .page : .search
        var found = try await read(kind) { try $0.records(query, limit: limit + 1 + backlog.operations.count) } ?? []
        if !backlog.isEmpty {
            found.removeAll { backlog.record($0.record.operation.id) != nil }
            found += backlog.operations.filter {
                $0.key >= bounds.lowest && $0.key < bounds.end && query.matches($0.record.operation)
            }
            found.sort { $0.key > $1.key }
        }
        let page = found.prefix(limit)
        return HistoryPage(
            records: page.map(\.record),
            nextCursor: found.count > limit ? page.last.map { HistoryCursor.text(.operations, after: $0.key) } : nil
        )
    }

    /// Figures by type over everything that ever ended, from sums that are kept with each ending.
    public func statistics(types: Set<OperationType>?) async throws -> [HistoryStatistics] {
        let backlog = shared.backlog
        var tallies = try await read(.page) { try $0.tallies() } ?? [:]
        for record in backlog.operations.map(\.record) {
            guard record.operation.status.isTerminal else { continue }
            tallies[record.operation.type, default: OperationTally()].add(record)
        }
        return
            tallies
            .filter { types?.contains($0.key) ?? true }
            .map { $0.value.statistics(of: $0.key) }
            .sorted { $0.type < $1.type }
    }

    /// The latest completed operations of each type on disk, without request, result and resume state.
    public func latestRuns(ofEachType limit: Int) async throws -> [OperationRecord] {
        try await read(.page) { try $0.latestRuns(ofEachType: limit) } ?? []
    }

    /// One page of entries, newest first. While the store is degraded, what is kept in memory is not among them.
    public func auditEntries(of operation: OperationID?, cursor: String?, limit: Int) async throws -> AuditPage {
        let end = try HistoryCursor.key(.audit, in: cursor)
        let limit = min(max(limit, 1), 1000)
        let found = try await read(.page) { try $0.auditEntries(of: operation, below: end, limit: limit + 1) } ?? []
        let page = found.prefix(limit)
        return AuditPage(
            entries: page.map(\.entry),
            nextCursor: found.count > limit ? page.last.map { HistoryCursor.text(.audit, after: $0.key) } : nil
        )
    }

    /// Reads from the file. While the store is degraded the file may be unreadable too; then there is nothing but what is
    /// kept in memory, and the result is `nil`.
    private func read<Result: Sendable>(
        _ kind: ReaderPool.Kind,
        _ body: @Sendable (isolated HistoryReader) throws -> Result
    ) async throws -> Result? {
        try shared.requireOpen()
        do {
            return try await readers.read(kind, body)
        } catch let failure as SQLiteFailure {
            if failure.isInterruption { throw CancellationError() }
            if failure.isDamage { await writer.damageWasFound() }
            guard shared.isDegraded else { throw failure.historyError }
            return nil
        }
    }

    // MARK: Sharing

    /// Clears up after processes that shared this history and are gone: ends the processes they left behind, marks
    /// what they were running as failed with the code `interrupted`, and removes their lock files. Opening does this too.
    ///
    /// - Returns: how many operations were marked.
    /// - Throws: `HistoryError` when the store can't be written.
    @discardableResult
    public func recover() async throws -> Int {
        try await explained { try await self.writer.recover() }
    }

    /// Paused operations, and pending ones with a request, whose owner is gone; oldest first. It clears up as ``recover()`` does.
    public func orphans() async throws -> [OperationRecord] {
        try await explained { try await self.writer.orphans() }
    }

    /// Makes this store the owner of an orphan, unless another was faster.
    public func adopt(_ id: OperationID) async throws -> Bool {
        try await explained { try await self.writer.adopt(id) }
    }

    /// Writes a first row unless an operation has its id or an active one its unique key. While the store is degraded, only its
    /// own operations and what can still be read are known, and the row is kept in memory.
    public func claim(_ record: OperationRecord) async throws -> OperationRecord? {
        // Where the writer can't look into the file, a reader may.
        if shared.isDegraded, let known = try await self.record(record.operation.id) { return known }
        return try await explained { try await self.writer.claim(record) }
    }

    private func explained<Result>(_ body: () async throws -> Result) async throws -> Result {
        try shared.requireOpen()
        do {
            return try await body()
        } catch let failure as SQLiteFailure {
            throw failure.historyError
        }
    }
}
