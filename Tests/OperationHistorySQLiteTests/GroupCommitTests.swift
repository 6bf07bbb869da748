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

    @Test func whoWasAnsweredTogetherIsWaitedFor() async throws {
        let store = try await directory.open {
            $0.beforeCommit = gate.pass
            $0.companyDelay = .seconds(3600)
        }
        try await commitTogether(3, in: store)
        let before = gate.transactions
        try await withThrowingTaskGroup { group in
            for number in 0..<2 {
                group.addTask { () async throws in #expect(try await store.end("\(number)") == .durable) }
            }
            try await eventually("two have handed over and wait") { store.waitingCount == 2 }
            #expect(try await store.end("last") == .durable)
            try await group.waitForAll()
        }
        #expect(gate.transactions == before + 1)
        await store.close()
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
        #expect(!shared.takePending().isEmpty)
        #expect(shared.add(try record("b", .inProgress)) != nil)
        #expect(shared.takePending(late.batch).isEmpty)
        #expect(!shared.takePending().isEmpty)
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
