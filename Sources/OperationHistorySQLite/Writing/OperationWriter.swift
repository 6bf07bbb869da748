import OperationTracking

/// What the writer knows of an active operation of its own.
struct ActiveOperation {
    var key: HistoryKey
    /// Whether there is a row.
    var isStored = false
    /// Whether the audit log has its start.
    var startIsNoted = false
}

/// Writes operations' rows and all that depends on them. Each call is made inside a transaction.
final class OperationWriter {
    private let owner: String
    private let database: Database
    private let insertRow: Statement
    private let updateRow: Statement
    private let findRow: Statement
    private let insertAudit: Statement
    private let rollUps: RollUpWriter

    init(_ database: Database, owner: String) throws {
        let columns = OperationColumns.fixed + OperationColumns.changing + ["owner"]
        let marks = Array(repeating: "?", count: columns.count).joined(separator: ", ")
        let settings = OperationColumns.changing.map { "\($0) = ?" }.joined(separator: ", ")
        self.owner = owner
        self.database = database
        insertRow = try Statement(
            "INSERT INTO operations (\(columns.joined(separator: ", "))) VALUES (\(marks)) ON CONFLICT DO NOTHING",
            in: database
        )
        updateRow = try Statement(
            "UPDATE operations SET \(settings) WHERE key = ? AND owner = ? AND status IN \(Schema.active)",
            in: database
        )
        findRow = try Statement(
            "SELECT key, status, owner, started_at, created_at FROM operations WHERE operation_id = ?",
            in: database
        )
        insertAudit = try Statement(
            "INSERT INTO audit (at, actor, action, operation_id, detail) VALUES (?, ?, ?, ?, ?)",
            in: database
        )
        rollUps = try RollUpWriter(database)
    }

    /// Writes a state, by insertion or by compare-and-set.
    func write(_ record: OperationRecord, _ active: inout ActiveOperation) throws -> HistoryDurability {
        guard record.isWithinPayloadLimit else { return try write(record.withinPayloadLimit(), &active) }
        guard try active.isStored ? update(record, active.key) : insert(record, active.key) else {
            return try reconcile(record, &active)
        }
        try finish(record, &active)
        return .durable
    }

    func note(_ entry: AuditEntry) throws(SQLiteFailure) {
        try insertAudit.add(entry.at.milliseconds)
        try insertAudit.add(entry.actor)
        try insertAudit.add(entry.action)
        try insertAudit.add(entry.operationID?.rawValue)
        try insertAudit.add(entry.detail)
        try insertAudit.run()
    }

    /// Counts an ending; see ``writeRollUps()``.
    func count(_ ended: OperationRecord) {
        rollUps.count(ended)
    }

    /// Writes what the endings of this transaction come to.
    func writeRollUps() throws {
        try rollUps.write()
    }

    /// Forgets what was counted in a transaction that came to nothing.
    func discardRollUps() {
        rollUps.discard()
    }

    private func finish(_ record: OperationRecord, _ active: inout ActiveOperation) throws {
        for entry in AuditEntry.entries(for: record, startIsNoted: active.startIsNoted) { try note(entry) }
        active.isStored = true
        active.startIsNoted = active.startIsNoted || record.hasStarted
        if record.operation.status.isTerminal { count(record) }
    }

    private func insert(_ record: OperationRecord, _ key: HistoryKey) throws -> Bool {
        try OperationColumns.bindFixed(record, key: key, to: insertRow)
        try OperationColumns.bindChanging(record, to: insertRow)
        try insertRow.add(owner)
        try insertRow.run()
        return database.changes > 0
    }

    private func update(_ record: OperationRecord, _ key: HistoryKey) throws -> Bool {
        try OperationColumns.bindChanging(record, to: updateRow)
        try updateRow.add(key.rawValue)
        try updateRow.add(owner)
        try updateRow.run()
        return database.changes > 0
    }

    /// Finds out why a write met no row or another's, which is rare, and does what is right then.
    private func reconcile(_ record: OperationRecord, _ active: inout ActiveOperation) throws -> HistoryDurability {
        try findRow.add(record.operation.id.rawValue)
        let found = try findRow.rows { row in
            (
                key: HistoryKey(rawValue: row.nextInteger() ?? 0), status: row.nextText() ?? "", owner: row.nextText(),
                hasStarted: row.nextInteger() != nil, createdAt: row.nextInteger() ?? 0
            )
        }.first
        guard let found else {
            // Either the row's key is taken by another operation of the same millisecond, or the row was lost with a
            // damaged file.
            repeat { active.key = active.key.redrawn() } while try !insert(record, active.key)
            try finish(record, &active)
            return .durable
        }
        guard found.createdAt == record.operation.createdAt.milliseconds else {
            return .volatile(
                reason: "An earlier operation had the id \(record.operation.id): an id is for one operation only."
            )
        }
        if found.status == record.operation.status.rawValue, record.operation.status.isTerminal { return .durable }
        let hasEnded = OperationStatus(rawValue: found.status)?.isTerminal ?? true
        guard found.owner == owner, !hasEnded, try update(record, found.key) else {
            let holder = hasEnded ? "it has ended before as \(found.status)" : "another process runs it"
            return .volatile(reason: "The operation's row is not this process's to write: \(holder).")
        }
        active = ActiveOperation(key: found.key, isStored: true, startIsNoted: found.hasStarted)
        try finish(record, &active)
        return .durable
    }
}
