#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking
import OperationTrackingTesting
import Testing

@Suite struct InMemoryHistoryStoreTests {
    @Test func meetsWhatEveryHistoryStoreMust() async throws {
        try await HistoryStoreConformance.check(InMemoryHistoryStore())
    }

    @Test func keepsTheNewestEndedOperationsAndEveryActiveOne() async throws {
        let store = InMemoryHistoryStore(maximumCount: 3)
        store.enqueue(try record(0, .inProgress))
        for number in 1...10 { _ = await store.commit(try record(number, .completed)) }
        let page = try await store.page(HistoryQuery())
        #expect(page.records.map(\.operation.id.rawValue) == ["op_10", "op_9", "op_8", "op_0"])
        #expect(try await store.statistics(types: nil).first?.completed == 10)
    }

    @Test func cursorsOfTheAuditLogOutliveDroppedEntries() async throws {
        let store = InMemoryHistoryStore(maximumCount: 4)
        for number in 0..<8 { store.append(entry(number)) }
        let newest = try await store.auditEntries(cursor: nil, limit: 3)
        #expect(newest.entries.map(\.action) == ["action.7", "action.6", "action.5"])
        store.append(entry(8))
        let next = try await store.auditEntries(cursor: newest.nextCursor, limit: 3)
        #expect(next.entries.map(\.action) == ["action.4", "action.3", "action.2"])
        #expect(next.nextCursor == nil)
    }

    private func entry(_ number: Int) -> AuditEntry {
        AuditEntry(at: .now, actor: "test", action: "action.\(number)")
    }

    private func record(_ number: Int, _ status: OperationStatus) throws -> OperationRecord {
        let id = try #require(OperationID(rawValue: "op_\(number)"))
        let createdAt = Date(timeIntervalSince1970: 1_700_000_000 + Double(number))
        return OperationRecord(
            operation: BackgroundOperation(
                id: id,
                type: .download,
                description: "",
                status: status,
                createdAt: createdAt
            )
        )
    }
}
