#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking

/// Retention. It works in batches, between which everything else that waits for the writer has its turn.
extension HistoryWriter {
    private static let batchSize = 500

    /// One condition of a policy, for one table.
    private enum PruningStep {
        case operationsEnded(before: Date)
        case operationsBeyond(count: Int)
        case auditNoted(before: Date)
        case auditBeyond(count: Int64)
    }

    /// What one batch removed, and the key at which it ended.
    fileprivate struct PrunedBatch {
        var count = 0
        var lastKey: Int64 = -1
    }

    /// Removes what a policy says, and returns how many operations that were.
    func prune(_ policy: RetentionPolicy) async throws -> Int {
        var operations = 0
        for step in Self.steps(of: policy) {
            var batch = PrunedBatch()
            repeat {
                try Task.checkCancellation()
                try shared.requireOpen()
                guard file != nil, !shared.isDegraded else { throw shared.unwritable }
                batch = try removeBatch(step, after: batch.lastKey)
                switch step {
                case .operationsEnded, .operationsBeyond: operations += batch.count
                case .auditNoted, .auditBeyond: break
                }
                await Task.yield()
            } while batch.count == Self.batchSize
        }
        return operations
    }

    private static func steps(of policy: RetentionPolicy) -> [PruningStep] {
        var steps: [PruningStep] = []
        if let age = policy.maximumAge {
            let oldest = Date.now.addingTimeInterval(-age.inSeconds)
            steps += [.operationsEnded(before: oldest), .auditNoted(before: oldest)]
        }
        if let count = policy.maximumCount.map({ max($0, 0) }) {
            // An operation has a start and an end in the audit log.
            steps += [.operationsBeyond(count: count), .auditBeyond(count: 2 * Int64(min(count, .max / 2)))]
        }
        return steps
    }

    private func removeBatch(_ step: PruningStep, after position: Int64) throws -> PrunedBatch {
        try writing { file in
            switch step {
            case .operationsEnded(let oldest):
                // What was created later can't have ended before, so the walk ends there.
                let end = HistoryKey(lowestAt: oldest)
                return try file.removeEnded(
                    after: position,
                    below: end,
                    before: oldest.milliseconds,
                    limit: Self.batchSize
                )
            case .operationsBeyond(let count):
                let excess = try file.endedCount() - Int64(count)
                guard excess > 0 else { return PrunedBatch() }
                return try file.removeEnded(
                    after: position,
                    below: .end,
                    before: .max,
                    limit: min(Int(excess), Self.batchSize)
                )
            case .auditNoted(let oldest):
                return try file.removeAudit(limit: Self.batchSize) { $0.at < oldest }
            case .auditBeyond(let count):
                let newest = try file.database.integer("SELECT max(key) FROM audit")
                return try file.removeAudit(limit: Self.batchSize) { $0.key <= newest - count }
            }
        }
    }
}

extension HistoryFile {
    /// How many ended operations there are: what ever ended less what was removed, so that no table is walked to count.
    fileprivate func endedCount() throws -> Int64 {
        try database.integer(
            "SELECT (SELECT coalesce(sum(count), 0) FROM statistics WHERE day = 'all') - (SELECT operations FROM pruned)"
        )
    }

    /// Removes the oldest ended operations that fulfil the conditions.
    fileprivate func removeEnded(
        after position: Int64,
        below end: HistoryKey,
        before moment: Int64,
        limit: Int
    ) throws -> HistoryWriter.PrunedBatch {
        let find = try Statement(
            """
            SELECT key FROM operations NOT INDEXED WHERE key > ? AND key < ? AND status NOT IN \(Schema.active)
                AND coalesce(finished_at, updated_at) < ? ORDER BY key LIMIT ?
            """,
            in: database
        )
        try find.add(position)
        try find.add(end.rawValue)
        try find.add(moment)
        try find.add(Int64(limit))
        let keys = try find.rows { $0.nextInteger() ?? 0 }
        let delete = try Statement("DELETE FROM operations WHERE key = ?", in: database)
        for key in keys {
            try delete.add(key)
            try delete.run()
        }
        try database.execute("UPDATE pruned SET operations = operations + \(keys.count)")
        return HistoryWriter.PrunedBatch(count: keys.count, lastKey: keys.last ?? position)
    }

    /// Removes audit entries from the oldest on while `isOld` holds: they are in order, so nothing behind is looked at.
    fileprivate func removeAudit(
        limit: Int,
        while isOld: ((key: Int64, at: Date)) -> Bool
    ) throws -> HistoryWriter.PrunedBatch {
        let find = try Statement("SELECT key, at FROM audit ORDER BY key LIMIT \(limit)", in: database)
        let oldest = try find.rows { (key: $0.nextInteger() ?? 0, at: Date(milliseconds: $0.nextInteger() ?? 0)) }
        let old = oldest.prefix(while: isOld)
        guard let last = old.last else { return HistoryWriter.PrunedBatch() }
        let delete = try Statement("DELETE FROM audit WHERE key <= ?", in: database)
        try delete.add(last.key)
        try delete.run()
        return HistoryWriter.PrunedBatch(count: old.count, lastKey: last.key)
    }
}
