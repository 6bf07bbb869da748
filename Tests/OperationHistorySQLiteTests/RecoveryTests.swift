import Foundation
import OperationTracking
import Testing

@testable import OperationHistorySQLite

@Suite struct RecoveryTests {
    let directory = TemporaryDirectory()

    @Test func whatAGoneOwnerWasRunningIsInterruptedWithAReason() async throws {
        try await leaveBehind([record("a", .inProgress)])
        let store = try await directory.open()
        let found = try #require(try await store.record(record("a").operation.id)?.operation)
        #expect(found.status == .failed)
        #expect(found.failure == .leftBehind)
        #expect(found.finishedAt != nil)
        #expect(try await store.statistics(types: nil).map(\.failed) == [1])
        let entries = try await store.auditEntries(cursor: nil, limit: 10).entries
        #expect(
            entries.map { "\($0.actor) \($0.action)" } == ["recovery operation.failed", "unknown operation.started"]
        )
        await store.close()
    }

    @Test func whatCanGoOnStaysAndCanBeAdoptedOnce() async throws {
        var (paused, queued) = (try record("paused", .paused), try record("queued", .pending))
        paused.request = Array("{}".utf8)
        queued.request = Array("{}".utf8)
        // Nobody could do what has no request.
        try await leaveBehind([paused, queued, record("lost", .pending), record("stopped", .paused)])
        let one = try await directory.open()
        let other = try await directory.open()
        #expect(try await one.orphans().map(\.operation.status) == [.paused, .pending])
        #expect(try await one.status("lost") == .failed)
        #expect(try await one.status("stopped") == .failed)
        for id in [paused.operation.id, queued.operation.id] {
            #expect(try await one.adopt(id))
            #expect(try await !other.adopt(id))
            #expect(try await !one.adopt(id))
        }
        #expect(try await other.orphans() == [])
        #expect(try await one.end("paused", .completed) == .durable)
        #expect(try await other.end("queued", .cancelled) != .durable)
        await one.close()
        await other.close()
    }

    @Test func whatIsLetGoOfNamesNoProcessesAnyMore() async throws {
        var paused = try record("paused", .paused)
        paused.request = Array("{}".utf8)
        paused.processGroup = ProcessIdentity(pid: .max, startTime: 1)
        try await leaveBehind([paused])
        #expect(try directory.integer("SELECT count(process_group) FROM operations") == 1)
        let store = try await directory.open()
        #expect(try await store.status("paused") == .paused)
        #expect(try directory.integer("SELECT count(process_group) FROM operations") == 0)
        await store.close()
    }

    @Test func aLivingOwnersOperationsAreLeftAlone() async throws {
        let living = try await directory.open()
        _ = try await living.claim(record("a", .inProgress))
        let other = try await directory.open()
        #expect(try await other.recover() == 0)
        #expect(try await other.status("a") == .inProgress)
        #expect(try await living.end("a") == .durable)
        await living.close()
        await other.close()
    }

    @Test func severalThatOpenAtOnceMarkEachOperationOnce() async throws {
        try await leaveBehind((0..<50).map { try record("\($0)", .inProgress) })
        try await withThrowingTaskGroup { group in
            for _ in 0..<6 {
                group.addTask {
                    let store = try await directory.open()
                    await store.close()
                }
            }
            try await group.waitForAll()
        }
        #expect(try directory.integer("SELECT count(*) FROM operations WHERE error_code = 'interrupted'") == 50)
        #expect(try directory.integer("SELECT count(*) FROM audit WHERE action = 'operation.failed'") == 50)
        #expect(try directory.integer("SELECT sum(count) FROM statistics WHERE day = 'all'") == 50)
    }

    @Test func anOwnerThatDiesLaterIsFoundByRecover() async throws {
        let store = try await directory.open()
        try await leaveBehind([record("a", .inProgress)])
        #expect(try await store.recover() == 1)
        #expect(try await store.recover() == 0)
        #expect(try await store.status("a") == .failed)
        await store.close()
    }

    @Test func aKeyHeldByAGoneOwnerIsFree() async throws {
        let store = try await directory.open()
        var first = try record("first", .inProgress)
        first.uniqueKey = "same"
        try await leaveBehind([first])
        var second = try record("second", .inProgress)
        second.uniqueKey = "same"
        #expect(try await store.claim(second) == nil)
        #expect(try await store.status("first") == .failed)
        await store.close()
    }

    @Test func ownersLeaveNoFilesBehind() async throws {
        try await leaveBehind([record("a", .inProgress)])
        let store = try await directory.open()
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path + "/owners").count == 1)
        await store.close()
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path + "/owners").isEmpty)
    }

    private func leaveBehind(_ records: [OperationRecord]) async throws {
        try await directory.leaveBehind(records)
    }
}

extension TemporaryDirectory {
    /// Writes records with a store that is then gone without having closed, as after a crash.
    ///
    /// - Parameter space: where the store's process ids mean something; `nil` for here.
    func leaveBehind(_ records: [OperationRecord], space: String? = nil) async throws {
        let paths = HistoryPaths(directory: path)
        try paths.makeDirectories()
        // An owner whose lock is free and whose file is still there.
        let owner = try Owner(in: paths.owners).id
        if let space { try space.write(toFile: "\(paths.owners)/\(owner).lock", atomically: false, encoding: .utf8) }
        let file = try HistoryFile.open(paths, owner: owner)
        try file.transaction {
            for record in records {
                var active = ActiveOperation(key: HistoryKey(lowestAt: record.operation.createdAt))
                _ = try file.operations.write(record, &active)
            }
        }
    }
}

extension HistoryFile {
    static func open(_ paths: HistoryPaths, owner: String) throws -> HistoryFile {
        try open(paths, owner: owner, patience: TemporaryDirectory.patience, beforeCommit: {}, notice: { _ in })
    }
}
