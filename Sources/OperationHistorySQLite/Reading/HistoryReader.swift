#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking

/// A connection that only reads, on a queue of its own: in WAL mode readers and the writer don't wait for each other.
actor HistoryReader {
    private let executor = QueueExecutor(label: "OperationHistorySQLite.reader")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let paths: HistoryPaths
    private let shared: SharedState
    private let patience: Duration
    private let endsWhenCancelled: Bool
    private var connection: Database?
    private var generation = 0
    private var statements: [String: Statement] = [:]

    /// - Parameter endsWhenCancelled: whether it reads nothing, or no further, for a task that is cancelled.
    init(paths: HistoryPaths, shared: SharedState, patience: Duration, endsWhenCancelled: Bool = false) {
        self.paths = paths
        self.shared = shared
        self.patience = patience
        self.endsWhenCancelled = endsWhenCancelled
    }

    func close() {
        statements = [:]
        connection = nil
    }

    func record(_ id: OperationID) throws -> OperationRecord? {
        let statement = try prepared("SELECT \(OperationColumns.list) FROM operations WHERE operation_id = ?")
        try statement.add(id.rawValue)
        return try statement.rows { try OperationColumns.read($0).record }.first
    }

    /// The newest records that fulfil the query's conditions, at most `limit`.
    func records(_ query: HistoryQuery, limit: Int) throws -> [KeyedRecord] {
        let bounds = try query.keyBounds()
        let page = PageStatement(query)
        let statement = try prepared(page.sql)
        try page.bind(to: statement, from: bounds.lowest, below: bounds.end, limit: limit)
        return try statement.rows(OperationColumns.read)
    }

    /// The newest completed operations of each of the types that ran last, without what may be large of them: more types than that
    /// are not told apart by estimates, and their names may come from outside. Of more than 4,096 types so many are looked at, whichever
    /// those are.
    func latestRuns(ofEachType limit: Int) throws -> [OperationRecord] {
        let types = try prepared(
            """
            SELECT type, (
                SELECT key FROM operations INDEXED BY operations_by_type_and_status
                WHERE operation_type = type AND status = 'completed' ORDER BY key DESC LIMIT 1
            ) AS newest
            FROM (
                SELECT DISTINCT operation_type AS type FROM statistics
                WHERE day = 'all' AND status = 'completed' LIMIT 4096
            )
            WHERE newest IS NOT NULL ORDER BY newest DESC LIMIT 64
            """
        )
        let names = try types.rows { $0.nextText() }.compactMap(\.self)
        return try names.flatMap { name in
            let statement = try prepared(
                """
                SELECT \(OperationColumns.listWithoutPayload) FROM operations INDEXED BY operations_by_type_and_status
                WHERE operation_type = ? AND status = 'completed' ORDER BY key DESC LIMIT ?
                """
            )
            try statement.add(name)
            try statement.add(Int64(limit))
            return try statement.rows { try OperationColumns.read($0).record }
        }
    }

    /// The statistics over all time.
    func tallies() throws -> [OperationType: OperationTally] {
        let statement = try prepared(
            """
            SELECT operation_type, status, bucket, count, seconds, bytes, byte_seconds,
                estimates, estimates_covered, estimates_log_error
            FROM statistics WHERE day = 'all'
            """
        )
        var tallies: [OperationType: OperationTally] = [:]
        for (type, kind, sums) in try statement.rows(Self.readSums).compactMap(\.self) {
            tallies[type, default: OperationTally()].add(sums, of: kind)
        }
        let days = try prepared(
            """
            SELECT operation_type, CAST(strftime('%s', day) AS INTEGER) / 86400,
                sum(estimates), sum(estimates_covered), sum(estimates_log_error)
            FROM statistics
            WHERE day > date('now', '-\(HistoryStatistics.recentDays) days') AND day < 'all' AND estimates > 0
            GROUP BY operation_type, day
            """
        )
        for (name, day, accuracy) in try days.rows({
            ($0.nextText(), $0.nextInteger(), OperationColumns.readSummedAccuracy($0))
        }) {
            guard let type = name.flatMap(OperationType.init(rawValue:)), let day else { continue }
            tallies[type, default: OperationTally()].add(accuracy, onDay: day)
        }
        let memory = try prepared("SELECT operation_type, peak_bytes FROM memory")
        for (name, peak) in try memory.rows({ ($0.nextText(), $0.nextInteger()) }) {
            guard let type = name.flatMap(OperationType.init(rawValue:)), let peak else { continue }
            tallies[type, default: OperationTally()].add(peakMemoryBytes: peak)
        }
        return tallies
    }

    func auditEntries(
        of operation: OperationID?,
        below end: HistoryKey,
        limit: Int
    ) throws -> [(key: HistoryKey, entry: AuditEntry)] {
        let only = operation == nil ? "" : "operation_id = ? AND "
        let statement = try prepared(
            "SELECT key, at, actor, action, operation_id, detail FROM audit WHERE \(only)key < ? ORDER BY key DESC LIMIT ?"
        )
        if let operation { try statement.add(operation.rawValue) }
        try statement.add(end.rawValue)
        try statement.add(Int64(limit))
        return try statement.rows { row in
            let key = HistoryKey(rawValue: row.nextInteger() ?? 0)
            let entry = AuditEntry(
                at: Date(milliseconds: row.nextInteger() ?? 0),
                actor: row.nextText() ?? "",
                action: row.nextText() ?? "",
                operationID: row.nextText().flatMap(OperationID.init(rawValue:)),
                detail: row.nextText()
            )
            return (key, entry)
        }
    }

    private static func readSums(_ row: Statement) -> (OperationType, EndingKind, EndingSums)? {
        let type = row.nextText().flatMap(OperationType.init(rawValue:))
        let status = row.nextText().flatMap(OperationStatus.init(rawValue:))
        guard let type, let status else { return nil }
        let kind = EndingKind(status: status, bucket: Int(row.nextInteger() ?? 0))
        let sums = EndingSums(
            count: Int(row.nextInteger() ?? 0),
            seconds: row.nextDouble() ?? 0,
            bytes: row.nextInteger() ?? 0,
            byteSeconds: row.nextDouble() ?? 0,
            accuracy: OperationColumns.readSummedAccuracy(row)
        )
        return (type, kind, sums)
    }

    private func prepared(_ sql: String) throws -> Statement {
        if endsWhenCancelled { try Task.checkCancellation() }
        let database = try openConnection()
        if let kept = statements[sql] { return kept }
        if statements.count >= 64 { statements = [:] }
        let statement = try Statement(sql, in: database)
        statements[sql] = statement
        return statement
    }

    private func openConnection() throws -> Database {
        let current = shared.fileGeneration
        if let connection, generation == current { return connection }
        close()
        let opened = try Database(path: paths.database, createsFile: false, patience: patience)
        try opened.execute("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY")
        if endsWhenCancelled { opened.endReadingWhenCancelled() }
        connection = opened
        generation = current
        return opened
    }
}
