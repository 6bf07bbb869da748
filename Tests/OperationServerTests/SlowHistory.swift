import OperationTracking
import TestSockets

/// A history that knows nothing, and says so when it is told to.
final class SlowHistory: HistoryStore {
    let isAsked = TestValue<Void>()
    let mayAnswer = TestValue<Void>()

    var health: HistoryHealth { .ok }

    func enqueue(_ record: OperationRecord) {}

    func commit(_ record: OperationRecord) async -> HistoryDurability { .durable }

    func record(_ id: OperationID) async throws -> OperationRecord? {
        isAsked.set()
        await mayAnswer.value()
        return nil
    }

    func page(_ query: HistoryQuery) async throws -> HistoryPage { HistoryPage(records: [], nextCursor: nil) }

    func statistics(types: Set<OperationType>?) async throws -> [HistoryStatistics] { [] }

    func prune(_ policy: RetentionPolicy) async throws -> Int { 0 }

    func close() async {}
}
