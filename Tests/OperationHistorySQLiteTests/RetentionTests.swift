import Foundation
import OperationTracking
import TestSupport
import Testing

@testable import OperationHistorySQLite

@Suite struct RetentionTests {
    let directory = TemporaryDirectory()

    @Test func manyAreRemovedInBatchesAndTheNewestStay() async throws {
        let store = try await directory.open()
        for number in 0..<1800 { store.enqueue(try record("\(number)", at: moment(number))) }
        store.enqueue(try record("active", .paused, at: moment(0)))
        try await store.settle()
        #expect(try await store.prune(RetentionPolicy(maximumCount: 101)) == 1700)
        #expect(try await store.page(HistoryQuery(limit: 1000)).records.count == 102)
        #expect(try await store.status("1799") == .completed)
        #expect(try await store.status("1698") == nil)
        #expect(try await store.status("active") == .paused)
        #expect(try await store.prune(RetentionPolicy(maximumCount: 101)) == 0)
        // An audit log of twice as many entries, and the statistics of all.
        #expect(try directory.integer("SELECT count(*) FROM audit") == 202)
        #expect(try await store.statistics(types: [.download]).map(\.completed) == [1800])
        await store.close()
    }

    @Test func ageCountsFromTheEndNotFromTheBeginning() async throws {
        let store = try await directory.open()
        let long = Date(milliseconds: Date.now.milliseconds - 400 * 86_400_000)
        var slow = try record("slow", at: long)
        slow.operation.finishedAt = .now
        _ = await store.commit(slow)
        _ = await store.commit(try record("old", at: long))
        #expect(try await store.prune(.default) == 1)
        #expect(try await store.status("slow") == .completed)
        await store.close()
    }

    @Test func whatIsTooOldIsRemovedAfterOpeningByItself() async throws {
        let first = try await directory.open()
        for number in 0..<600 { first.enqueue(try record("\(number)", at: moment(number))) }
        await first.close()
        let second = try await directory.open { $0.retention = RetentionPolicy(maximumCount: 10) }
        try await eventually("the surplus is gone") { try directory.integer("SELECT count(*) FROM operations") == 10 }
        await second.close()
    }

    @Test func retentionIsAppliedAgainAfterSoManyEndings() async throws {
        let store = try await directory.open { options in
            options.retention = RetentionPolicy(maximumCount: 5)
            options.endingsBetweenPrunes = 20
        }
        for number in 0..<100 { _ = await store.commit(try record("\(number)", at: moment(number))) }
        try await eventually("the surplus is gone") { try directory.integer("SELECT count(*) FROM operations") < 30 }
        await store.close()
    }

    @Test func commitsGoOnBetweenTheBatches() async throws {
        let store = try await directory.open()
        for number in 0..<3000 { store.enqueue(try record("\(number)", at: moment(number))) }
        try await store.settle()
        async let removed = store.prune(RetentionPolicy(maximumCount: 0))
        try await eventually("pruning has begun") { try directory.integer("SELECT count(*) FROM operations") < 3001 }
        #expect(try await store.end("meanwhile", .failed) == .durable)
        #expect(try await removed >= 3000)
        await store.close()
    }

    private func moment(_ number: Int) -> Date { Date(milliseconds: 1_700_000_000_000 + Int64(number)) }
}

@Suite struct StatisticsTests {
    let directory = TemporaryDirectory()

    @Test func endingsAreAlsoCountedByDay() async throws {
        let store = try await directory.open()
        let noon = Date(milliseconds: 1_700_049_600_000)  // 2023-11-15T12:00:00Z
        for number in 0..<3 { _ = await store.commit(try record("a\(number)", at: noon)) }
        _ = await store.commit(try record("b", .failed, at: noon.addingTimeInterval(12 * 3600)))
        _ = await store.commit(try record("c", .cancelled, at: noon.addingTimeInterval(12 * 3600 - 0.001)))
        func count(_ day: String, _ status: String) throws -> Int64 {
            try directory.integer(
                "SELECT coalesce(sum(count), 0) FROM statistics WHERE day = '\(day)' AND status = '\(status)'"
            )
        }
        #expect(try count("2023-11-15", "completed") == 3)
        #expect(try count("2023-11-15", "cancelled") == 1)
        #expect(try count("2023-11-16", "failed") == 1)
        #expect(try count("all", "completed") == 3)
        #expect(try directory.integer("SELECT sum(seconds) FROM statistics WHERE day = 'all'") == 6)
        await store.close()
    }

    @Test func whatFailedToBeWrittenIsNotCountedTwice() async throws {
        let fault = Fault()
        let store = try await directory.open { options in
            options.beforeCommit = fault.failIfOn
            options.retryInterval = .milliseconds(10)
        }
        fault.set(true)
        for number in 0..<5 { _ = await store.commit(try record("\(number)")) }
        fault.set(false)
        try await eventually("the store is healthy") { store.health == .ok }
        #expect(try await store.statistics(types: nil).map(\.completed) == [5])
        await store.close()
    }

    @Test func statisticsDoNotReadOperations() async throws {
        let store = try await directory.open()
        _ = await store.commit(try record("a"))
        try directory.execute("DELETE FROM operations")
        #expect(try await store.statistics(types: [.download]).map(\.count) == [1])
        await store.close()
    }
}
