import Foundation
import OperationTracking
import OperationTrackingTesting
import Synchronization
import Testing

@testable import ServiceControl

@Suite("Shutting down", .enabled(if: Python.path != nil, Python.whenMissing))
struct ServiceShutdownTests {
    private func service(_ port: UInt16, _ script: String) -> ServiceDefinition {
        ServiceDefinition(name: "web", port: port, processName: "x", startupCommand: .shell(script))
    }

    private func waitForStart(_ fixture: ServiceFixture) async throws {
        try await eventually { fixture.tracker.activeOperations.contains { $0.phase == "waiting" } }
    }

    @Test("what is done before the deadline is done, and nothing is taken after it")
    func finishes() async throws {
        let port = try freePort()
        let path = "/tmp/service-shutdown-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let fixture = try ServiceFixture([
            service(port, "while [ ! -e \(path) ]; do sleep 0.02; done; \(webServer(port))")
        ])
        let start = Task { try await fixture.services.start("web", by: "a test") }
        try await waitForStart(fixture)
        let end = Task { await fixture.services.shutDown(within: .seconds(600)) }
        try await eventually { await fixture.services.shutdown != nil }
        // The same shutdown: its deadline isn't cut short.
        let again = Task { await fixture.services.shutDown(within: .zero) }
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        #expect(try await start.value.process != nil)
        await end.value
        await again.value
        #expect(fixture.tracker.recentOperations().map(\.status) == [.completed])
        let error = try await fixture.error { try await fixture.services.stop("web", by: "a test") }
        #expect(error.code == .closed)
        // Services go on; this one is the test's to end.
        let later = try fixture.anotherController()
        #expect(try await later.stop("web", by: "a test").wasRunning)
    }

    @Test("a healing that isn't done by then is cancelled with its step, recorded so, and leaves nothing that it began")
    func cancels() async throws {
        let port = try freePort()
        let fixture = try ServiceFixture([service(port, "sleep 1000")])
        let child = try Child(shell: webServer(port))
        try await waitForListener(port, child.pid)
        let healing = Task { try await fixture.services.heal(by: "a test") }
        try await waitForStart(fixture)
        let pid = try #require(fixture.services.folder.record(of: "web")?.pid)
        await fixture.services.shutDown(within: .zero)
        await #expect(throws: CancellationError.self) { try await healing.value }
        let ended = fixture.tracker.recentOperations()
        #expect(Set(ended.map(\.type)) == [.recoverServices, .restartService])
        #expect(ended.allSatisfy { $0.status == .cancelled }, "\(ended.map(\.status))")
        #expect(runningProcesses(ofSession: pid).isEmpty)
        let kept = try await fixture.history.page(HistoryQuery()).records.map(\.operation.status)
        #expect(kept == [.cancelled, .cancelled])
    }

    /// How what is asked for one after the other came to its end, once the controller takes no more.
    private func workUntilClosed(_ services: ServiceController) async throws {
        do {
            while true {
                try await services.operation(.startService, "work", by: "a test") { _ in await briefPause() }
            }
        } catch let error as ServiceError where error.code == .closed {}
    }

    @Test(
        "before the deadline nothing is cancelled, also where one thing follows the other",
        .timeLimit(.minutes(Patience.minutes))
    )
    func oneAfterTheOther() async throws {
        for _ in 1...20 {
            // The deadline never comes.
            let fixture = try ServiceFixture([], clock: ManualClock())
            let client = Task { try await workUntilClosed(fixture.services) }
            try await eventually { !fixture.tracker.recentOperations().isEmpty }
            await fixture.services.shutDown(within: .seconds(60))
            #expect(fixture.tracker.activeOperations.isEmpty)
            try await client.value
            #expect(fixture.tracker.recentOperations().allSatisfy { $0.status == .completed })
        }
    }

    @Test("what has not begun when the rest is cancelled is cancelled, too", .timeLimit(.minutes(Patience.minutes)))
    func late() async throws {
        let (fixture, store) = (try ServiceFixture([]), SlowClaims())
        let tracker = OperationTracker(history: store)
        let services = ServiceController(
            registry: fixture.services.registry,
            tracker: tracker,
            configuration: .init(folder: fixture.folder.path + "/services")
        )
        let id = try #require(OperationID(rawValue: "op_late"))
        let work = Task {
            try await services.operation(.startService, "late", named: id, by: "a test") { _ in
                Issue.record("it was begun")
            }
        }
        try await eventually { store.isAsked.load(ordering: .relaxed) }
        let end = Task { await services.shutDown(within: .zero) }
        try await eventually { await services.isClosed }
        store.answers.store(true, ordering: .relaxed)
        await #expect(throws: CancellationError.self) { try await work.value }
        await end.value
        #expect(tracker.recentOperations().map(\.status) == [.cancelled])
    }

    @Test("where nothing is done it is over at once", .timeLimit(.minutes(Patience.minutes)))
    func idle() async throws {
        let fixture = try ServiceFixture([], clock: ManualClock())
        await fixture.services.startMonitoring()
        await fixture.services.shutDown(within: .seconds(1000))
        #expect(await !fixture.services.isMonitoring)
    }
}

/// A history in which a name is claimed only once that is let through.
private final class SlowClaims: HistoryStore, SharedHistory {
    let isAsked = Atomic(false)
    let answers = Atomic(false)
    private let inner = InMemoryHistoryStore()

    func claim(_ record: OperationRecord) async throws -> OperationRecord? {
        isAsked.store(true, ordering: .relaxed)
        while !answers.load(ordering: .relaxed) { await briefPause() }
        return try await inner.claim(record)
    }

    func orphans() async throws -> [OperationRecord] { [] }
    func adopt(_ id: OperationID) async throws -> Bool { false }
    func enqueue(_ record: OperationRecord) { inner.enqueue(record) }
    func commit(_ record: OperationRecord) async -> HistoryDurability { await inner.commit(record) }
    func record(_ id: OperationID) async throws -> OperationRecord? { try await inner.record(id) }
    func page(_ query: HistoryQuery) async throws -> HistoryPage { try await inner.page(query) }
    func statistics(types: Set<OperationType>?) async throws -> [HistoryStatistics] {
        try await inner.statistics(types: types)
    }
    func prune(_ policy: RetentionPolicy) async throws -> Int { try await inner.prune(policy) }
    var health: HistoryHealth { inner.health }
    func close() async { await inner.close() }
}
