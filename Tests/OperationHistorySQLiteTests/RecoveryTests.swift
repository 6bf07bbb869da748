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
        var queued = try record("queued", .pending)
        queued.request = Array("{}".utf8)
        try await leaveBehind([record("paused", .paused), queued, record("lost", .pending)])
        let one = try await directory.open()
        let other = try await directory.open()
        #expect(try await one.orphans().map(\.operation.status) == [.paused, .pending])
        #expect(try await one.status("lost") == .failed)
        for id in try [record("paused").operation.id, queued.operation.id] {
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

    @Test(arguments: [("sleep 1000", SIGTERM), ("trap '' TERM; while true; do sleep 0.1; done", SIGKILL)])
    func aProcessGroupThatWasLeftBehindIsEnded(script: String, signal: Int32) async throws {
        let child = try ChildProcess("/bin/sh", ["-c", "touch '\(directory.path)-ready'; \(script)"])
        defer { unlink("\(directory.path)-ready") }
        try await eventually("the script runs") { FileManager.default.fileExists(atPath: directory.path + "-ready") }
        var running = try record("a", .inProgress)
        running.processGroup = ProcessIdentity(running: child.pid)
        try await leaveBehind([running])
        let store = try await directory.open { $0.terminationGrace = .milliseconds(200) }
        try await eventually("the process has ended") { child.endingSignal == signal }
        #expect(try await store.status("a") == .failed)
        await store.close()
    }

    @Test func onlyTheVeryProcessGroupThatWasRecordedIsEnded() throws {
        let own = try #require(ProcessIdentity(running: getpgrp()))
        #expect(ProcessGroup(ledBy: own) == nil)
        #expect(ProcessGroup(ledBy: ProcessIdentity(pid: 1, startTime: 0)) == nil)
        let child = try ChildProcess("/bin/sleep", ["1000"])
        var identity = try #require(ProcessIdentity(running: child.pid))
        #expect(ProcessGroup(ledBy: identity) != nil)
        identity.startTime += 1
        #expect(ProcessGroup(ledBy: identity) == nil)
    }

    /// Writes records with a store that is then gone without having closed, as after a crash.
    private func leaveBehind(_ records: [OperationRecord]) async throws {
        let file = try HistoryFile.open(HistoryPaths(directory: directory.path), owner: Self.begin(in: directory))
        try file.transaction {
            for record in records {
                var active = ActiveOperation(key: HistoryKey(lowestAt: record.operation.createdAt))
                _ = try file.operations.write(record, &active)
            }
        }
    }

    /// The id of an owner whose lock is free and whose file is still there.
    private static func begin(in directory: TemporaryDirectory) throws -> String {
        let paths = HistoryPaths(directory: directory.path)
        try paths.makeDirectories()
        return try Owner(in: paths.owners).id
    }
}

extension HistoryFile {
    static func open(_ paths: HistoryPaths, owner: String) throws -> HistoryFile {
        try open(paths, owner: owner, beforeCommit: {}, notice: { _ in })
    }
}
