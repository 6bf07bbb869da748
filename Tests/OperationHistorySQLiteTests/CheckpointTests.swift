import Foundation
import OperationTracking
import OperationTrackingTesting
import TestSupport
import Testing

@testable import OperationHistorySQLite

@Suite struct CheckpointTests {
    let directory = TemporaryDirectory()

    @Test func theWALIsMovedIntoTheFileWhenItHasGrown() async throws {
        let store = try await directory.open { $0.checkpointPages = 64 }
        for number in 0..<400 { _ = await store.commit(try record("\(number)")) }
        #expect(size("-wal") < 1_000_000)
        #expect(size("") > 100_000)
        await store.close()
    }

    @Test func noConnectionMakesACheckpointByItself() async throws {
        let store = try await directory.open { $0.checkpointPages = .max }
        let empty = size("")
        for number in 0..<1500 { _ = await store.commit(try record("\(number)")) }
        let page = try await store.page(HistoryQuery())
        #expect(page.records.count == 100)
        #expect(try directory.integer("SELECT count(*) FROM operations") == 1500)
        #expect(size("") == empty)
        // Closing moves it when nobody is in the way.
        await store.close()
        #expect(size("-wal") == 0)
        #expect(try directory.integer("SELECT count(*) FROM operations") == 1500)
    }

    @Test func nobodyCommitsOrMakesACheckpointWhileAnotherDoes() async throws {
        let store = try await directory.open()
        _ = await store.commit(try record("a"))
        let wal = size("-wal")
        let other = try FileLock(path: HistoryPaths(directory: directory.path).commitLock)
        #expect(try other.tryLock(.exclusive))
        async let durability = store.end("b")
        // What a commit takes, it takes under the lock.
        try await eventually("it is to be committed") { store.waitingCount == 1 }
        for _ in 0..<20 { await briefPause() }
        #expect(store.waitingCount == 1 && size("-wal") == wal, "the commit waits")
        other.unlock()
        #expect(try await durability == .durable)
        #expect(try other.tryLock(.exclusive))
        await store.close()
        #expect(size("-wal") > 0)
        #expect(try directory.integer("SELECT count(*) FROM operations") == 2)
    }

    private func size(_ suffix: String) -> Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: directory.database + suffix)
        return attributes?[.size] as? Int ?? -1
    }
}
