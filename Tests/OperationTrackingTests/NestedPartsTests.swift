import Testing

@testable import OperationTracking
@testable import OperationTrackingTesting

/// How wishes go down through parts of parts, and pauses come up.
struct NestedPartsTests {
    private let tracker = OperationTracker(history: InMemoryHistoryStore(), clock: ManualClock())
    private let provider = ScriptedProvider(traits: ProviderTraits(pausing: .byRestart))

    private func until(_ condition: () async -> Bool) async {
        while !(await condition()) { await briefPause() }
    }

    private func start(partOf whole: OperationID? = nil) throws -> OperationHandle {
        try tracker.start(type: .install, description: "reported by hand", unit: .fraction, parent: whole)
    }

    private func part(of whole: OperationID, _ pausing: ProviderTraits.Pausing) throws -> OperationHandle {
        let spec = OperationSpec(type: .seed, description: "part", unit: .items, priority: .normal, parent: whole)
        return try tracker.begin(spec) { $0.pausing = pausing }
    }

    /// A runner whose only place is taken, so that what is submitted stays pending.
    private func busyRunner() async throws -> OperationRunner {
        var configuration = OperationRunner.Configuration()
        configuration.maximumRunning = 1
        let runner = OperationRunner(tracker: tracker, configuration: configuration)
        _ = try await runner.submit(.init("busy"), to: provider)
        await until { provider.runningCount == 1 }
        return runner
    }

    // MARK: Down

    @Test func aPartThatHasEndedHandsWishesOnToItsParts() async throws {
        let whole = try start()
        let middle = try start(partOf: whole.id)
        let inner = try start(partOf: middle.id)
        try await tracker.complete(middle.id)
        try await tracker.pause(whole.id)
        #expect(inner.operation.pendingRequest == .pause)
        try await tracker.resume(whole.id)
        #expect(inner.operation.pendingRequest == nil)
        try await tracker.cancel(whole.id)
        #expect(inner.operation.pendingRequest == .cancel)
    }

    @Test func aPartThatHasEndedIsKeptWhileAPartOfItIsLeft() async throws {
        let whole = try start()
        let middle = try start(partOf: whole.id)
        let inner = try start(partOf: middle.id)
        try await tracker.complete(middle.id)
        _ = try start(partOf: whole.id)
        try await tracker.pause(whole.id)
        #expect(inner.operation.pendingRequest == .pause)
    }

    @Test func aPartThatCantPauseHandsWishesOnToItsParts() async throws {
        let whole = try start()
        let middle = try part(of: whole.id, .unsupported)
        let inner = try start(partOf: middle.id)
        try await tracker.pause(whole.id)
        #expect(middle.operation.pendingRequest == nil)
        #expect(inner.operation.pendingRequest == .pause)
        let later = try start(partOf: middle.id)
        #expect(later.operation.pendingRequest == .pause)
        try await tracker.resume(whole.id)
        #expect(inner.operation.pendingRequest == nil && later.operation.pendingRequest == nil)
    }

    @Test(arguments: [false, true])
    func aWholeThatIsBegunAgainGoesOnWithWhatIsLeftOfItsParts(_ isUnique: Bool) async throws {
        var configuration = OperationRunner.Configuration()
        configuration.maximumRunning = 1
        let runner = OperationRunner(tracker: tracker, configuration: configuration)
        let inner = ScriptedProvider(traits: ProviderTraits(pausing: .byRestart, isUnique: isUnique))
        let whole = try await runner.submit(.init("inner"), to: AroundProvider(runner: runner, inner: inner))
        await until { inner.runningCount == 1 }
        let part = try #require(tracker.activeOperations.first { $0.description == "inner" && $0.id != whole.id })
        try await tracker.pause(whole.id)
        await until { await runner.runningCount == 0 }
        #expect(tracker.operation(part.id)?.status == .paused)
        #expect(tracker.operation(whole.id)?.status == .paused)
        // The part's own whole was stopped with the work round it.
        let middle = try #require(part.parentID)
        #expect(tracker.operation(middle)?.status == .cancelled)

        try await tracker.resume(whole.id)
        await until { inner.starts.count >= 2 }
        for _ in 0..<3 { inner.finish("inner") }
        while [whole.id, part.id].contains(where: { tracker.operation($0)?.status.isActive == true }) {
            inner.finish("inner")
            await briefPause()
        }
        #expect(tracker.operation(whole.id)?.status == .completed)
        #expect(tracker.operation(part.id)?.status == .completed)
    }

    @Test func aPartThatIsTakenUpFindsTheNearestWholeThatIsLeft() async throws {
        let history = RestartableHistory()
        let first = OperationTracker(history: history, clock: ManualClock())
        let running = OperationRunner(tracker: first)
        let inner = ScriptedProvider(traits: ProviderTraits(pausing: .byRestart, isUnique: true))
        let whole = try await running.submit(.init("inner"), to: AroundProvider(runner: running, inner: inner))
        await until { inner.runningCount == 1 }
        let part = try #require(first.activeOperations.first { $0.description == "inner" && $0.id != whole.id })
        try await first.pause(whole.id)
        await until { await running.runningCount == 0 }
        await running.shutDown(within: .zero)
        await first.close()

        let tracker = OperationTracker(history: history.reopened(), clock: ManualClock())
        let providers = ProviderRegistry()
        let runner = OperationRunner(tracker: tracker, providers: providers)
        providers.register(inner)
        providers.register(AroundProvider(runner: runner, inner: inner))
        #expect(try await runner.takeUp() == 2)
        try await tracker.resume(whole.id)
        await until { tracker.operation(part.id)?.status == .inProgress }
        inner.finish("inner")
        await until { tracker.operation(whole.id)?.status == .completed }
        #expect(tracker.operation(part.id)?.parentID == part.parentID)
    }

    // MARK: Up

    @Test func aWholeIsPausedWhenAPartJoinsThatItsWishHoldsBack() async throws {
        let whole = try start()
        let runner = try await busyRunner()
        try await tracker.pause(whole.id)
        #expect(whole.operation.status == .inProgress)
        let held = try await runner.submit(.init("held"), to: provider, options: .init(parent: whole.id))
        #expect(tracker.operation(held.id)?.pendingRequest == .pause)
        #expect(whole.operation.status == .paused)
    }

    @Test(arguments: [OperationStateMachine.Event.requestPause, .requestCancel])
    func aWholeIsPausedWhenTheLastPartThatWasToGoOnIsNotToAnyMore(_ wish: OperationStateMachine.Event) async throws {
        let outer = try start()
        let whole = try start(partOf: outer.id)
        let first = try start(partOf: whole.id)
        let second = try await busyRunner().submit(.init("held"), to: provider, options: .init(parent: whole.id))
        try await tracker.pause(outer.id)
        try await tracker.resume(second.id)
        try await tracker.report(first.id, .paused)
        #expect(whole.operation.status == .inProgress, "the second may begin at any time")
        try await tracker.request(wish, of: try tracker.cell(second.id))
        #expect(whole.operation.status == .paused)
        #expect(outer.operation.status == .paused)
    }

    @Test func whatIsLeftOfAPartThatHasEndedIsWaitedFor() async throws {
        let whole = try start()
        let middle = try start(partOf: whole.id)
        let inner = try start(partOf: middle.id)
        let other = try start(partOf: whole.id)
        try await tracker.pause(whole.id)
        try await tracker.complete(middle.id)
        try await tracker.report(other.id, .paused)
        #expect(whole.operation.status == .inProgress)
        try await tracker.report(inner.id, .paused)
        #expect(whole.operation.status == .paused)
        try await tracker.resume(inner.id)
        try await tracker.report(inner.id, .inProgress)
        #expect(whole.operation.status == .inProgress)
    }

    @Test func aPartThatIsToGoOnDoesNotStandStill() async throws {
        let whole = try start()
        let parts = [try start(partOf: whole.id), try start(partOf: whole.id)]
        try await tracker.pause(whole.id)
        try await tracker.report(parts[0].id, .paused)
        try await tracker.resume(parts[0].id)
        try await tracker.report(parts[1].id, .paused)
        #expect(whole.operation.status == .inProgress)
        try await tracker.pause(parts[0].id)
        #expect(whole.operation.status == .paused)
    }

    @Test func workThatIsOverTakesNobodysPause() async throws {
        let outer = try start()
        let runner = try await busyRunner()
        let work = Task { [tracker, provider] in
            try await tracker.withOperation(type: .install, description: "whole", parent: outer.id) { whole in
                try await tracker.pause(outer.id)
                // Held back, so the whole has paused, and so has the one round it.
                return try await runner.submit(.init("held"), to: provider, options: .init(parent: whole.id)).id
            }
        }
        let held = try await work.value
        #expect(outer.operation.status == .paused)
        #expect(tracker.operation(held)?.pendingRequest == .pause)
        try await tracker.resume(outer.id)
        #expect(tracker.operation(held)?.pendingRequest == nil)
    }

    // MARK: Bounds

    @Test(arguments: [OperationStatus.completed, .cancelled])
    func nothingBecomesAPartOfWhatHasEnded(_ status: OperationStatus) async throws {
        let whole = try start()
        if status == .cancelled { try await tracker.cancel(whole.id) }
        try await tracker.report(whole.id, status)
        let refused: [() async throws -> Void] = [
            { _ = try start(partOf: whole.id) },
            {
                _ = try await tracker.start(
                    named: OperationID.make(at: 0),
                    type: .install,
                    description: "",
                    parent: whole.id
                )
            },
            { try await tracker.withOperation(type: .install, description: "", parent: whole.id) { _ in } },
            { try await whole.withPart(type: .install, description: "", band: 0..<1) { _ in } },
        ]
        for begin in refused {
            let error = await #expect(throws: OperationError.self) { try await begin() }
            #expect(error?.code == .invalidTransition)
        }
        #expect(tracker.summary.totalActive == 0)
    }

    @Test func partsOfPartsAreBounded() async throws {
        let whole = try start()
        var innermost = whole
        for _ in 0..<OperationCell.deepestPart { innermost = try start(partOf: innermost.id) }
        let error = #expect(throws: OperationError.self) { _ = try start(partOf: innermost.id) }
        #expect(error?.code == .invalidValue)
        let refusal = await #expect(throws: OperationError.self) {
            try await OperationRunner(tracker: tracker)
                .submit(.init("a"), to: provider, options: .init(parent: innermost.id))
        }
        #expect(refusal?.code == .invalidValue)
        try await tracker.pause(whole.id)
        #expect(innermost.operation.pendingRequest == .pause)
    }

    @Test func aWholeAndItsPartsAreLetGoWhenTheyHaveEnded() async throws {
        let cells = try await {
            let tracker = OperationTracker(clock: ManualClock())
            let whole = try tracker.start(type: .install, description: "whole", unit: .fraction)
            let left = try await whole.withPart(type: .install, description: "part", band: 0..<1) { part in
                try tracker.start(type: .install, description: "left", parent: part.id)
            }
            let middle = try #require(left.cell.parent)
            try await tracker.complete(whole.id)
            #expect(whole.operation.progress.totalUnits == OperationUnit.wholeFraction)
            #expect(whole.operation.progress.percent == 100)
            try await tracker.complete(left.id)
            return [WeakCell(whole.cell), WeakCell(middle), WeakCell(left.cell)]
        }()
        await until { cells.allSatisfy { $0.cell == nil } }
    }
}

private struct WeakCell {
    weak var cell: OperationCell?

    init(_ cell: OperationCell) {
        self.cell = cell
    }
}

/// Has its work done by a part within a part of its own, and pauses by restart.
private struct AroundProvider: OperationProvider {
    static let operationType = OperationType("around")
    let runner: OperationRunner
    let inner: ScriptedProvider
    var traits: ProviderTraits { ProviderTraits(pausing: .byRestart) }
    var unit: OperationUnit { .fraction }

    func description(of request: ScriptedProvider.Request) -> String { request.name }

    @concurrent
    func perform(_ request: ScriptedProvider.Request, reporting handle: OperationHandle) async throws -> String {
        try await handle.withPart(type: .install, description: "middle", band: 0..<1, unit: .fraction) { middle in
            try await runner.submit(request, to: inner, options: .init(parent: middle.id, band: 0..<1)).output
        }
    }
}
