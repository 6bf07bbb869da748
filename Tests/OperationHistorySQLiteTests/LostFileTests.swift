import Foundation
import OperationTracking
import Testing

@testable import OperationHistorySQLite

struct LostFileTests {
    private let directory = TemporaryDirectory()

    @Test func anEndingIsDurableThoughTheFileWasRemovedMeanwhile() async throws {
        let store = try await directory.open()
        store.enqueue(try record("a", .inProgress))
        #expect(try await store.end("b") == .durable)
        for name in directory.fileNames where name.hasPrefix("history.sqlite") {
            try FileManager.default.removeItem(atPath: directory.path + "/" + name)
        }
        #expect(try await store.end("a") == .durable)
        #expect(try await store.status("a") == .completed)
        #expect(store.notices.contains { $0.contains("removed or replaced") })
        await store.close()
        #expect(
            try directory.integer(
                "SELECT count(*) FROM operations WHERE operation_id = 'op_a' AND status = 'completed'"
            ) == 1
        )
    }

    @Test func anEndingIsDurableThoughTheWholeFolderWasRemoved() async throws {
        let store = try await directory.open()
        store.enqueue(try record("a", .inProgress))
        #expect(try await store.end("b") == .durable)
        try FileManager.default.removeItem(atPath: directory.path)
        #expect(try await store.end("a") == .durable)
        await store.close()
        let again = try await directory.open()
        #expect(try await again.status("a") == .completed)
        await again.close()
    }
}
