import Dispatch
import OperationTracking
import OperationTrackingTesting
import Testing

@testable import OperationHistorySQLite

/// Who waits for whom when much is asked of a history.
@Suite struct ReaderPoolTests {
    let directory = TemporaryDirectory()

    @Test func readingEndsWhenNobodyWaitsForItAnyMore() async throws {
        let rows = Task {
            let database = try Database(path: ":memory:", createsFile: true)
            database.endReadingWhenCancelled()
            return try database.integer(
                "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 300000000) SELECT count(*) FROM n"
            )
        }
        rows.cancel()
        let failure = await #expect(throws: SQLiteFailure.self) { try await rows.value }
        #expect(failure?.isInterruption == true)
    }

    @Test func aSearchOfACancelledTaskReadsNothing() async throws {
        let store = try await directory.open()
        var query = HistoryQuery()
        query.text = "anything"
        let search = Task { [query] in
            withUnsafeCurrentTask { $0?.cancel() }
            return try await store.page(query)
        }
        await #expect(throws: CancellationError.self) { try await search.value }
        await store.close()
    }

    @Test func searchesHoldUpNeitherLookUpsNorPagesAndAreOnlySoMany() async throws {
        let pool = ReaderPool(paths: HistoryPaths(directory: directory.path), shared: SharedState())
        let gate = DispatchSemaphore(value: 0)
        let searches = (0..<8).map { _ in Task { try await pool.read(.search) { _ in gate.wait() } } }
        while pool.searchCount < 8 { await briefPause() }
        #expect(try await pool.read(.lookUp) { _ in true })
        #expect(try await pool.read(.page) { _ in true })
        let error = await #expect(throws: HistoryError.self) { try await pool.read(.search) { _ in } }
        #expect(error?.code == .busy)
        for _ in searches { gate.signal() }
        for search in searches { try await search.value }
        #expect(try await pool.read(.search) { _ in true })
        await pool.close()
    }
}
