import Foundation
import OperationTracking
import OperationTrackingTesting
import Synchronization
import Testing

@testable import NounProjectOperations

/// Pausing, resuming and cancelling.
struct SeedControlTests {
    private let request = SeedIconsProvider.Request(categories: ["ui": ["check", "close", "menu"]], perTerm: 2)

    /// A run that stands still in its fourth call until the gate is opened.
    private func begin() async throws -> (
        SeedFixture, OperationTracker, SubmittedOperation<SeedIconsProvider.Output>, Gate
    ) {
        let gate = Gate()
        let fixture = SeedFixture(gate: gate)
        let tracker = OperationTracker()
        let running = try await OperationRunner(tracker: tracker).submit(request, to: fixture.provider())
        await gate.reached()
        return (fixture, tracker, running, gate)
    }

    @Test func itPausesBetweenIconsAndGoesOnWithoutFetchingTwice() async throws {
        let (fixture, tracker, running, gate) = try await begin()
        try await tracker.pause(running.id)
        gate.open()
        while tracker.operation(running.id)?.status != .paused { await briefPause() }
        let asked = fixture.asked.count
        #expect(asked < 9)
        #expect(!fixture.files.contains { $0.hasSuffix(".part") })
        try await tracker.resume(running.id)
        let output = try await running.output
        #expect(output.added == 6)
        #expect(fixture.asked.count == 9)
    }

    @Test func cancellingLeavesWholeFilesOnly() async throws {
        let (fixture, tracker, running, gate) = try await begin()
        try await tracker.cancel(running.id)
        gate.open()
        await #expect(throws: CancellationError.self) { try await running.output }
        #expect(tracker.operation(running.id)?.status == .cancelled)
        let icons = fixture.files.filter { $0 != "index.json" }
        #expect(icons.count < 6)
        for icon in icons { #expect(fixture.text(icon) == SeedFixture.svg) }
        #expect(fixture.index?["icons"]?.object?.keys.sorted() == icons)
        // The folder is free again.
        #expect(try await fixture.run(request).output.map { $0.added + $0.skipped } == 6)
    }

    @Test func waitingForTheQuotaIsPausedAndCancelledAtOnce() async throws {
        let clock = ManualClock()
        let fixture = SeedFixture(clock: clock)
        let tracker = OperationTracker(clock: clock)
        let running = try await OperationRunner(tracker: tracker)
            .submit(request, to: fixture.provider(limits: CallLimits(perMinute: 2)))
        while tracker.operation(running.id)?.phase != "waiting for quota" { await briefPause() }
        try await tracker.pause(running.id)
        while tracker.operation(running.id)?.status != .paused { await briefPause() }
        try await tracker.resume(running.id)
        while tracker.operation(running.id)?.status != .inProgress { await briefPause() }
        #expect(fixture.asked.count == 2)
        try await tracker.cancel(running.id)
        await #expect(throws: CancellationError.self) { try await running.output }
        #expect(fixture.asked.count == 2)
    }

    @Test func aRunIsTakenUpFromWhatItSaved() throws {
        let term = SeedTerm(category: "ui", folder: "ui", term: "check")
        var state = SeedState(total: 9)
        state.terms = 2
        state.icons = ["5"]
        state.planned = 3
        state.done = 4
        state.added = 3
        state.add(.init(term, "7", .integrityError, String(repeating: "x", count: 1000)))
        #expect(SeedState(resuming: state.json, total: 9) == state)
        #expect(SeedState(resuming: Array("{}".utf8), total: 9) == SeedState(total: 9))
        for _ in 0..<100 {
            state.add(.init(term, String(repeating: "9", count: 999), .notFound, String(repeating: "\"", count: 400)))
        }
        #expect(state.errors.count == 50)
        #expect(state.errorsOmitted == 51)
        #expect((state.json?.count ?? .max) < OperationRecord.payloadLimit)
    }
}

/// Lets three callers through and holds the fourth until it is opened.
final class Gate: Sendable {
    private let count = Mutex(0)
    private let isOpen = Atomic(false)

    func pass() async {
        let number = count.withLock { count in
            count += 1
            return count
        }
        guard number == 4 else { return }
        while !isOpen.load(ordering: .relaxed) { await briefPause() }
    }

    func open() { isOpen.store(true, ordering: .relaxed) }

    func reached() async {
        while count.withLock({ $0 }) < 4 { await briefPause() }
    }
}
