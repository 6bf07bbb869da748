import OperationTracking

extension HistoryWriter {
    /// The rows that nobody owns: recovery lets go of what can go on.
    func orphans() async throws -> [OperationRecord] {
        try await recover()
        guard let file else { throw shared.unwritable }
        return try Statement(
            """
            SELECT \(OperationColumns.list) FROM operations
            WHERE status IN ('pending', 'paused') AND owner IS NULL ORDER BY key LIMIT 10000
            """,
            in: file.database
        )
        .rows { try OperationColumns.read($0).record }
    }

    func adopt(_ id: OperationID) async throws -> Bool {
        if try takeOrphan(id) { return true }
        // Its owner may have died since anyone last looked.
        try await recover()
        return try takeOrphan(id)
    }

    private func takeOrphan(_ id: OperationID) throws -> Bool {
        guard let owner, !shared.isDegraded else { throw shared.unwritable }
        let taken = try writing { file -> ActiveOperation? in
            let statement = try Statement(
                """
                UPDATE operations SET owner = ?
                WHERE operation_id = ? AND owner IS NULL AND status IN ('pending', 'paused') RETURNING key, started_at
                """,
                in: file.database
            )
            try statement.add(owner.id)
            try statement.add(id.rawValue)
            return try statement.rows { row in
                ActiveOperation(
                    key: HistoryKey(rawValue: row.nextInteger() ?? 0),
                    isStored: true,
                    startIsNoted: row.nextInteger() != nil
                )
            }.first
        }
        if let taken { active[id] = taken }
        return taken != nil
    }

    /// Writes a first row unless its id or its key is taken. While the file can't be written, only this process's own operations are
    /// known, and the record is kept with them.
    func claim(_ record: OperationRecord) async throws -> OperationRecord? {
        if let holder = try await holderAfterClaim(record) {
            guard holder.mayBeGone else { return holder.record }
            try await recover()
            return try await holderAfterClaim(record)?.record
        }
        return nil
    }

    private struct Holder {
        let record: OperationRecord
        /// Whether it is another store's, which may have died.
        let mayBeGone: Bool
    }

    private enum ClaimResult {
        case held(Holder)
        case written(WriteOutcome)
    }

    private func holderAfterClaim(_ record: OperationRecord) async throws -> Holder? {
        try shared.requireOpen()
        // What this store was handed earlier counts.
        drain()
        guard !shared.isDegraded else { return claimInMemory(record) }
        do {
            let result = try writing { file -> ClaimResult in
                if let holder = try earlier(record.operation.id, in: file) { return .held(holder) }
                if let holder = try holder(of: record.uniqueKey, in: file) { return .held(holder) }
                return .written(try write(record, to: file))
            }
            switch result {
            case .held(let holder): return holder
            case .written(let outcome):
                remember(record, outcome)
                if case .volatile(let reason) = outcome.durability { throw HistoryError(.failed, reason) }
                afterCommit(endings: 0)
                return nil
            }
        } catch let error as HistoryError {
            throw error
        } catch {
            degrade(because: error)
            return claimInMemory(record)
        }
    }

    /// The operation that has or had an id; it keeps it for good.
    private func earlier(_ id: OperationID, in file: HistoryFile) throws -> Holder? {
        let statement = try Statement(
            "SELECT \(OperationColumns.list) FROM operations WHERE operation_id = ?",
            in: file.database
        )
        try statement.add(id.rawValue)
        return try statement.rows { Holder(record: try OperationColumns.read($0).record, mayBeGone: false) }.first
    }

    private func holder(of key: String?, in file: HistoryFile) throws -> Holder? {
        guard let key else { return nil }
        let statement = try Statement(
            """
            SELECT \(OperationColumns.list), owner FROM operations
            WHERE unique_key = ? AND status IN \(Schema.active) LIMIT 1
            """,
            in: file.database
        )
        try statement.add(key)
        return try statement.rows { row in
            let record = try OperationColumns.read(row).record
            let holder = row.nextText()
            return Holder(record: record, mayBeGone: holder != nil && holder != owner?.id)
        }.first
    }

    private func claimInMemory(_ record: OperationRecord) -> Holder? {
        if let known = shared.backlog.record(record.operation.id) { return Holder(record: known, mayBeGone: false) }
        let holder = shared.backlog.operations.first {
            record.uniqueKey != nil && $0.record.uniqueKey == record.uniqueKey && $0.record.operation.status.isActive
        }
        if let holder { return Holder(record: holder.record, mayBeGone: false) }
        var batch = PendingWrites()
        batch.add(record, waiter: nil)
        keep(batch)
        return nil
    }
}
