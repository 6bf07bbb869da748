#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking

/// How a record stands in a row. Binding, reading and the statements all keep to the order of the two lists.
enum OperationColumns {
    /// What never changes after the first write.
    static let fixed = [
        "key", "operation_id", "operation_type", "parent_id", "created_at", "unique_key",
        "band_low", "band_high", "retry_policy", "estimate_feature",
        "writes_to_data_directory",
    ]
    /// What each write sets.
    static let changing = [
        "description", "status", "pending_request", "priority", "phase", "message", "attempt",
        "progress", "completed_units", "total_units", "rewound_units", "present_units", "unit",
        "eta_seconds", "eta_low_seconds", "eta_high_seconds", "eta_basis", "eta_samples",
        "cpu_percent", "memory_bytes", "network_bits_per_second",
        "pid", "error", "error_code", "retry_after_seconds",
        "started_at", "updated_at", "finished_at", "active_seconds", "node",
        "request", "result", "resume_state", "process_group", "process_group_start", "started_by",
        "peak_memory_bytes", "phases", "estimates", "estimates_covered", "estimates_log_error",
        "eta_overdue", "estimates_width",
    ]
    /// All of a record, for a `SELECT`.
    static let list = (fixed + changing).joined(separator: ", ")
    /// The same without what may be large.
    static let listWithoutPayload = (fixed + changing)
        .map { ["request", "result", "resume_state"].contains($0) ? "NULL" : $0 }.joined(separator: ", ")

    static func bindFixed(_ record: OperationRecord, key: HistoryKey, to row: Statement) throws(SQLiteFailure) {
        let operation = record.operation
        try row.add(key.rawValue)
        try row.add(operation.id.rawValue)
        try row.add(operation.type.rawValue)
        try row.add(operation.parentID?.rawValue)
        try row.add(operation.createdAt.milliseconds)
        try row.add(record.uniqueKey)
        try row.add(record.band?.lowerBound)
        try row.add(record.band?.upperBound)
        try row.add(record.retry.flatMap { try? JSONEncoder().encode($0) }.map(Array.init), asText: true)
        try row.add(record.estimateFeature)
        try row.add(Int64(record.writesToDataDirectory ? 1 : 0))
    }

    static func bindChanging(_ record: OperationRecord, to row: Statement) throws(SQLiteFailure) {
        let operation = record.operation
        try row.add(operation.description)
        try row.add(operation.status.rawValue)
        try row.add(operation.pendingRequest?.rawValue)
        try row.add(operation.priority.rawValue)
        try row.add(operation.phase)
        try row.add(operation.message)
        try row.add(Int64(operation.attempt))
        try row.add(operation.progress.percent)
        try row.add(operation.progress.completedUnits)
        try row.add(operation.progress.totalUnits)
        try row.add(operation.progress.rewoundUnits)
        try row.add(operation.progress.presentUnits)
        try row.add(operation.progress.unit.rawValue)
        try row.add(operation.remaining?.expected)
        try row.add(operation.remaining?.low)
        try row.add(operation.remaining?.high)
        try row.add(operation.remaining?.basis.rawValue)
        try row.add(operation.remaining.map { Int64($0.samples) })
        try row.add(operation.resources.cpuPercent)
        try row.add(operation.resources.memoryBytes)
        try row.add(operation.resources.networkBitsPerSecond)
        try row.add(operation.pid.map(Int64.init))
        try row.add(operation.failure?.message)
        try row.add(operation.failure?.code.rawValue)
        try row.add(operation.failure?.retryAfter?.inSeconds)
        try row.add(operation.startedAt?.milliseconds)
        try row.add(operation.updatedAt.milliseconds)
        try row.add(operation.finishedAt?.milliseconds)
        try row.add(operation.activeSeconds)
        try row.add(operation.node)
        try row.add(record.request, asText: true)
        try row.add(record.result, asText: true)
        try row.add(record.resumeState, asText: false)
        try row.add(record.processGroup.map { Int64($0.pid) })
        try row.add(record.processGroup.map { Int64(bitPattern: $0.startTime) })
        try row.add(record.startedBy)
        try row.add(record.peakMemoryBytes)
        let phases = record.phases.isEmpty ? nil : try? JSONEncoder().encode(record.phases)
        try row.add(phases.map(Array.init), asText: true)
        try row.add(record.accuracy.map { Int64($0.count) })
        try row.add(record.accuracy.map { Int64($0.covered) })
        try row.add(record.accuracy?.logErrorSum)
        try row.add(operation.isOverdue.map { Int64($0 ? 1 : 0) })
        try row.add(record.estimateWidth)
    }

    /// Reads the columns of ``list``.
    ///
    /// - Throws: ``HistoryError`` when a value isn't one of those that are ever written.
    static func read(_ row: Statement) throws(HistoryError) -> KeyedRecord {
        let key = HistoryKey(rawValue: row.nextInteger() ?? 0)
        func required<Value>(_ value: Value?, _ column: String) throws(HistoryError) -> Value {
            guard let value else {
                throw HistoryError(
                    .failed,
                    "The row with key \(key.rawValue) has a \(column) that can't be read: correct or delete it."
                )
            }
            return value
        }
        let id = try required(row.nextText().flatMap(OperationID.init(rawValue:)), "operation_id")
        let type = try required(row.nextText().flatMap(OperationType.init(rawValue:)), "operation_type")
        let parentID = row.nextText().flatMap(OperationID.init(rawValue:))
        let createdAt = Date(milliseconds: row.nextInteger() ?? 0)
        let uniqueKey = row.nextText()
        let band = readBand(row)
        let retry = row.nextBytes().flatMap { try? JSONDecoder().decode(RetryPolicy.self, from: Data($0)) }
        let feature = row.nextText()
        let writesToDataDirectory = row.nextInteger() == 1
        let description = row.nextText() ?? ""
        let status = try required(row.nextText().flatMap(OperationStatus.init(rawValue:)), "status")

        var operation = BackgroundOperation(
            id: id,
            type: type,
            description: description,
            status: status,
            createdAt: createdAt
        )
        operation.parentID = parentID
        operation.pendingRequest = row.nextText().flatMap(PendingRequest.init(rawValue:))
        operation.priority = row.nextText().flatMap(OperationPriority.init(rawValue:)) ?? .normal
        operation.phase = row.nextText()
        operation.message = row.nextText()
        operation.attempt = Int(row.nextInteger() ?? 0)
        operation.progress = readProgress(row)
        operation.remaining = readRemainingTime(row)
        operation.resources = ResourceImpact(
            cpuPercent: row.nextDouble(),
            memoryBytes: row.nextInteger(),
            networkBitsPerSecond: row.nextDouble()
        )
        operation.pid = row.nextInteger().map(Int32.init(truncatingIfNeeded:))
        operation.failure = readFailure(row)
        operation.startedAt = row.nextInteger().map(Date.init(milliseconds:))
        operation.updatedAt = row.nextInteger().map(Date.init(milliseconds:)) ?? createdAt
        operation.finishedAt = row.nextInteger().map(Date.init(milliseconds:))
        operation.activeSeconds = row.nextDouble()
        operation.node = row.nextText()

        var record = OperationRecord(operation: operation)
        record.uniqueKey = uniqueKey
        record.band = band
        record.retry = retry
        record.request = row.nextBytes()
        record.result = row.nextBytes()
        record.resumeState = row.nextBytes()
        record.processGroup = readProcess(row)
        record.startedBy = row.nextText()
        record.peakMemoryBytes = row.nextInteger()
        record.phases = row.nextBytes().flatMap { try? JSONDecoder().decode([PhaseTime].self, from: Data($0)) } ?? []
        record.accuracy = readAccuracy(row)
        record.operation.isOverdue = row.nextInteger().map { $0 != 0 }
        record.estimateWidth = row.nextDouble()
        record.estimateFeature = feature
        record.writesToDataDirectory = writesToDataDirectory
        return KeyedRecord(key: key, record: record)
    }

    /// Reads two columns: a process's number and its start.
    static func readProcess(_ row: Statement) -> ProcessIdentity? {
        let pid = row.nextInteger()
        let start = row.nextInteger()
        guard let pid, let start else { return nil }
        return ProcessIdentity(pid: Int32(truncatingIfNeeded: pid), startTime: UInt64(bitPattern: start))
    }

    /// Reads three columns; `nil` where nothing was judged.
    private static func readAccuracy(_ row: Statement) -> EstimateAccuracy? {
        let accuracy = readSummedAccuracy(row)
        return accuracy.count > 0 ? accuracy : nil
    }

    /// Reads three columns.
    static func readSummedAccuracy(_ row: Statement) -> EstimateAccuracy {
        EstimateAccuracy(
            count: Int(row.nextInteger() ?? 0),
            covered: Int(row.nextInteger() ?? 0),
            logErrorSum: row.nextDouble() ?? 0
        )
    }

    private static func readBand(_ row: Statement) -> Range<Double>? {
        let low = row.nextDouble()
        let high = row.nextDouble()
        guard let low, let high, low <= high else { return nil }
        return low..<high
    }

    private static func readProgress(_ row: Statement) -> OperationProgress {
        OperationProgress(
            percent: row.nextDouble() ?? 0,
            completedUnits: row.nextInteger() ?? 0,
            totalUnits: row.nextInteger(),
            rewoundUnits: row.nextInteger() ?? 0,
            presentUnits: row.nextInteger() ?? 0,
            unit: row.nextText().flatMap(OperationUnit.init(rawValue:)) ?? .bytes
        )
    }

    private static func readRemainingTime(_ row: Statement) -> RemainingTime? {
        let expected = row.nextDouble()
        let low = row.nextDouble()
        let high = row.nextDouble()
        let basis = row.nextText().flatMap(RemainingTime.Basis.init(rawValue:))
        let samples = row.nextInteger()
        guard let expected, let low, let high, let basis else { return nil }
        return RemainingTime(expected: expected, low: low, high: high, basis: basis, samples: Int(samples ?? 0))
    }

    private static func readFailure(_ row: Statement) -> OperationFailure? {
        let message = row.nextText()
        let code = row.nextText()
        let retryAfter = row.nextDouble()
        guard let message, let code else { return nil }
        return OperationFailure(.init(rawValue: code), message, retryAfter: retryAfter.map { .milliseconds($0 * 1000) })
    }
}

/// A record and its place in the history.
struct KeyedRecord: Sendable, Hashable {
    let key: HistoryKey
    var record: OperationRecord
}
