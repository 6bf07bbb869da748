import Foundation
import OperationTracking
import Testing

@testable import OperationHistorySQLite

@Suite struct SchemaTests {
    let directory = TemporaryDirectory()

    init() throws {
        try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
    }

    @Test(arguments: ["", "PRAGMA application_id = 77", "PRAGMA journal_mode = WAL"])
    func anotherProgramsFileIsRefusedAndNotTouched(preparation: String) async throws {
        try make("\(preparation); CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)")
        try await expectRefusalWithoutTouching()
    }

    @Test func aNewerVersionsFileIsRefusedAndNotTouched() async throws {
        let store = try await directory.open()
        await store.close()
        try Database(path: directory.database, createsFile: false).execute(
            "PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE)"
        )
        try await expectRefusalWithoutTouching()
    }

    @Test func aNewerVersionThatIsOnlyInTheWALIsRefused() async throws {
        let store = try await directory.open()
        await store.close()
        try directory.execute("PRAGMA user_version = 99")
        let error = await #expect(throws: HistoryError.self) { try await directory.open() }
        #expect(error?.code == .incompatible)
    }

    @Test func anOlderFileIsBroughtUpToDate() async throws {
        try make(
            "PRAGMA application_id = \(Schema.applicationID); PRAGMA journal_mode = WAL; \(Schema.migrations[0].sql); PRAGMA user_version = 1"
        )
        let store = try await directory.open()
        #expect(try await store.end("a") == .durable)
        #expect(try directory.integer("PRAGMA user_version") == Schema.version)
        await store.close()
    }

    @Test func anOlderVersionGoesOnWritingWhenANewerOneHasAddedColumns() async throws {
        let store = try await directory.open()
        for table in ["statistics", "memory", "operations", "audit"] {
            try directory.execute("ALTER TABLE \(table) ADD COLUMN later INTEGER NOT NULL DEFAULT 0")
        }
        #expect(try await store.end("a") == .durable)
        #expect(try await store.statistics(types: nil).first?.completed == 1)
        await store.close()
    }

    @Test func stepsHaveDifferentNames() {
        #expect(Set(Schema.migrations.map(\.name)).count == Schema.migrations.count)
    }

    @Test func severalStoresMayBeginTheSameFileAtOnce() async throws {
        try await withThrowingTaskGroup { group in
            for number in 0..<4 {
                group.addTask {
                    let store = try await directory.open()
                    #expect(try await store.end("\(number)") == .durable)
                    await store.close()
                }
            }
            try await group.waitForAll()
        }
        #expect(try directory.integer("SELECT count(*) FROM operations") == 4)
    }

    private func make(_ sql: String) throws {
        try Database(path: directory.database, createsFile: true).execute(sql + "; PRAGMA wal_checkpoint(TRUNCATE)")
    }

    private func expectRefusalWithoutTouching() async throws {
        let before = try Data(contentsOf: URL(filePath: directory.database))
        let error = await #expect(throws: HistoryError.self) { try await directory.open() }
        #expect(error?.code == .incompatible)
        #expect(try Data(contentsOf: URL(filePath: directory.database)) == before)
    }
}
