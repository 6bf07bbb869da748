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
    private let add: Statement

    init(_ database: Database) throws {
        add = try Statement(
            """
            INSERT INTO statistics VALUES (iif(?1 IS NULL, 'all', date(?1 * 86400, 'unixepoch')), ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            ON CONFLICT DO UPDATE SET
                count = count + excluded.count, seconds = seconds + excluded.seconds,
                bytes = bytes + excluded.bytes, byte_seconds = byte_seconds + excluded.byte_seconds
            """,
            in: database
        )
    }

    func count(_ ended: BackgroundOperation) {
        guard let ending = ended.ending else { return }
        let milliseconds = (ended.finishedAt ?? ended.updatedAt).milliseconds
        let day = Int64((Double(milliseconds) / 86_400_000).rounded(.down))
        rows[Row(type: ended.type, day: day, kind: ending.kind), default: EndingSums()] += ending.sums
        rows[Row(type: ended.type, day: nil, kind: ending.kind), default: EndingSums()] += ending.sums
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
            try add.run()
        }
    }

    func discard() {
        rows.removeAll(keepingCapacity: true)
    }
}
