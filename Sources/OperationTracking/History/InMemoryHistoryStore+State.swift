#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension InMemoryHistoryStore {
    /// The history itself, as a plain value.
    struct State: Sendable {
        private let maximumCount: Int
        private var records: [HistoryKey: OperationRecord] = [:]
        private var keysInOrder: [HistoryKey] = []
        private var keysByID: [OperationID: HistoryKey] = [:]
        private var endedCount = 0
        private var sequence = HistoryKeySequence()
        private(set) var tallies: [OperationType: OperationTally] = [:]
        private var audit: [AuditEntry] = []
        private var droppedAuditCount: Int64 = 0
        private var isClosed = false

        init(maximumCount: Int) {
            self.maximumCount = maximumCount
        }

        func requireOpen() throws(HistoryError) {
            guard !isClosed else { throw .closed }
        }

        mutating func close() {
            self = State(maximumCount: maximumCount)
            isClosed = true
        }

        func record(_ id: OperationID) -> OperationRecord? {
            keysByID[id].flatMap { records[$0] }
        }

        mutating func write(_ record: OperationRecord) -> HistoryDurability {
            guard !isClosed else { return .volatile(reason: HistoryError.closed.message) }
            let latest = record.withinPayloadLimit()
            let known = keysByID[latest.operation.id]
            let previous = known.flatMap { records[$0] }
            if let previous, previous.operation.createdAt != latest.operation.createdAt {
                return .volatile(
                    reason: "An earlier operation had the id \(latest.operation.id): an id is for one operation only."
                )
            }
            if let previous, previous.operation.status.isTerminal {
                return previous.operation.status == latest.operation.status
                    ? .durable
                    : .volatile(reason: "The operation has ended before as \(previous.operation.status.rawValue).")
            }
            records[known ?? insertKey(for: latest.operation)] = latest
            for entry in AuditEntry.entries(for: latest, startIsNoted: previous?.hasStarted ?? false) { note(entry) }
            if latest.operation.status.isTerminal {
                tallies[latest.operation.type, default: OperationTally()].add(latest)
                endedCount += 1
                if endedCount > maximumCount { removeOldestEnded() }
            }
            return .durable
        }

        mutating func claim(_ record: OperationRecord) -> OperationRecord? {
            if let known = self.record(record.operation.id) { return known }
            if let key = record.uniqueKey,
                let holder = records.values.first(where: { $0.uniqueKey == key && $0.operation.status.isActive })
            {
                return holder
            }
            _ = write(record)
            return nil
        }

        func page(_ query: HistoryQuery, from lowest: HistoryKey, below end: HistoryKey) -> HistoryPage {
            var found: [OperationRecord] = []
            var last = end
            for key in keysInOrder[..<position(of: end)].reversed() {
                guard key >= lowest, let record = records[key] else { break }
                guard query.matches(record.operation) else { continue }
                guard found.count < query.effectiveLimit else {
                    return HistoryPage(records: found, nextCursor: HistoryCursor.text(.operations, after: last))
                }
                found.append(record)
                last = key
            }
            return HistoryPage(records: found, nextCursor: nil)
        }

        func latestRuns(ofEachType limit: Int) -> [OperationRecord] {
            var counts: [OperationType: Int] = [:]
            return keysInOrder.reversed().compactMap { key in
                guard let record = records[key], record.operation.status == .completed else { return nil }
                counts[record.operation.type, default: 0] += 1
                return counts[record.operation.type, default: 0] <= limit ? record : nil
            }
        }

        @discardableResult
        mutating func prune(_ policy: RetentionPolicy) -> Int {
            let oldest = policy.maximumAge.map { Date.now.addingTimeInterval(-$0.inSeconds) }
            var excess = policy.maximumCount.map { endedCount - $0 } ?? 0
            guard oldest != nil || excess > 0 else { return 0 }
            let removed = keysInOrder.filter { key in
                guard let operation = records[key]?.operation, operation.status.isTerminal else { return false }
                let isTooOld = oldest.map { (operation.finishedAt ?? operation.updatedAt) < $0 } ?? false
                guard isTooOld || excess > 0 else { return false }
                excess -= 1
                return true
            }
            remove(removed)
            return removed.count
        }

        mutating func note(_ entry: AuditEntry) {
            guard !isClosed else { return }
            audit.append(entry)
            guard audit.count > 2 * maximumCount else { return }
            // A quarter at once, so that what moves down is paid for by many entries.
            let count = max(1, maximumCount / 2)
            audit.removeFirst(count)
            droppedAuditCount += Int64(count)
        }

        func auditPage(of operation: OperationID?, below end: HistoryKey, limit: Int) -> AuditPage {
            let upper = Int(min(max(end.rawValue - droppedAuditCount, 0), Int64(audit.count)))
            let wanted = (0..<upper).reversed().lazy.filter { [audit] in
                operation == nil || audit[$0].operationID == operation
            }
            let found = Array(wanted.prefix(limit + 1))
            let page = found.prefix(limit)
            let rest = page.last.map { HistoryKey(rawValue: droppedAuditCount + Int64($0)) }
            return AuditPage(
                entries: page.map { audit[$0] },
                nextCursor: found.count > limit ? rest.map { HistoryCursor.text(.audit, after: $0) } : nil
            )
        }

        private mutating func insertKey(for operation: BackgroundOperation) -> HistoryKey {
            var key = sequence.next(createdAt: operation.createdAt)
            while records[key] != nil { key = key.redrawn() }
            keysInOrder.insert(key, at: position(of: key))
            keysByID[operation.id] = key
            return key
        }

        /// Where `key` stands or would stand. New keys are nearly always the highest, so that is asked first.
        private func position(of key: HistoryKey) -> Int {
            guard let last = keysInOrder.last, last >= key else { return keysInOrder.count }
            var low = 0
            var high = keysInOrder.count
            while low < high {
                let middle = (low + high) / 2
                if keysInOrder[middle] < key { low = middle + 1 } else { high = middle }
            }
            return low
        }

        private mutating func removeOldestEnded() {
            guard let index = keysInOrder.firstIndex(where: { records[$0]?.operation.status.isTerminal ?? false }),
                let record = records.removeValue(forKey: keysInOrder.remove(at: index))
            else { return }
            keysByID[record.operation.id] = nil
            endedCount -= 1
        }

        private mutating func remove(_ keys: [HistoryKey]) {
            guard !keys.isEmpty else { return }
            for key in keys {
                guard let record = records.removeValue(forKey: key) else { continue }
                keysByID[record.operation.id] = nil
            }
            endedCount -= keys.count
            keysInOrder.removeAll { records[$0] == nil }
        }
    }
}

extension HistoryError {
    /// What every call but `close` gets after `close`.
    package static let closed = HistoryError(.closed, "The history has been closed and takes no more work.")
}

extension Duration {
    /// The same duration as a number of seconds.
    package var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
