import Synchronization

extension OperationTracker {
    /// Takes a new operation into the registry, the history and the events.
    func admit(_ cell: OperationCell) throws(OperationError) -> OperationHandle {
        let needsTicker = try registry.add(cell, status: cell.withState(\.visibleStatus))
        if needsTicker { startTicker() }
        learnFromHistory()
        enqueueRecord(of: cell)
        broadcaster.announce(.started) { cell.snapshot(at: clock.monotonicNanoseconds) }
        return OperationHandle(cell: cell, tracker: self)
    }

    /// Passes a wish on to an operation and its parts.
    func request(_ event: OperationStateMachine.Event, of cell: OperationCell) async throws(OperationError) {
        registry.steps.begin()
        defer { registry.steps.end() }
        let steps = try cell.take(event, withPartsAt: CellTime(clock))
        for (_, step) in steps { step.wake?() }
        for (cell, step) in steps { await tell(of: step, by: cell) }
        guard event == .requestPause else { return }
        // Parts that have not begun are held by the wish alone, which is no step of theirs.
        for (whole, _) in steps.reversed() { await pauseIfPartsStandStill(whole) }
    }

    /// Takes a step that doesn't end the operation.
    ///
    /// - Parameters:
    ///   - wish: the wish that the step follows. When that is no longer wanted, nothing happens.
    ///   - isDue: whether the step is still to be taken, asked in the same moment.
    func step(
        _ cell: OperationCell,
        _ event: OperationStateMachine.Event,
        following wish: PendingRequest? = nil,
        if isDue: (borrowing OperationCell.State) -> Bool = { _ in true }
    ) async throws(OperationError) {
        registry.steps.begin()
        defer { registry.steps.end() }
        let step = try cell.take(event, at: CellTime(clock), following: wish, if: isDue)
        step.wake?()
        await tell(of: step, by: cell)
    }

    /// Makes a step that was taken known to the history, to subscribers, and to the whole.
    private func tell(of step: OperationCell.Step, by cell: OperationCell) async {
        if step.actions.contains(.finish) {
            await seal(cell, from: step.before)
            return
        }
        guard !step.actions.isEmpty else { return }
        if step.before != step.after { registry.move(from: step.before, to: step.after) }
        if step.actions.contains(.record) { enqueueRecord(of: cell) }
        broadcaster.announce(.updated) { cell.snapshot(at: clock.monotonicNanoseconds) }
        guard step.before != step.after, let whole = cell.parent else { return }
        if step.after == .inProgress { await goOn(whole, with: cell) } else { await pauseIfPartsStandStill(whole) }
    }

    /// A whole that is asked to pause has done so when all its parts stand still: its own work stands waiting for them.
    ///
    /// Both are looked at in one moment, since a part may go on at any time. What becomes of the whole is no concern of whoever
    /// moves a part.
    private func pauseIfPartsStandStill(_ whole: OperationCell) async {
        try? await step(whole, .pause, following: .pause) { state in
            let parts = state.children.map { $0.cell.withState { ($0.machine.status.isActive, $0.standsStill) } }
                .filter(\.0)
            return !parts.isEmpty && parts.allSatisfy(\.1)
        }
    }

    /// A paused whole goes on when a part does that nobody wants to pause. Where its work has ended for the pause, it is resumed
    /// by whoever begins that again.
    private func goOn(_ whole: OperationCell, with part: OperationCell) async {
        let isAtRest = whole.withState(\.control.isAtRest)
        try? await step(whole, isAtRest ? .requestResume : .run) { state in
            state.machine.status == .paused
                && part.withState { $0.machine.status == .inProgress && $0.machine.pendingRequest != .pause }
        }
    }

    /// Ends an operation: decides its status at once and for good, makes it durable, then lets it be seen.
    @discardableResult
    func finish(
        _ cell: OperationCell,
        _ event: OperationStateMachine.Event,
        failure: OperationFailure? = nil,
        result: [UInt8]? = nil
    ) async throws(OperationError) -> HistoryDurability {
        // From before the decision, so that closing finds no gap in which an ending is neither decided nor on its way.
        registry.steps.begin()
        defer { registry.steps.end() }
        let step = try cell.take(event, at: CellTime(clock), failure: failure, result: result)
        step.wake?()
        guard step.actions.contains(.finish) else { return await endingIsDurable(cell) }
        let durability = await seal(cell, from: step.before)
        // The parts that are left may all be paused.
        if let whole = cell.parent { await pauseIfPartsStandStill(whole) }
        return durability
    }

    /// Says that work has paused that ended in an error only to begin again later.
    ///
    /// - Returns: whether it did. What is wanted of it may have changed again.
    func hasStoppedToPause(_ cell: OperationCell) async -> Bool {
        guard cell.withState({ $0.takeStopToPause() }) else { return false }
        try? await step(cell, .pause, following: .pause)
        return cell.withState { $0.machine.status.isActive }
    }

    /// Waits until an ending that somebody else has decided is durable: a history takes the same one again, after the first.
    @discardableResult
    func endingIsDurable(_ cell: OperationCell) async -> HistoryDurability {
        guard let history, cell.withState({ $0.machine.status.isTerminal }) else { return .durable }
        return await history.commit(cell.withRecord(at: clock.monotonicNanoseconds) { $0 })
    }

    @discardableResult
    private func seal(_ cell: OperationCell, from before: OperationStatus) async -> HistoryDurability {
        var durability = HistoryDurability.durable
        if let history {
            durability = await history.commit(cell.withRecord(at: clock.monotonicNanoseconds) { $0 })
            announceHealth()
        }
        let lesson = cell.lesson
        if let lesson { past.withLock { $0.add(lesson) } }
        let end = cell.makeVisible()
        registry.end(cell, from: before, to: end.status, ending: end, accuracy: lesson?.accuracy)
        broadcaster.announce(.finished(durable: durability == .durable)) {
            cell.snapshot(at: clock.monotonicNanoseconds)
        }
        return durability
    }

    /// Follows the wish of work that stands at a checkpoint: throws when it is to stop, waits while it is to pause.
    func followWish(of cell: OperationCell) async throws {
        while true {
            let (status, wish, pausing) = cell.withState { ($0.machine.status, $0.machine.pendingRequest, $0.pausing) }
            guard status.isActive else { throw CancellationError() }
            switch wish {
            case .cancel:
                throw CancellationError()
            case .pause:
                // Work that pauses by beginning again later ends now; who runs it says that it has paused.
                if pausing == .byRestart { throw CancellationError() }
                try await step(cell, .pause, following: .pause)
            case .resume:
                try await step(cell, .run, following: .resume)
            case nil:
                guard status == .paused else { return }
                await cell.waitForWish { $0.machine.status == .paused && $0.machine.pendingRequest == nil }
                // The work may have been woken because its task was cancelled, not because of a wish.
                try Task.checkCancellation()
            }
        }
    }

    /// Waits until there is a wish that running work has to follow.
    func waitForRequest(to cell: OperationCell) async throws -> PendingRequest {
        while true {
            try Task.checkCancellation()
            let (wish, status) = cell.withState { ($0.machine.pendingRequest, $0.machine.status) }
            if let wish { return wish }
            guard status.isActive else { throw CancellationError() }
            await cell.waitForWish { $0.machine.status.isActive && $0.machine.pendingRequest == nil }
        }
    }
}
