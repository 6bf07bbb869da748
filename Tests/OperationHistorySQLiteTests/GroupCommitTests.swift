import Dispatch
import Foundation
import OperationTracking
import Synchronization
import TestSupport
import Testing

@testable import OperationHistorySQLite

/// A gate that the writer's queue waits at, and a count of the transactions that went through.
final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    private let state = Mutex((isShut: false, transactions: 0))

    func shut() { state.withLock { $0.isShut = true } }

    func open() {
        state.withLock { $0.isShut = false }
        semaphore.signal()
    }

    func pass() {
        let mustWait = state.withLock { state in
            state.transactions += 1
            return state.isShut
        }
        if mustWait { semaphore.wait() }
    }

    var transactions: Int { state.withLock { $0.transactions } }
}

@Suite struct GroupCommitTests {
    let directory = TemporaryDirectory()
    let gate = Gate()

    /// A store whose writer waits for those whom it has answered together without end.
    private func openThatWaits(_ fault: Fault = Fault()) async throws -> SQLiteHistoryStore {
        try await directory.open {
            $0.beforeCommit = { [gate] in
                gate.pass()
                try fault.failIfOn()
            }
            $0.companyDelay = .seconds(3600)
            $0.retryInterval = .milliseconds(10)
        }
    }

    @Test func commitsThatWaitShareATransaction() async throws {
        let store = try await directory.open { $0.beforeCommit = gate.pass }
        let before = gate.transactions
        gate.shut()
        try await withThrowingTaskGroup { group in
            group.addTask { () async throws in #expect(try await store.end("first") == .durable) }
            try await eventually("the first transaction has begun") { gate.transactions == before + 1 }
            for number in 0..<100 {
                group.addTask { () async throws in #expect(try await store.end("\(number)") == .durable) }
            }
            try await eventually("all have handed over") { store.waitingCount == 100 }
            gate.open()
            try await group.waitForAll()
        }
        #expect(gate.transactions == before + 2)
        await store.close()
    }

    @Test func whoWasAnsweredTogetherIsWaitedForAndSeenTogether() async throws {
        let store = try await openThatWaits()
        try await commitTogether(3, in: store)
        let before = gate.transactions
        let (rows, sums) = (try directory.integer(Self.rows), try directory.integer(Self.sums))
        try await withThrowingTaskGroup { group in
            for number in 0..<2 {
                group.addTask { () async throws in #expect(try await store.end("\(number)") == .durable) }
            }
            try await aTransactionIsOpen()
            // What a crash leaves at this moment is what another connection sees, and that is nothing of the three.
            #expect(try directory.integer(Self.rows) == rows)
            #expect(try directory.integer(Self.sums) == sums)
            #expect(try await store.end("last") == .durable)
            try await group.waitForAll()
        }
        #expect(gate.transactions == before + 1)
        #expect(try directory.integer(Self.rows) == rows + 3)
        #expect(try directory.integer(Self.sums) == sums + 3)
        await store.close()
    }

    @Test func aTransactionThatFailsAfterThoseWhoCameLaterIsWrittenOnceLater() async throws {
        let fault = Fault()
        let store = try await openThatWaits(fault)
        try await commitTogether(3, in: store)
        let (rows, sums) = (try directory.integer(Self.rows), try directory.integer(Self.sums))
        fault.set(true)
        try await withThrowingTaskGroup { group in
            for number in 0..<2 {
                group.addTask { () async throws in #expect(try await store.end("\(number)") != .durable) }
            }
            try await aTransactionIsOpen()
            #expect(try await store.end("last") != .durable)
            try await group.waitForAll()
        }
        #expect(try directory.integer(Self.rows) == rows)
        #expect(try directory.integer(Self.sums) == sums)
        fault.set(false)
        try await eventually("the store is healthy") { store.health == .ok }
        #expect(try directory.integer(Self.rows) == rows + 3)
        #expect(try directory.integer(Self.sums) == sums + 3)
        await store.close()
    }

    @Test func closingEndsTheWaitForOthers() async throws {
        let store = try await openThatWaits()
        try await commitTogether(3, in: store)
        async let outcome = store.end("alone")
        try await aTransactionIsOpen()
        await store.close()
        #expect(try await outcome == .durable)
    }

    @Test func whatComesWhileTheWriterWritesGetsToDiskByItself() async throws {
        let store = try await directory.open { $0.beforeCommit = gate.pass }
        let before = gate.transactions
        gate.shut()
        store.enqueue(try record("a", .inProgress))
        try await eventually("a transaction has begun") { gate.transactions == before + 1 }
        store.enqueue(try record("b", .inProgress))
        gate.open()
        try await eventually("both rows are there") { try directory.integer(Self.rows) == 2 }
        await store.close()
    }

    private static let rows = "SELECT count(*) FROM operations"
    private static let sums = "SELECT coalesce(sum(count), 0) FROM statistics WHERE day = 'all'"

    /// Waits until the store keeps a transaction open. What comes meanwhile it takes once all are there.
    private func aTransactionIsOpen() async throws {
        let lock = try FileLock(path: HistoryPaths(directory: directory.path).commitLock)
        try await eventually("a transaction is open") {
            guard try lock.tryLock(.exclusive) else { return true }
            lock.unlock()
            return false
        }
    }

    @Test func whoComesWithoutTheOthersIsKeptForAMomentOnly() async throws {
        let store = try await directory.open { $0.beforeCommit = gate.pass }
        try await commitTogether(3, in: store)
        #expect(try await store.end("alone") == .durable)
        await store.close()
    }

    /// Ends so many operations in one transaction.
    private func commitTogether(_ count: Int, in store: SQLiteHistoryStore) async throws {
        try await withThrowingTaskGroup { group in
            // While another transaction is under way all of them wait.
            let before = gate.transactions
            gate.shut()
            store.append(AuditEntry(at: .now, actor: "test", action: "process.killed"))
            try await eventually("a transaction has begun") { gate.transactions == before + 1 }
            for number in 0..<count {
                group.addTask { () async throws in #expect(try await store.end("together-\(number)") == .durable) }
            }
            try await eventually("all have handed over") { store.waitingCount == count }
            gate.open()
            try await group.waitForAll()
        }
    }

    @Test func anOperationThatIsBriefCostsOneRowWrite() async throws {
        let store = try await directory.open()
        try directory.execute(
            """
            CREATE TABLE writes (kind TEXT);
            CREATE TRIGGER inserted AFTER INSERT ON operations BEGIN INSERT INTO writes VALUES ('insert'); END;
            CREATE TRIGGER updated AFTER UPDATE ON operations BEGIN INSERT INTO writes VALUES ('update'); END;
            """
        )
        for _ in 0..<10 { store.enqueue(try record("a", .inProgress)) }
        #expect(try await store.end("a") == .durable)
        #expect(try directory.integer("SELECT count(*) FROM writes") == 1)
        await store.close()
    }

    @Test func whatIsEnqueuedGetsToDiskByItself() async throws {
        let store = try await directory.open()
        store.enqueue(try record("a", .inProgress))
        try await eventually("the row is there") { try directory.integer("SELECT count(*) FROM operations") == 1 }
        store.append(AuditEntry(at: .now, actor: "test", action: "process.killed"))
        try await eventually("the entry is there") {
            try directory.integer("SELECT count(*) FROM audit WHERE action = 'process.killed'") == 1
        }
        await store.close()
    }

    @Test func closingWritesWhatStillWaits() async throws {
        let store = try await directory.open { $0.groupingDelay = .seconds(3600) }
        store.enqueue(try record("a", .paused))
        await store.close()
        #expect(try directory.integer("SELECT count(*) FROM operations") == 1)
    }

    @Test func aWakeTakesNothingThatCameAfterWhatItIsFor() throws {
        let shared = SharedState()
        let late = try #require(shared.add(try record("a", .inProgress)))
        #expect(shared.beginGroup() != nil)
        while shared.takeNext(until: .now()) != nil {}
        #expect(shared.endGroup(until: .now()) == nil)
        #expect(shared.add(try record("b", .inProgress)) != nil)
        #expect(shared.beginGroup(late.batch) == nil)
        #expect(shared.beginGroup() != nil)
    }
}

@Suite struct PendingWritesTests {
    @Test func aNewerStateTakesThePlaceOfAnOlder() throws {
        var pending = PendingWrites()
        pending.add(try record("a", .pending), waiter: nil)
        pending.add(try record("b", .inProgress), waiter: nil)
        pending.add(try record("a", .completed), waiter: nil)
        #expect(pending.entries.map(\.record) == [try record("a", .completed), try record("b", .inProgress)])
    }

    @Test func aStateNeverTakesThePlaceOfAnEnding() throws {
        var pending = PendingWrites()
        pending.add(try record("a", .failed), waiter: nil)
        pending.add(try record("a", .inProgress), waiter: nil)
        #expect(pending.entries.map(\.record) == [try record("a", .failed)])
    }

    @Test func aStateWhoseEndingMayFollowIsLeftWhereNobodyWaitsForIt() async throws {
        let outcome = await withCheckedContinuation { (waiter: PendingWrites.Waiter) in
            defer { waiter.resume(returning: .durable) }
            do {
                var pending = PendingWrites()
                pending.add(try record("a", .inProgress), waiter: nil)
                pending.add(try record("b", .completed), waiter: waiter)
                pending.add(try record("c", .failed), waiter: nil)
                let taken = pending.takeWaiting()
                #expect(taken.entries.map(\.record) == [try record("b", .completed), try record("c", .failed)])
                #expect(taken.waiterCount == 1)
                #expect(pending.waiterCount == 0)
                pending.add(try record("a", .completed), waiter: nil)
                #expect(pending.entries.map(\.record) == [try record("a", .completed)])
            } catch {
                Issue.record(error)
            }
        }
        #expect(outcome == .durable)
    }

    @Test func nothingIsLeftWhereTheAuditLogHasSomethingInBetween() throws {
        var pending = PendingWrites()
        pending.add(try record("a", .inProgress), waiter: nil)
        pending.append(AuditEntry(at: .now, actor: "test", action: "process.killed"))
        pending.add(try record("a", .completed), waiter: nil)
        let taken = pending.takeWaiting()
        #expect(taken.entries.map(\.record) == [try record("a", .inProgress), try record("a", .completed)])
        #expect(pending.isEmpty)
    }

    @Test func aStateNeverMovesBeforeWhatTheAuditLogWasGiven() throws {
        var pending = PendingWrites()
        let entry = AuditEntry(at: .now, actor: "test", action: "process.killed")
        pending.append(entry)
        pending.add(try record("a", .inProgress), waiter: nil)
        pending.append(entry)
        pending.add(try record("a", .completed), waiter: nil)
        #expect(pending.audit == [entry])
        #expect(pending.entries.map(\.record) == [try record("a", .inProgress), try record("a", .completed)])
        #expect(pending.entries.map(\.audit) == [[entry], []])
    }
}
