import OperationTrackingTesting
import Synchronization
import TestSupport
import Testing

@testable import OperationTracking

/// What a tracker learns from its history, and when.
@Suite(.timeLimit(.minutes(Patience.minutes)))
struct LearningTests {
    private let clock = ManualClock()

    private struct HostProvider: OperationProvider {
        static let operationType = OperationType("fetch")
        func description(of request: String) -> String { "Fetch from \(request)" }
        func estimateFeature(of request: String) -> String { request }

        @concurrent
        func perform(_ request: String, reporting handle: OperationHandle) async throws -> String { request }
    }

    @Test func whatAProviderSaysThatItDependsOnIsKept() async throws {
        let store = InMemoryHistoryStore()
        let runner = OperationRunner(tracker: OperationTracker(history: store, clock: clock))
        let long = String(repeating: "é", count: 100)
        for (name, feature) in [("a.example", "a.example"), ("", nil), (long, String(repeating: "é", count: 32))] {
            let submitted = try await runner.submit(name, to: HostProvider())
            _ = try await submitted.output
            #expect(try await store.record(submitted.id)?.estimateFeature == feature)
        }
    }

    @Test func anotherProcessesRunsAreFoundInTime() async throws {
        let store = InMemoryHistoryStore()
        let (mine, other) = (
            OperationTracker(history: store, clock: clock), OperationTracker(history: store, clock: clock)
        )
        func begin() async throws -> OperationHandle {
            let handle = try mine.start(type: .download, description: "mine", total: 1_000)
            while !mine.knowsPast { await briefPause() }
            return handle
        }
        try await mine.cancel(try await begin().id)
        for _ in 1...5 {
            let handle = try other.start(type: .download, description: "other", total: 1_000)
            await clock.advance(by: .seconds(50))
            handle.update(completed: 1_000)
            try await other.complete(handle.id)
        }
        await clock.advance(by: .seconds(600))
        let handle = try await begin()
        // Before more time passes than the others took, from when on nothing is said of what remains.
        await mine.past.withLock(\.reading)?.value
        await clock.advance(by: .seconds(1))
        _ = mine.tick()
        #expect(handle.operation.remaining?.samples == 5)
        try await mine.cancel(handle.id)
    }

    @Test func aRunThatIsReadBeforeItsEndingIsToldTeachesOnce() async throws {
        let store = LateToTell()
        let earlier = OperationTracker(history: store.inner, clock: clock)
        for _ in 1...5 {
            let id = try earlier.start(type: .download, description: "before").id
            await clock.advance(by: .seconds(50))
            try await earlier.complete(id)
        }
        let tracker = OperationTracker(history: store, clock: clock)
        let id = try tracker.start(type: .download, description: "sixth").id
        await clock.advance(by: .seconds(50))
        async let ending = tracker.complete(id)
        while !tracker.knowsPast { await briefPause() }
        store.tells.withLock { $0 = true }
        _ = try await ending
        let past = tracker.pastRuns(of: .download, like: RunHistory.Likeness(size: nil, unit: .bytes))
        #expect(past?.durations?.samples == 6)
    }

    /// One of 1 would take back what earlier runs have taught.
    @Test func aRunThatEndsBeforeThePastIsKnownNamesNoWidth() async throws {
        let store = LateToTell()
        let tracker = OperationTracker(history: store, clock: clock)
        let handle = try tracker.start(type: .download, description: "first", total: 1_000)
        for second in 1...50 {
            await clock.advance(by: .seconds(1))
            handle.update(completed: Int64(second * 10))
            _ = tracker.tick()
        }
        store.tells.withLock { $0 = true }
        try await tracker.complete(handle.id)
        let record = try #require(try await store.record(handle.id))
        #expect(record.accuracy != nil && record.estimateWidth == nil)
    }

    @Test func aHistoryThatCouldNotBeReadIsAskedAgain() async throws {
        let store = Unreadable()
        let tracker = OperationTracker(history: store, clock: clock)
        try await tracker.cancel(tracker.start(type: .download, description: "a").id)
        while store.asked.withLock({ $0 }) == 0 || !tracker.knowsPast { await briefPause() }
        try await tracker.cancel(tracker.start(type: .download, description: "too soon").id)
        await clock.advance(by: .seconds(11))
        try await tracker.cancel(tracker.start(type: .download, description: "b").id)
        while store.asked.withLock({ $0 }) == 1 { await briefPause() }
        #expect(store.asked.withLock { $0 } == 2)
    }
}

/// A history whose pages can't be read.
private final class Unreadable: HistoryStore {
    let asked = Mutex(0)
    private let store = InMemoryHistoryStore()

    func enqueue(_ record: OperationRecord) { store.enqueue(record) }
    func commit(_ record: OperationRecord) async -> HistoryDurability { await store.commit(record) }
    func record(_ id: OperationID) async throws -> OperationRecord? { try await store.record(id) }
    func page(_ query: HistoryQuery) async throws -> HistoryPage {
        asked.withLock { $0 += 1 }
        throw HistoryError(.failed, "The disk is gone.")
    }
    func statistics(types: Set<OperationType>?) async throws -> [HistoryStatistics] { [] }
    func prune(_ policy: RetentionPolicy) async throws -> Int { 0 }
    var health: HistoryHealth { .ok }
    func close() async {}
}

/// A history that is read once an ending is in it, and says that the ending is only after that.
private final class LateToTell: HistoryStore {
    let inner = InMemoryHistoryStore()
    let tells = Mutex(false)
    private let hasEnding = Mutex(false)

    func enqueue(_ record: OperationRecord) { inner.enqueue(record) }
    func commit(_ record: OperationRecord) async -> HistoryDurability {
        let durability = await inner.commit(record)
        hasEnding.withLock { $0 = true }
        while !tells.withLock({ $0 }) { await briefPause() }
        return durability
    }
    func record(_ id: OperationID) async throws -> OperationRecord? { try await inner.record(id) }
    func page(_ query: HistoryQuery) async throws -> HistoryPage {
        while !hasEnding.withLock({ $0 }) { await briefPause() }
        return try await inner.page(query)
    }
    func statistics(types: Set<OperationType>?) async throws -> [HistoryStatistics] {
        try await inner.statistics(types: types)
    }
    func prune(_ policy: RetentionPolicy) async throws -> Int { try await inner.prune(policy) }
    var health: HistoryHealth { inner.health }
    func close() async { await inner.close() }
}
