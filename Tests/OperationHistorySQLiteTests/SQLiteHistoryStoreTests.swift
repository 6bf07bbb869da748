import Foundation
import OperationTracking
import OperationTrackingTesting
import Testing

@testable import OperationHistorySQLite

@Suite struct SQLiteHistoryStoreTests {
    let directory = TemporaryDirectory()

    @Test func meetsWhatEveryHistoryStoreMust() async throws {
        try await HistoryStoreConformance.check(directory.open())
    }

    @Test func whatWasCommittedIsThereAfterOpeningAgain() async throws {
        let first = try await directory.open()
        #expect(try await first.end("a") == .durable)
        await first.close()
        let second = try await directory.open()
        #expect(try await second.record(try record("a").operation.id) == record("a"))
        await second.close()
    }

    @Test func ofManyTypesTheOnesThatRanLastAreLearnedFrom() async throws {
        let store = try await directory.open()
        for number in 0..<70 {
            let type = try #require(OperationType(rawValue: "type\(number)"))
            let moment = Date(milliseconds: 1_700_000_000_000 + Int64(number) * 1000)
            #expect(await store.commit(try record("n\(number)", type: type, at: moment)) == .durable)
        }
        let types = Set(try await store.latestRuns(ofEachType: 4).map(\.operation.type.rawValue))
        #expect(types == Set((6..<70).map { "type\($0)" }))
        await store.close()
    }

    @Test func theFileIsForThisUserOnlyAndSurvivesAPowerCut() async throws {
        let store = try await directory.open()
        #expect(try directory.integer("PRAGMA application_id") == Schema.applicationID)
        #expect(try directory.integer("PRAGMA user_version") == Int64(Schema.migrations.count))
        #expect(try directory.integer("SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'") == 1)
        #expect(
            try directory.integer(
                "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite%'"
            ) == 0
        )
        for name in directory.fileNames {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(directory.path)/\(name)")
            let permissions = try #require(attributes[.posixPermissions] as? Int)
            #expect(permissions & 0o077 == 0, "\(name)")
        }
        await store.close()
    }

    @Test func everyFieldOfTheWireFormHasAColumn() async throws {
        let store = try await directory.open()
        let wire = try #require(
            try JSONSerialization.jsonObject(with: Data(try record("a").operation.jsonBytes())) as? [String: Any]
        )
        let impact = try #require(wire["resource_impact"] as? [String: Any])
        // A speed limit is of the moment, and not kept.
        let others: Set = ["resource_impact", "bandwidth_limit_bytes_per_second"]
        for name in Set(wire.keys).subtracting(others).union(impact.keys) {
            let columns = try directory.integer(
                "SELECT count(*) FROM pragma_table_xinfo('operations') WHERE name = '\(name)'"
            )
            #expect(columns == 1, "\(name)")
        }
        await store.close()
    }

    @Test func manyOperationsOfOneMillisecondAllHaveAPlace() async throws {
        let store = try await directory.open()
        let count = 5000
        for number in 0..<count { store.enqueue(try record("\(number)")) }
        try await store.settle()
        #expect(
            try directory.integer("SELECT count(*) FROM operations WHERE operation_type = 'download'") == Int64(count)
        )
        await store.close()
    }

    @Test func aKeyThatIsTakenIsDrawnAgain() async throws {
        let store = try await directory.open()
        _ = try await store.commit(record("a", .inProgress))
        // Another process's row sits where this store's next row would go.
        try directory.execute(
            """
            INSERT INTO operations (key, operation_id, operation_type, created_at, description, status, priority, attempt,
                progress, completed_units, rewound_units, present_units, unit, updated_at)
            SELECT key + 256, 'op_taken', operation_type, created_at, '', 'completed', 'normal', 1, 0, 0, 0, 0, 'bytes', 0
            FROM operations
            """
        )
        #expect(try await store.end("b") == .durable)
        #expect(try await store.end("a") == .durable)
        #expect(try directory.integer("SELECT count(*) FROM operations") == 3)
        #expect(try await store.page(HistoryQuery()).records.count == 3)
        await store.close()
    }

    @Test func aDirectoryThatCannotBeMadeIsRefused() async throws {
        try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
        _ = FileManager.default.createFile(atPath: directory.path + "/file", contents: nil)
        for path in ["/file", "/file/below"] {
            let error = await #expect(throws: HistoryError.self) {
                try await SQLiteHistoryStore.open(in: directory.path + path)
            }
            #expect(error?.code == .cannotOpen)
        }
    }

    @Test(.enabled(if: getuid() != 0, "root may write everywhere, so this is not run as root"))
    func aDirectoryThatCannotBeWrittenIsRefused() async throws {
        try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
        chmod(directory.path, 0o500)
        defer { chmod(directory.path, 0o700) }
        let error = await #expect(throws: HistoryError.self) { try await directory.open() }
        #expect(error?.code == .cannotOpen)
    }
}
