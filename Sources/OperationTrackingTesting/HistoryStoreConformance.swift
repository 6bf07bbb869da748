#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
public import OperationTracking

/// What every `HistoryStore` must do, as one check that needs no test framework.
///
/// ```swift
/// @Test func itIsAHistoryStore() async throws {
///     try await HistoryStoreConformance.check(MyHistoryStore())
/// }
/// ```
public enum HistoryStoreConformance {
    /// Checks a store, and its abilities `AuditLog`, `SharedHistory` and `LatestRuns` where it has them, and closes it.
    ///
    /// - Parameter store: an empty store that keeps at least 1,000 operations.
    /// - Throws: ``ConformanceFailure`` for the first expectation that isn't met, or an error that the store threw unexpectedly.
    public static func check(_ store: any HistoryStore) async throws {
        let check = HistoryStoreCheck(store: store)
        try await check.keepsEveryFieldOfARecord()
        try await check.writesOfOneOperationTakeEffectInOrder()
        try await check.anEndedOperationNeverChanges()
        try await check.anIdIsForOneOperationOnly()
        try await check.payloadsOverTheLimitAreNotKept()
        try await check.pagesFollowEachOtherNewestFirst()
        try await check.aPageHoldsWhatTheQueryAsksFor()
        try await check.aForeignCursorIsRefused()
        try await check.pruningRemovesOnlyEndedOperationsAndNoStatistics()
        try await check.statisticsAddUp()
        try await check.statisticsTellMemory()
        try await check.statisticsTellHowEstimatesHeld()
        if let log = store as? any AuditLog { try await check.auditLogHasStartsEndsAndEntries(log) }
        if let shared = store as? any SharedHistory { try await check.aUniqueKeyHasOneActiveOperation(shared) }
        if let runs = store as? any LatestRuns { try await check.latestRunsAreOfEachType(runs) }
        try expect("A store that is not in trouble is healthy.", store.health, is: .ok)
        try await check.aClosedStoreTakesNothing()
    }
}

/// Each method is one expectation. They share a store, so each uses operation types of its own.
struct HistoryStoreCheck {
    let store: any HistoryStore

    func keepsEveryFieldOfARecord() async throws {
        let full = Sample.full(type: "check_fields")
        try await commit(full)
        try expect("A record comes back as it was committed.", try await store.record(full.operation.id), is: full)

        let bare = Sample.record("bare", type: "check_fields", at: 1)
        try await enqueue([bare])
        try expect(
            "A record without optional values comes back without them.",
            try await store.record(bare.operation.id),
            is: bare
        )

        let unknown = try await store.record(Sample.id("nobody"))
        try expect("An operation that was never written is not known.", unknown, is: nil)
    }

    func writesOfOneOperationTakeEffectInOrder() async throws {
        var record = Sample.record("order", type: "check_order", at: 1)
        for attempt in 1...50 {
            record.operation.attempt = attempt
            store.enqueue(record)
        }
        try await enqueue([])
        let attempt = try await store.record(record.operation.id)?.operation.attempt
        try expect("The newest state that was enqueued is the one that stays.", attempt, is: 50)

        store.enqueue(record)
        record = Sample.ended(record, .failed)
        try await commit(record)
        try expect("An ending replaces the states before it.", try await store.record(record.operation.id), is: record)
    }

    func anEndedOperationNeverChanges() async throws {
        let ended = Sample.ended(Sample.record("final", type: "check_final", at: 1), .cancelled)
        try await commit(ended)
        try expect("The same ending may be committed again.", await store.commit(ended), is: .durable)

        var late = ended
        late.operation.status = .inProgress
        late.operation.finishedAt = nil
        try await enqueue([late])
        try expect(
            "A state that arrives after the ending is dropped.",
            try await store.record(ended.operation.id),
            is: ended
        )

        let other = await store.commit(Sample.ended(late, .completed))
        guard case .volatile = other else {
            throw ConformanceFailure("A second, different ending is not said to be durable.", found: "\(other).")
        }
        try expect("A second ending is dropped.", try await store.record(ended.operation.id), is: ended)
    }

    func anIdIsForOneOperationOnly() async throws {
        var first = Sample.record("reused", type: "check_reuse", at: 1)
        first.operation.status = .completed
        try await commit(first)
        let later = Sample.record("reused", type: "check_reuse", at: 2)
        var second = later
        second.operation.status = .completed
        let durability = await store.commit(second)
        guard case .volatile = durability else {
            throw ConformanceFailure(
                "The ending of a second operation with the same id is not called durable.",
                found: "durable"
            )
        }
        try expect("The first operation with an id stays.", try await store.record(first.operation.id), is: first)
    }

    func payloadsOverTheLimitAreNotKept() async throws {
        let limit = OperationRecord.payloadLimit
        var record = Sample.ended(Sample.record("payload", type: "check_payload", at: 1), .completed)
        record.request = Array(repeating: UInt8(ascii: "1"), count: limit)
        record.result = Array(repeating: UInt8(ascii: "1"), count: limit + 1)
        record.resumeState = Array(repeating: 0xff, count: limit + 1)
        try await commit(record)
        let kept = try await store.record(record.operation.id)
        try expect("A payload at the limit is kept.", kept?.request?.count, is: limit)
        try expect("A result over the limit is not kept.", kept?.result, is: nil)
        try expect("A resume state over the limit is not kept.", kept?.resumeState, is: nil)
    }

    func pagesFollowEachOtherNewestFirst() async throws {
        // Written out of order, and two in each millisecond.
        let records = (0..<25).map { Sample.record("page\($0)", type: "check_pages", at: Int64($0 / 2)) }
        try await enqueue(records.reversed())
        var query = HistoryQuery(limit: 10)
        query.types = [OperationType("check_pages")]
        var found: [OperationRecord] = []
        var sizes: [Int] = []
        repeat {
            let page = try await store.page(query)
            found += page.records
            sizes.append(page.records.count)
            query.cursor = page.nextCursor
        } while query.cursor != nil && sizes.count < 10
        try expect("Pages are full but for the last.", sizes, is: [10, 10, 5])
        try expect("Pages hold each operation once.", Set(found), is: Set(records))
        let moments = found.map(\.operation.createdAt)
        try expect("Operations come in the order of their creation, newest first.", moments, is: moments.sorted(by: >))

        query.limit = 25
        query.cursor = nil
        let whole = try await store.page(query)
        try expect("A page that is exactly full and the last has no next cursor.", whole.nextCursor, is: nil)
        query.limit = 0
        let least = try await store.page(query)
        try expect("A limit below 1 is taken as 1.", least.records.count, is: 1)
    }

    func aPageHoldsWhatTheQueryAsksFor() async throws {
        let parent = Sample.record("parent", type: "check_parent", at: 0)
        var plain = Sample.record("plain", type: "check_filter_a", at: 10)
        plain.operation.description = "Ten 100% sure_things \\ here"
        var other = Sample.ended(Sample.record("other", type: "check_filter_b", at: 20), .failed)
        other.operation.description = "Ten 1000 sureXthings"
        other.operation.parentID = parent.operation.id
        let third = Sample.ended(Sample.record("third", type: "check_filter_b", at: 30), .completed)
        try await enqueue([parent, plain])
        try await commit(other)
        try await commit(third)

        let a = OperationType("check_filter_a")
        let b = OperationType("check_filter_b")
        func expectPage(_ what: String, _ wanted: [OperationRecord], _ change: (inout HistoryQuery) -> Void)
            async throws
        {
            var query = HistoryQuery()
            query.types = [a, b]
            change(&query)
            let found = try await store.page(query).records.map(\.operation.id)
            try expect("A page of \(what) holds these and no others.", found, is: wanted.map(\.operation.id))
        }
        try await expectPage("several types", [third, other, plain]) { _ in }
        try await expectPage("one type", [third, other]) { $0.types = [b] }
        try await expectPage("one status", [other]) { $0.statuses = [.failed] }
        try await expectPage("several statuses", [third, other]) { $0.statuses = [.failed, .completed] }
        try await expectPage("a status alone", [other]) {
            $0.types = []
            $0.statuses = [.failed]
            $0.since = other.operation.createdAt
        }
        try await expectPage("a parent", [other]) {
            $0.types = []
            $0.parent = parent.operation.id
        }
        try await expectPage("a parent and another type", []) {
            $0.types = [a]
            $0.parent = parent.operation.id
        }
        try await expectPage("a text", [other, plain]) { $0.text = "tEN 100" }
        try await expectPage("a text with %", [plain]) { $0.text = "100%" }
        try await expectPage("a text with _", [plain]) { $0.text = "sure_t" }
        try await expectPage("a text with a backslash", [plain]) { $0.text = "\\ h" }
        try await expectPage("a span, its beginning included, its end not", [other]) {
            $0.since = other.operation.createdAt
            $0.before = third.operation.createdAt
        }
        try await expectPage("an empty span", []) {
            $0.since = third.operation.createdAt
            $0.before = other.operation.createdAt
        }
    }

    func aForeignCursorIsRefused() async throws {
        for cursor in [
            "", "1", "o", "o000000000000000g", "a0000000000000001", "o-00000000000001", "o00000000000000010", "ö",
        ] {
            var query = HistoryQuery()
            query.cursor = cursor
            try await expectError(.invalidCursor, "The cursor '\(cursor)' is refused.") {
                _ = try await store.page(query)
            }
        }
    }

    func pruningRemovesOnlyEndedOperationsAndNoStatistics() async throws {
        let type = OperationType("check_prune")
        let active = Sample.record("prune_active", type: "check_prune", at: 0)
        try await enqueue([active])
        for number in 0..<3 {
            try await commit(
                Sample.ended(Sample.record("prune\(number)", type: "check_prune", at: Int64(number)), .completed)
            )
        }
        let before = try await store.statistics(types: [type])
        _ = try await store.prune(RetentionPolicy(maximumCount: 1))
        var all = HistoryQuery(limit: 1000)
        all.statuses = [.completed, .failed, .cancelled]
        let left = try await store.page(all).records.count
        try expect("Pruning by number keeps that many ended operations.", left, is: 1)
        try expect("Pruning leaves active operations.", try await store.record(active.operation.id), is: active)
        try expect("Pruning doesn't change statistics.", try await store.statistics(types: [type]), is: before)

        let fresh = Sample.ended(Sample.record("prune_fresh", type: "check_prune", at: 0), .completed, at: .now)
        try await commit(fresh)
        let removed = try await store.prune(RetentionPolicy(maximumAge: .seconds(3600)))
        try expect("Pruning by age says how many it removed.", removed, is: 1)
        let kept = try await store.record(fresh.operation.id)
        try expect("Age counts from the end.", kept?.operation.id, is: fresh.operation.id)
        try expect("Pruning with no limit removes nothing.", try await store.prune(RetentionPolicy()), is: 0)
    }

    func statisticsAddUp() async throws {
        let type = OperationType("check_statistics")
        for number in 0..<100 {
            var record = Sample.ended(
                Sample.record("stat\(number)", type: "check_statistics", at: Int64(number)),
                .completed
            )
            record.operation.activeSeconds = number < 90 ? 2 : 20
            record.operation.progress.completedUnits = 1_500
            record.operation.progress.presentUnits = 500
            try await commit(record)
        }
        for number in 0..<3 {
            try await commit(Sample.ended(Sample.record("stat_f\(number)", type: "check_statistics", at: 1), .failed))
        }
        try await commit(Sample.ended(Sample.record("stat_c", type: "check_statistics", at: 1), .cancelled))
        let all = try await store.statistics(types: [type])
        guard let figures = all.first, all.count == 1 else {
            throw ConformanceFailure("There is one line of figures for a type.", found: "\(all).")
        }
        try expect("Completed ones are counted.", figures.completed, is: 100)
        try expect("Failed ones are counted.", figures.failed, is: 3)
        try expect("Cancelled ones are counted.", figures.cancelled, is: 1)
        try expect("The median is within 2 %.", within2Percent(figures.p50Seconds, of: 2), is: true)
        try expect("The 90th percentile is within 2 %.", within2Percent(figures.p90Seconds, of: 2), is: true)
        try expect("The 99th percentile is within 2 %.", within2Percent(figures.p99Seconds, of: 20), is: true)
        let rate = 100_000.0 / (90 * 2 + 10 * 20)
        try expect(
            "The rate counts what was transferred, not what was there.",
            within2Percent(figures.meanBytesPerSecond, of: rate),
            is: true
        )
        let none = try await store.statistics(types: [OperationType("check_nothing")])
        try expect("A type of which nothing ended has no figures.", none, is: [])
        let types = try await store.statistics(types: nil).map(\.type)
        try expect("Without a choice all types have figures.", types.contains(type), is: true)
    }

    func statisticsTellHowEstimatesHeld() async throws {
        let type = OperationType("check_estimates")
        for (name, status, accuracy) in [
            ("estimates0", OperationStatus.completed, EstimateAccuracy(count: 5, covered: 4, logErrorSum: 0.5)),
            ("estimates1", .completed, nil),
            ("estimates2", .completed, EstimateAccuracy(count: 2, covered: 0, logErrorSum: 1.25)),
        ] {
            var record = Sample.record(name, type: "check_estimates", at: 1)
            try await enqueue([record])
            record.accuracy = accuracy
            try await commit(Sample.ended(record, status))
        }
        var recent = Sample.record("estimates3", type: "check_estimates", at: 1)
        recent.accuracy = EstimateAccuracy(count: 3, covered: 2, logErrorSum: 0.25)
        try await commit(Sample.ended(recent, .completed, at: .now))
        let figures = try await store.statistics(types: [type]).first
        try expect(
            "How estimates held is summed up over all that ended.",
            figures?.accuracy,
            is: EstimateAccuracy(count: 10, covered: 6, logErrorSum: 2)
        )
        try expect(
            "And over those that ended lately.",
            figures?.recentAccuracy,
            is: EstimateAccuracy(count: 3, covered: 2, logErrorSum: 0.25)
        )
    }

    func statisticsTellMemory() async throws {
        let type = OperationType("check_memory")
        func end(_ name: String, _ status: OperationStatus, _ peak: Int64?) async throws -> Int64? {
            var record = Sample.record(name, type: "check_memory", at: 1)
            record.peakMemoryBytes = peak
            try await enqueue([record])
            try await commit(Sample.ended(record, status))
            return try await store.statistics(types: [type]).first?.peakMemoryBytes
        }
        let unmeasured = try await end("memory0", .completed, nil)
        try expect("Where no memory was measured none is told.", unmeasured, is: nil)
        let first = try await end("memory1", .failed, 1000)
        try expect("The memory of what ended is told, however it ended.", first, is: 1000)
        let higher = try await end("memory2", .completed, 2000)
        try expect("The highest memory counts.", higher, is: 2000)
        let lower = try await end("memory3", .completed, 10)
        try expect("With each that follows a tenth of an old height is forgotten.", lower, is: 1800)
        let none = try await end("memory4", .cancelled, nil)
        try expect("What was not measured changes nothing.", none, is: 1800)
    }

    func aClosedStoreTakesNothing() async throws {
        await store.close()
        await store.close()
        let late = Sample.ended(Sample.record("late", type: "check_closed", at: 1), .completed)
        store.enqueue(late)
        let durability = await store.commit(late)
        guard case .volatile = durability else {
            throw ConformanceFailure("A closed store does not say that an ending is durable.", found: "\(durability).")
        }
        try await expectError(.closed, "A closed store gives no pages.") { _ = try await store.page(HistoryQuery()) }
        try await expectError(.closed, "A closed store gives no records.") {
            _ = try await store.record(late.operation.id)
        }
    }

    // MARK: Means

    func commit(_ record: OperationRecord) async throws {
        try expect("A commit of a store that is not in trouble is durable.", await store.commit(record), is: .durable)
    }

    /// Hands over and waits until it is written: a commit is written together with all that was handed over before it.
    func enqueue(_ records: [OperationRecord]) async throws {
        for record in records { store.enqueue(record) }
        let id = Sample.id("barrier_\(UInt32.random(in: .min ... .max))")
        var operation = BackgroundOperation(
            id: id,
            type: OperationType("check_barrier"),
            description: "",
            status: .completed,
            createdAt: Sample.epoch
        )
        operation.finishedAt = Sample.epoch
        try await commit(OperationRecord(operation: operation))
    }

    func expectError(_ code: HistoryError.Code, _ expectation: String, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as HistoryError {
            return try expect(expectation, error.code.rawValue, is: code.rawValue)
        }
        throw ConformanceFailure(expectation, found: "no error.")
    }

    private func within2Percent(_ value: Double?, of wanted: Double) -> Bool {
        value.map { abs($0 - wanted) <= 0.0201 * wanted } ?? false
    }
}
