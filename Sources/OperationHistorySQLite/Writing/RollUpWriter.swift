#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking

/// Adds the endings of one transaction to the table `statistics`: once for the UTC day of the ending, once for all time.
/// They are summed up in memory first, so a group of endings that are alike costs no more than one.
final class RollUpWriter {
    private struct Row: Hashable {
        let type: OperationType
        /// Days since 1970; `nil` for all time.
        let day: Int64?
        let kind: EndingKind
    }

    private var rows: [Row: EndingSums] = [:]
    /// In the order in which they ended.
    private var peaks: [(type: OperationType, bytes: Int64)] = []
    private let add: Statement
    private let addPeak: Statement

    init(_ database: Database) throws {
        add = try Statement(
            """
            INSERT INTO statistics (day, operation_type, status, bucket, count, seconds, bytes, byte_seconds,
                estimates, estimates_covered, estimates_log_error)
            VALUES (iif(?1 IS NULL, 'all', date(?1 * 86400, 'unixepoch')), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
            ON CONFLICT DO UPDATE SET
                count = count + excluded.count, seconds = seconds + excluded.seconds,
                bytes = bytes + excluded.bytes, byte_seconds = byte_seconds + excluded.byte_seconds,
                estimates = estimates + excluded.estimates,
                estimates_covered = estimates_covered + excluded.estimates_covered,
                estimates_log_error = estimates_log_error + excluded.estimates_log_error
            """,
            in: database
        )
        addPeak = try Statement(
            """
            INSERT INTO memory (operation_type, peak_bytes) VALUES (?, ?)
            ON CONFLICT DO UPDATE SET peak_bytes = max(excluded.peak_bytes, peak_bytes / 10 * 9)
            """,
            in: database
        )
    }

    func count(_ ended: OperationRecord) {
        guard let ending = ended.ending else { return }
        let operation = ended.operation
        if let peak = ended.peakMemoryBytes { peaks.append((operation.type, peak)) }
        rows[Row(type: operation.type, day: ended.dayOfEnd, kind: ending.kind), default: EndingSums()] += ending.sums
        rows[Row(type: operation.type, day: nil, kind: ending.kind), default: EndingSums()] += ending.sums
    }

    func write() throws {
        defer { discard() }
        for (row, sums) in rows {
            try add.add(row.day)
            try add.add(row.type.rawValue)
            try add.add(row.kind.status.rawValue)
            try add.add(Int64(row.kind.bucket))
            try add.add(Int64(sums.count))
            try add.add(sums.seconds)
            try add.add(sums.bytes)
            try add.add(sums.byteSeconds)
            try add.add(Int64(sums.accuracy.count))
            try add.add(Int64(sums.accuracy.covered))
            try add.add(sums.accuracy.logErrorSum)
            try add.run()
        }
        for peak in peaks {
            try addPeak.add(peak.type.rawValue)
            try addPeak.add(peak.bytes)
            try addPeak.run()
        }
    }

    func discard() {
        rows.removeAll(keepingCapacity: true)
        peaks.removeAll(keepingCapacity: true)
    }
}
