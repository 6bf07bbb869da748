import OperationTrackingTesting
import Synchronization
import Testing

@testable import OperationTracking

/// An ending is decided, then durable, then visible.
struct DurabilityTests {
    private let store = HeldStore()
    private let tracker: OperationTracker

    init() {
        tracker = OperationTracker(history: store, clock: ManualClock())
    }

    @Test func anEndingIsSeenOnlyWhenItIsDurable() async throws {
        let handle = try tracker.start(type: .seed, description: "work", total: 10)
        let events = tracker.events()
        let ending = Task { try await tracker.complete(handle.id) }
        await store.commitIsHeld()
        #expect(handle.operation.status == .inProgress)
        #expect(handle.operation.progress.percent < 100)
        #expect(tracker.summary[.inProgress] == 1)
        #expect(tracker.recentOperations().isEmpty)
        let late = await #expect(throws: OperationError.self) {
            try await tracker.fail(handle.id, OperationFailure(.stalled, "late"))
        }
        #expect(late?.code == .invalidTransition, "it is decided though nobody sees it yet")

        store.release(.durable)
        #expect(try await ending.value == .durable)
        #expect(handle.operation.status == .completed)
        #expect(tracker.summary[.completed] == 1)
        for await event in events {
            #expect(event.kind == .finished(durable: true))
            break
        }
    }

    @Test func anEndingThatIsNotDurableSaysSo() async throws {
        let handle = try tracker.start(type: .seed, description: "work")
        let events = tracker.events()
        let ending = Task { try await tracker.complete(handle.id) }
        await store.commitIsHeld()
        store.release(.volatile(reason: "disk full"))
        #expect(try await ending.value == .volatile(reason: "disk full"))
        var kinds: [OperationEvent.Kind] = []
        for await event in events {
            kinds.append(event.kind)
            if event.kind.isEnding { break }
        }
        #expect(kinds == [.historyHealth(.degraded(reason: "disk full")), .finished(durable: false)])
    }

    @Test func closingWaitsForAnEndingOnItsWay() async throws {
        let handle = try tracker.start(type: .seed, description: "work")
        let events = tracker.events()
        let ending = Task { try await tracker.complete(handle.id) }
        await store.commitIsHeld()
        let closing = Task { await tracker.close() }
        for _ in 0..<100 { await Task.yield() }
        #expect(!store.isClosed)
        store.release(.durable)
        await closing.value
        _ = try await ending.value
        #expect(store.isClosed)
        var kinds: [OperationEvent.Kind] = []
        for await event in events { kinds.append(event.kind) }
        #expect(kinds == [.finished(durable: true)])
    }

    @Test func whatIsReportedAfterTheEndChangesNothing() async throws {
        let handle = try tracker.start(type: .seed, description: "work", total: 10)
        handle.update(completed: 4)
        let ending = Task { try await tracker.fail(handle.id, OperationFailure(.stalled, "end")) }
        await store.commitIsHeld()
        handle.update(completed: 9)
        handle.setPhase("late", message: "late")
        handle.setTotal(99)
        store.release(.durable)
        _ = try await ending.value
        handle.update(completed: 1)
        let operation = handle.operation
        #expect(operation.progress.completedUnits == 4)
        #expect(operation.progress.totalUnits == 10)
        #expect(operation.progress.rewoundUnits == 0)
        #expect(operation.phase == nil)
        #expect(store.committed?.operation == operation)
        await #expect(throws: CancellationError.self) { try await handle.checkpoint() }
    }
}

struct ConcurrencyTests {
    @Test func totalsAddUpHoweverStepsMeet() async throws {
        let tracker = OperationTracker(clock: ManualClock())
        await withTaskGroup { group in
            for _ in 0..<500 {
                guard let handle = try? tracker.start(type: .seed, description: "work") else { continue }
                group.addTask { try? await tracker.report(handle.id, .paused) }
                group.addTask { try? await tracker.report(handle.id, .inProgress) }
                group.addTask { try? await tracker.cancel(handle.id) }
                group.addTask {
                    while (try? await tracker.complete(handle.id)) == nil, handle.operation.status.isActive {
                        try? await tracker.report(handle.id, .inProgress)
                    }
                }
            }
        }
        let summary = tracker.summary
        #expect(summary.totalActive == 0)
        #expect(summary[.pending] == 0 && summary[.inProgress] == 0 && summary[.paused] == 0)
        #expect(summary[.completed] == 500)
        #expect(summary.activeByType.isEmpty)
    }

    @Test func noResumeIsLostHoweverFastItFollowsThePause() async throws {
        let tracker = OperationTracker(clock: ManualClock())
        let handle = try tracker.start(type: .seed, description: "work")
        let work = Task {
            while !handle.isCancelled {
                try await handle.checkpoint()
                await briefPause()
            }
        }
        for _ in 0..<2000 {
            try await tracker.pause(handle.id)
            try await tracker.resume(handle.id)
        }
        while handle.operation.status != .inProgress || handle.operation.pendingRequest != nil { await briefPause() }
        try await tracker.cancel(handle.id)
        _ = await work.result
    }

    @Test func severalTasksOfOneWorkPauseAndGoOnTogether() async throws {
        let tracker = OperationTracker(clock: ManualClock())
        let handle = try tracker.start(type: .seed, description: "work")
        try await tracker.pause(handle.id)
        await withThrowingTaskGroup { group in
            for _ in 0..<8 { group.addTask { try await handle.checkpoint() } }
            while handle.operation.status != .paused { await briefPause() }
            for _ in 0..<50 { await Task.yield() }
            try? await tracker.resume(handle.id)
        }
        #expect(handle.operation.status == .inProgress)
    }
}

/// Holds every commit until it is told how it ended.
private final class HeldStore: HistoryStore {
    private struct State {
        var committed: OperationRecord?
        var waiting: CheckedContinuation<HistoryDurability, Never>?
        var outcome: HistoryDurability?
        var isClosed = false
    }

    private let state = Mutex(State())
    private let held = AsyncStream.makeStream(of: Void.self)

    var committed: OperationRecord? { state.withLock { $0.committed } }
    var isClosed: Bool { state.withLock { $0.isClosed } }

    func commitIsHeld() async {
        for await _ in held.stream { return }
    }

    func release(_ outcome: HistoryDurability) {
        let waiting = state.withLock { state in
            state.outcome = outcome
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(returning: outcome)
    }

    func enqueue(_ record: OperationRecord) {}

    func commit(_ record: OperationRecord) async -> HistoryDurability {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                state.committed = record
                state.waiting = continuation
            }
            held.continuation.yield()
        }
    }

    var health: HistoryHealth {
        state.withLock { state in
            if case .volatile(let reason) = state.outcome { .degraded(reason: reason) } else { .ok }
        }
    }

    func close() async { state.withLock { $0.isClosed = true } }
    func record(_ id: OperationID) async throws -> OperationRecord? { nil }
    func page(_ query: HistoryQuery) async throws -> HistoryPage { HistoryPage(records: [], nextCursor: nil) }
    func statistics(types: Set<OperationType>?) async throws -> [HistoryStatistics] { [] }
    func prune(_ policy: RetentionPolicy) async throws -> Int { 0 }
}
