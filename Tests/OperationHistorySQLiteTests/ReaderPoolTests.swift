import Dispatch
import OperationTracking
import OperationTrackingTesting
import Testing

@testable import OperationHistorySQLite

/// Who waits for whom when much is asked of a history.
@Suite struct ReaderPoolTests {
    let directory = TemporaryDirectory()

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
