import Foundation
import OperationTracking
import TestSupport
import Testing

@testable import OperationHistorySQLite

@Suite struct DamageTests {
    let directory = TemporaryDirectory()

    init() throws {
        try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
    }

    @Test(arguments: [2, 50, 100_000]) func aFileThatIsNoDatabaseIsSetAside(size: Int) async throws {
        let garbage = Data(repeating: 0x5a, count: size)
        try garbage.write(to: URL(filePath: directory.database))
        try garbage.write(to: URL(filePath: directory.database + "-wal"))
        let store = try await directory.open()
        #expect(store.health == .ok)
        #expect(store.notices.count == 1)
        #expect(try await store.end("a") == .durable)
        let aside = try #require(
            directory.fileNames.first { $0.hasPrefix("history.damaged-") && $0.hasSuffix(".sqlite") }
        )
        #expect(store.notices.first?.contains(aside) == true)
        #expect(try Data(contentsOf: URL(filePath: "\(directory.path)/\(aside)")) == garbage)
        #expect(directory.fileNames.contains(aside + "-wal"))
        await store.close()
    }

    @Test func damageThatShowsWhenReadingLeadsToAFreshFile() async throws {
        try await fill()
        try damage()
        let store = try await directory.open()
        // Where the damage shows depends on what is read first; a page reads the table itself.
        _ = try? await store.page(HistoryQuery(limit: 1000))
        #expect(store.health == .ok)
        #expect(store.notices.count == 1)
        #expect(try await store.end("fresh") == .durable)
        #expect(try await store.page(HistoryQuery()).records.map(\.operation.id.rawValue) == ["op_fresh"])
        await store.close()
    }

    @Test func anActiveOperationIsWrittenAnewIntoTheFreshFile() async throws {
        try await fill()
        let store = try await directory.open()
        _ = await store.commit(try record("active", .inProgress))
        await store.writer.damageWasFound()
        #expect(store.notices.count == 1)
        #expect(try await store.end("active") == .durable)
        #expect(try await store.page(HistoryQuery()).records.map(\.operation.id.rawValue) == ["op_active"])
        await store.close()
    }

    @Test func aDamagedFileThatIsInUseIsLeftAndTheStoreWaitsForIt() async throws {
        try await fill()
        let other = try await directory.open()
        try Data(repeating: 0x5a, count: 5000).write(to: URL(filePath: directory.database))
        let store = try await directory.open { $0.retryInterval = .milliseconds(20) }
        #expect(store.health != .ok)
        #expect(try await store.end("a") != .durable)
        #expect(try await store.page(HistoryQuery()).records.count == 1)
        #expect(directory.fileNames.allSatisfy { !$0.hasPrefix("history.damaged-") })

        await other.close()
        try await eventually("the store has a file") { store.health == .ok }
        #expect(directory.fileNames.contains { $0.hasPrefix("history.damaged-") })
        #expect(try directory.integer("SELECT count(*) FROM operations") == 1)
        await store.close()
    }

    private func fill() async throws {
        let store = try await directory.open()
        for number in 0..<500 { store.enqueue(try record("\(number)")) }
        await store.close()
        try directory.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    /// Overwrites every page but those that opening reads: the schema's.
    private func damage() throws {
        let table = try directory.integer("SELECT min(rootpage) FROM sqlite_schema WHERE name = 'operations'")
        let file = try FileHandle(forUpdating: URL(filePath: directory.database))
        try file.seek(toOffset: UInt64(table - 1) * 4096)
        try file.write(contentsOf: Data(repeating: 0xff, count: 4096))
        try file.close()
    }
}
