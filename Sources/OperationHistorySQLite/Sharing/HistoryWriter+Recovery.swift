#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking

extension HistoryWriter {
    /// A row whose owner is gone.
    private struct AbandonedRow {
        let key: HistoryKey
        let id: OperationID
        let type: OperationType
        let status: OperationStatus
        let owner: String
        let hasRequest: Bool
        /// What its process left behind.
        let session: AbandonedSession?
        let peakMemoryBytes: Int64?

        /// Whether somebody can take it up again, so that it is not over.
        var canGoOn: Bool { (status == .paused || status == .pending) && hasRequest }
    }

    /// Clears up after owners that are gone: ends the processes they left behind, marks what they were running as
    /// interrupted, lets go of what can go on, and removes their files.
    ///
    /// - Returns: how many operations were marked.
    @discardableResult
    func recover() async throws -> Int {
        guard let file else { throw shared.unwritable }
        let gone = try abandoningOwners(file).compactMap { GoneOwner($0, in: paths.owners) }
        let rows = try gone.flatMap { try abandonedRows(of: $0, in: file) }
        // While this waits, other writes may happen and the file may be replaced. The gone owners' locks are held, so no
        // other process clears up the same rows, and each row is compared again when it is set.
        await AbandonedSession.end(rows.compactMap(\.session), grace: options.terminationGrace)
        let marked = try rows.isEmpty ? 0 : writing { file in try settle(rows, in: file) }
        try removeFiles(of: gone + GoneOwner.all(in: paths.owners))
        return marked
    }

    /// Others may have died meanwhile, whose rows are still to be cleared up. Their locks are held, so they make no new ones.
    private func removeFiles(of gone: [GoneOwner]) throws {
        guard let file else { return }
        let needed = try Set(abandoningOwners(file))
        for owner in gone where !needed.contains(owner.id) { owner.removeFile() }
    }

    private func abandoningOwners(_ file: HistoryFile) throws -> [String] {
        try Statement(
            "SELECT DISTINCT owner FROM operations WHERE status IN \(Schema.active) AND owner IS NOT NULL",
            in: file.database
        )
        .rows { $0.nextText() }
        .compactMap(\.self)
        .filter { $0 != owner?.id }
    }

    private func abandonedRows(of owner: GoneOwner, in file: HistoryFile) throws -> [AbandonedRow] {
        let statement = try Statement(
            """
            SELECT key, operation_id, operation_type, status, request IS NOT NULL, process_group, process_group_start,
                updated_at, peak_memory_bytes
            FROM operations WHERE status IN \(Schema.active) AND owner = ?
            """,
            in: file.database
        )
        try statement.add(owner.id)
        return try statement.rows { row -> AbandonedRow? in
            let key = row.nextInteger().map(HistoryKey.init(rawValue:))
            let id = row.nextText().flatMap(OperationID.init(rawValue:))
            let type = row.nextText().flatMap(OperationType.init(rawValue:))
            let status = row.nextText().flatMap(OperationStatus.init(rawValue:))
            let hasRequest = row.nextInteger() == 1
            let process = OperationColumns.readProcess(row)
            let updatedAt = ProcessIdentity.startTime(at: row.nextInteger() ?? 0)
            let peakMemoryBytes = row.nextInteger()
            guard let key, let id, let type, let status else { return nil }
            return AbandonedRow(
                key: key,
                id: id,
                type: type,
                status: status,
                owner: owner.id,
                hasRequest: hasRequest,
                session: owner.sharesProcesses
                    ? process.flatMap { AbandonedSession(ledBy: $0, lastSign: updatedAt) } : nil,
                peakMemoryBytes: peakMemoryBytes
            )
        }
        .compactMap(\.self)
    }

    private func settle(_ rows: [AbandonedRow], in file: HistoryFile) throws -> Int {
        let unchanged = "WHERE key = ? AND owner = ? AND status = ?"
        let release = try Statement(
            "UPDATE operations SET owner = NULL, process_group = NULL, process_group_start = NULL \(unchanged)",
            in: file.database
        )
        let fail = try Statement(
            """
            UPDATE operations SET status = 'failed', error_code = ?, error = ?, finished_at = ?, updated_at = ?,
                pending_request = NULL, eta_seconds = NULL, eta_low_seconds = NULL, eta_high_seconds = NULL,
                eta_basis = NULL, eta_samples = NULL, eta_overdue = NULL, cpu_percent = NULL, memory_bytes = NULL,
                network_bits_per_second = NULL \(unchanged)
            """,
            in: file.database
        )
        let now = Date.now
        let failure = OperationFailure.leftBehind
        var marked = 0
        for row in rows {
            let statement = row.canGoOn ? release : fail
            if !row.canGoOn {
                try fail.add(failure.code.rawValue)
                try fail.add(failure.message)
                try fail.add(now.milliseconds)
                try fail.add(now.milliseconds)
            }
            try statement.add(row.key.rawValue)
            try statement.add(row.owner)
            try statement.add(row.status.rawValue)
            try statement.run()
            guard !row.canGoOn, file.database.changes > 0 else { continue }
            marked += 1
            try noteInterruption(of: row, at: now, failure, in: file)
        }
        return marked
    }

    private func noteInterruption(of row: AbandonedRow, at now: Date, _ failure: OperationFailure, in file: HistoryFile)
        throws
    {
        var operation = BackgroundOperation(
            id: row.id,
            type: row.type,
            description: "",
            status: .failed,
            createdAt: now
        )
        operation.finishedAt = now
        var record = OperationRecord(operation: operation)
        record.peakMemoryBytes = row.peakMemoryBytes
        file.operations.count(record)
        try file.operations.note(
            AuditEntry(
                at: now,
                actor: "recovery",
                action: "operation.failed",
                operationID: row.id,
                detail: failure.description
            )
        )
    }
}

extension OperationFailure {
    /// How an operation ends whose owner is gone.
    static let leftBehind = OperationFailure(
        .interrupted,
        "The program that ran this operation ended before the operation did; start the operation again."
    )
}
