import OperationTrackingTesting
import Synchronization
import Testing

@testable import OperationTracking

/// What a whole with work of its own does when it and its parts pause and go on. The parts are reported by hand, so that each
/// pauses when the test says so.
struct WholesTests {
    private let tracker = OperationTracker(history: InMemoryHistoryStore(), clock: ManualClock())

    private func until(_ condition: () async -> Bool) async {
        while !(await condition()) { await briefPause() }
    }

    private func status(_ id: OperationID) -> OperationStatus? { tracker.operation(id)?.status }

    private func parts(of whole: OperationID, _ count: Int = 2) throws -> [OperationHandle] {
        try (0..<count).map { try tracker.start(type: .download, description: "\($0)", parent: whole) }
    }

    @Test func anOperationWithAParentHearsOfItsWishes() async throws {
        let whole = try tracker.start(type: .install, description: "whole")
        let part = try parts(of: whole.id, 1)[0]
        try await tracker.pause(whole.id)
        #expect(part.operation.pendingRequest == .pause)
        try await tracker.resume(whole.id)
        #expect(part.operation.pendingRequest == nil)
        try await tracker.cancel(whole.id)
        #expect(part.operation.pendingRequest == .cancel)
    }

    @Test func aPartIsNotBegunWhoseWholeEndsMeanwhile() throws {
        let whole = try tracker.start(type: .install, description: "whole")
        var spec = OperationSpec(type: .download, description: "part", unit: .bytes, priority: .normal)
        spec.parent = whole.id
        let error = #expect(throws: OperationError.self) {
            try tracker.begin(spec) { _ in _ = try? whole.cell.take(.complete, at: CellTime(tracker.clock)) }
        }
        #expect(error?.code == .invalidTransition)
    }

    /// Two opposite wishes at the same moment could otherwise be taken in one order by the whole and in the other by its parts.
    @Test(arguments: [OperationStateMachine.Event.requestPause, .requestResume, .requestCancel])
    func aWishReachesAWholeAndItsPartsInOneMoment(_ wish: OperationStateMachine.Event) async throws {
        let whole = try tracker.start(type: .install, description: "whole")
        let part = try parts(of: whole.id, 1)[0]
        let partOfPart = try parts(of: part.id, 1)[0]
        if wish == .requestResume { try await tracker.pause(whole.id) }
        let seen = Mutex<[PendingRequest?]>([])
        // Told as soon as the whole has the wish.
        whole.cell.withState { state in
            state.control.signalOwner = {
                let wishes = [part, partOfPart].map(\.operation.pendingRequest)
                seen.withLock { if $0.isEmpty { $0 = wishes } }
            }
        }
        try await tracker.request(wish, of: whole.cell)
        let wanted = whole.operation.pendingRequest
        #expect(seen.withLock(\.self) == [wanted, wanted])
    }

    @Test func aWholeThatPausesByRestartIsBegunAgainThoughItsPartsPausedOneAfterTheOther() async throws {
        let runner = OperationRunner(tracker: tracker)
        let provider = ScriptedProvider(traits: ProviderTraits(pausing: .byRestart))
        let whole = try await runner.submit(.init("whole"), to: provider)
        await until { provider.runningCount == 1 }
        let parts = try parts(of: whole.id)
        try await tracker.pause(whole.id)
        await until { status(whole.id) == .paused }
        for part in parts {
            try await tracker.report(part.id, .paused)
            #expect(status(whole.id) == .paused)
        }
        try await tracker.resume(whole.id)
        await until { provider.starts.count == 2 }
        #expect(status(whole.id) == .inProgress)
        provider.finish("whole")
        _ = try await whole.output
    }

    @Test func aPartThatGoesOnHasItsWholeBegunAgain() async throws {
        let runner = OperationRunner(tracker: tracker)
        let provider = ScriptedProvider(traits: ProviderTraits(pausing: .byRestart))
        let whole = try await runner.submit(.init("whole"), to: provider)
        await until { provider.runningCount == 1 }
        let part = try parts(of: whole.id, 1)[0]
        try await tracker.pause(whole.id)
        await until { await runner.runningCount == 0 && status(whole.id) == .paused }
        try await tracker.report(part.id, .paused)
        try await tracker.resume(part.id)
        try await tracker.report(part.id, .inProgress)
        await until { provider.starts.count == 2 }
        provider.finish("whole")
        _ = try await whole.output
    }

    /// Runs work that looks for wishes all the time, and counts how often it has moved.
    private func working(_ beats: Beats) -> Task<Void, any Error> {
        Task { [tracker] in
            try await tracker.withOperation(type: .install, description: "whole", unit: .fraction) { whole in
                beats.id.continuation.yield(whole.id)
                while true {
                    try await whole.checkpoint()
                    beats.count.wrappingAdd(1, ordering: .relaxed)
                    await briefPause()
                }
            }
        }
    }

    @Test func aWholeWithWorkOfItsOwnStaysPausedAndGoesOnWithAPart() async throws {
        let beats = Beats()
        let work = working(beats)
        let whole = await beats.firstID
        let parts = try parts(of: whole)
        try await tracker.pause(whole)
        await until { status(whole) == .paused }
        for part in parts {
            try await tracker.report(part.id, .paused)
            #expect(status(whole) == .paused)
        }
        try await tracker.resume(parts[0].id)
        try await tracker.report(parts[0].id, .inProgress)
        #expect(status(whole) == .inProgress)
        let before = beats.count.load(ordering: .relaxed)
        await until { beats.count.load(ordering: .relaxed) > before + 1 }
        try await tracker.cancel(whole)
        await #expect(throws: CancellationError.self) { try await work.value }
    }

    @Test func aPartThatCantPauseDoesNotTakeItsWholesPause() async throws {
        let beats = Beats()
        let work = working(beats)
        let whole = await beats.firstID
        let part = try parts(of: whole, 1)[0]
        let spec = OperationSpec(type: .seed, description: "goes on", unit: .items, priority: .normal, parent: whole)
        let stubborn = try tracker.begin(spec) { $0.pausing = .unsupported }
        try await tracker.pause(whole)
        #expect(stubborn.operation.pendingRequest == nil)
        await until { status(whole) == .paused }
        try await tracker.report(part.id, .paused)
        #expect(status(whole) == .paused)
        try await tracker.cancel(whole)
        await #expect(throws: CancellationError.self) { try await work.value }
    }

    @Test func aPartThatCantPauseTakesNoStandingWishToPause() async throws {
        let whole = try tracker.start(type: .install, description: "whole", unit: .fraction)
        try await tracker.pause(whole.id)
        let wish = try await whole.withPart(type: .seed, description: "part", band: 0..<1, pausing: .unsupported) {
            $0.operation.pendingRequest
        }
        #expect(wish == nil)
    }

    @Test func aPauseInTheMomentOfGoingOnIsNotLost() async throws {
        let runner = OperationRunner(tracker: tracker)
        let provider = ScriptedProvider(traits: ProviderTraits(pausing: .byRestart))
        let running = try await runner.submit(.init("a"), to: provider)
        await until { provider.runningCount == 1 }
        for round in 0..<200 {
            try await tracker.pause(running.id)
            for _ in 0..<10_000 where status(running.id) != .paused { await briefPause() }
            try #require(status(running.id) == .paused, "the pause was lost in round \(round)")
            try await tracker.resume(running.id)
            for _ in 0..<(round % 20) { await Task.yield() }
        }
        try await tracker.cancel(running.id)
    }
}

private final class Beats: Sendable {
    let id = AsyncStream.makeStream(of: OperationID.self)
    let count = Atomic(0)

    var firstID: OperationID {
        get async {
            for await id in id.stream { return id }
            fatalError("it has not begun")
        }
    }
}
