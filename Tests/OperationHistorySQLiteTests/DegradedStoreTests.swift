import CSQLite
import Foundation
import OperationTracking
import Synchronization
import TestSupport
import Testing

@testable import OperationHistorySQLite

/// Makes commits fail while it is on.
final class Fault: Sendable {
    private let isOn = Atomic<Bool>(false)

    func set(_ value: Bool) { isOn.store(value, ordering: .relaxed) }

    func failIfOn() throws {
        if isOn.load(ordering: .relaxed) { throw SQLiteFailure(code: SQLITE_FULL, message: "database or disk is full") }
    }
}

@Suite struct DegradedStoreTests {
    let directory = TemporaryDirectory()
    let fault = Fault()

    @Test func whatCannotBeWrittenIsKeptAndWrittenOnceThatIsPossible() async throws {
        let store = try await open()
        store.enqueue(try record("early", .inProgress))
        try await store.settle()
        fault.set(true)
        let outcome = try await store.end("early")
        guard case .volatile(let reason) = outcome else { throw Unexpected(what: "\(outcome)") }
        #expect(reason.contains("the disk is full"))
        #expect(store.health == .degraded(reason: reason))
        #expect(try await store.end("late", .failed) == .volatile(reason: reason))
        #expect(try directory.integer("SELECT count(*) FROM operations WHERE status IN ('completed', 'failed')") == 0)

        fault.set(false)
        try await eventually("the store is healthy") { store.health == .ok }
        #expect(try directory.integer("SELECT count(*) FROM operations WHERE status IN ('completed', 'failed')") == 2)
        #expect(
            try directory.integer("SELECT sum(count) FROM statistics WHERE day = 'all' AND operation_type = 'download'")
                == 2
        )
        #expect(try await store.end("after") == .durable)
        await store.close()
    }

    @Test func whatTheAuditLogWasGivenIsKeptToo() async throws {
        let store = try await open { options in
            options.retryInterval = .seconds(3600)
            options.groupingDelay = .seconds(3600)
        }
        fault.set(true)
        store.append(AuditEntry(at: .now, actor: "test", action: "process.terminated"))
        store.enqueue(try record("a", .inProgress))
        store.append(AuditEntry(at: .now, actor: "test", action: "process.killed"))
        #expect(try await store.end("b") != .durable)
        fault.set(false)
        await store.close()
        #expect(try directory.integer("SELECT count(*) FROM audit WHERE actor = 'test'") == 2)
    }

    @Test func pagesRecordsAndStatisticsShowWhatIsKept() async throws {
        let store = try await open { $0.retryInterval = .seconds(3600) }
        for number in 0..<5 {
            _ = await store.commit(try record("\(number)", .inProgress, at: moment(number)))
        }
        fault.set(true)
        _ = await store.commit(try record("2", .completed, at: moment(2)))
        _ = await store.commit(try record("9", .completed, at: moment(9)))
        #expect(try await store.status("2") == .completed)

        var query = HistoryQuery(limit: 2)
        var names: [String] = []
        repeat {
            let page = try await store.page(query)
            names += page.records.map { "\($0.operation.id) \($0.operation.status)" }
            query.cursor = page.nextCursor
        } while query.cursor != nil && names.count < 20
        #expect(
            names == [
                "op_9 completed", "op_4 inProgress", "op_3 inProgress", "op_2 completed", "op_1 inProgress",
                "op_0 inProgress",
            ]
        )
        query = HistoryQuery()
        query.statuses = [.inProgress]
        #expect(try await store.page(query).records.count == 4)
        #expect(try await store.statistics(types: nil).map(\.completed) == [2])
        fault.set(false)
        await store.close()
        #expect(try directory.integer("SELECT count(*) FROM operations WHERE status = 'completed'") == 2)
    }

    @Test func aLateRowStandsWhereItWasCreated() async throws {
        let store = try await open { $0.retryInterval = .milliseconds(20) }
        fault.set(true)
        _ = await store.commit(try record("first", at: moment(1)))
        fault.set(false)
        try await eventually("the store is healthy") { store.health == .ok }
        _ = await store.commit(try record("before", at: moment(0)))
        let page = try await store.page(HistoryQuery())
        #expect(page.records.map(\.operation.id.rawValue) == ["op_first", "op_before"])
        await store.close()
    }

    @Test func callsThatNeedTheFileSayThatItCannotBeWritten() async throws {
        let store = try await open { $0.retryInterval = .seconds(3600) }
        fault.set(true)
        _ = await store.commit(try record("a"))
        let error = await #expect(throws: HistoryError.self) { try await store.prune(RetentionPolicy(maximumCount: 1)) }
        #expect(error?.code == .failed)
        await #expect(throws: HistoryError.self) { try await store.adopt(record("a").operation.id) }
        var claimed = try record("b", .inProgress)
        claimed.uniqueKey = "same"
        #expect(try await store.claim(claimed) == nil)
        var second = try record("c", .inProgress)
        second.uniqueKey = "same"
        #expect(try await store.claim(second) == claimed)
        fault.set(false)
        await store.close()
        #expect(try directory.integer("SELECT count(*) FROM operations WHERE unique_key = 'same'") == 1)
    }

    @Test(.enabled(if: getuid() == 0, "NOT TESTED: a really full disk, since only root may mount a small file system"))
    func aDiskThatIsReallyFullLosesNothingOnceThereIsRoom() async throws {
        try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
        try #require(
            shell("mount -t tmpfs -o size=1m none '\(directory.path)'") == 0,
            "NOT TESTED: tmpfs can't be mounted here"
        )
        defer { _ = shell("umount -l '\(directory.path)'") }
        let store = try await open { $0.retryInterval = .milliseconds(50) }
        #expect(try await store.end("before") == .durable)
        // The first room to be missing may be anywhere in a transaction, so operations are ended until one isn't durable.
        _ = shell("dd if=/dev/zero of='\(directory.path)/ballast' bs=4k count=100 2>/dev/null")
        var durable: [String] = ["before"]
        var kept: [String] = []
        for number in 0..<2000 where kept.count < 20 {
            let name = "full-\(number)"
            if try await store.end(name) == .durable { durable.append(name) } else { kept.append(name) }
        }
        try #require(kept.count == 20)
        #expect(store.health != .ok)
        for name in durable + kept { #expect(try await store.status(name) == .completed, "\(name)") }

        unlink(directory.path + "/ballast")
        try await eventually("the store is healthy") { store.health == .ok }
        #expect(try directory.integer("SELECT count(*) FROM operations") == Int64(durable.count + kept.count))
        #expect(try directory.integer("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'") == 1)
        await store.close()
    }

    @Test(.enabled(if: getuid() == 0, "NOT TESTED: a really full disk, since only root may mount a small file system"))
    func aStoreOpensOnADiskThatIsFull() async throws {
        try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
        try #require(
            shell("mount -t tmpfs -o size=256k none '\(directory.path)'") == 0,
            "NOT TESTED: tmpfs can't be mounted here"
        )
        defer { _ = shell("umount -l '\(directory.path)'") }
        _ = shell("mkdir '\(directory.path)/owners'; dd if=/dev/zero of='\(directory.path)/ballast' bs=4k 2>/dev/null")
        let store = try await open { $0.retryInterval = .milliseconds(50) }
        #expect(store.health != .ok)
        #expect(try await store.end("a") != .durable)
        #expect(try await store.status("a") == .completed)
        unlink(directory.path + "/ballast")
        try await eventually("the store is healthy") { store.health == .ok }
        #expect(try await store.status("a") == .completed)
        #expect(try directory.integer("SELECT count(*) FROM operations") == 1)
        await store.close()
    }

    private func open(_ change: (inout SQLiteHistoryStore.Options) -> Void = { _ in }) async throws
        -> SQLiteHistoryStore
    {
        try await directory.open { options in
            options.retryInterval = .milliseconds(20)
            options.beforeCommit = fault.failIfOn
            change(&options)
        }
    }

    private func moment(_ number: Int) -> Date { Date(milliseconds: 1_700_000_000_000 + Int64(number)) }

    private func shell(_ command: String) -> Int32 { system(command) }
}

struct Unexpected: Error {
    let what: String
}

@Suite struct BacklogTests {
    @Test func anEndingIsKeptAndALateStateIsNot() throws {
        var backlog = Backlog()
        backlog.keep(try record("a", .inProgress), key: HistoryKey(rawValue: 1))
        backlog.keep(try record("a", .failed), key: HistoryKey(rawValue: 1))
        backlog.keep(try record("a", .inProgress), key: HistoryKey(rawValue: 1))
        #expect(backlog.operations.map(\.record) == [try record("a", .failed)])
    }

    @Test func overTheLimitTheOldestActiveGoFirstThenTheOldestEnded() throws {
        var backlog = Backlog()
        for number in 0..<Backlog.limit {
            backlog.keep(
                try record("\(number)", number < 3 ? .inProgress : .completed),
                key: HistoryKey(rawValue: Int64(number))
            )
        }
        backlog.keep(try record("active", .paused), key: .end)
        backlog.keep(try record("ended", .failed), key: .end)
        #expect(backlog.trim() == [])
        #expect(backlog.droppedCount == 2)
        #expect(backlog.operations.prefix(2).map(\.record.operation.id.rawValue) == ["op_2", "op_3"])

        for number in 0..<3 { backlog.keep(try record("more-\(number)", .failed), key: .end) }
        #expect(backlog.trim().map(\.rawValue) == ["op_3"])
        #expect(backlog.droppedCount == 5)
        #expect(backlog.operations.count == Backlog.limit)
        #expect(backlog.record(try record("more-2").operation.id)?.operation.status == .failed)
    }

    @Test func theReasonCountsWhatWasDropped() throws {
        let shared = SharedState()
        shared.degrade(because: "the disk is full")
        let records = try (0..<(Backlog.limit + 7)).map { KeyedRecord(key: .end, record: try record("\($0)")) }
        _ = shared.keep(records, audit: [])
        #expect(shared.troubleDescription.contains("7 entries had to be dropped"))
    }
}
