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
        for (cell, step) in steps {
            if step.actions.contains(.finish) { await seal(cell, after: step) } else { tell(of: step, by: cell) }
        }
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
    ) throws(OperationError) {
        registry.steps.begin()
        defer { registry.steps.end() }
        let step = try cell.take(event, at: CellTime(clock), following: wish, if: isDue)
        step.wake?()
        tell(of: step, by: cell)
    }

    /// Makes a step known that was taken and ended nothing, and has it followed.
    func tell(of step: OperationCell.Step, by cell: OperationCell) {
        guard !step.actions.isEmpty else { return }
        announce(step, by: cell)
        settle(cell, after: step)
    }

    /// Makes a step known to the history and to subscribers.
    func announce(_ step: OperationCell.Step, by cell: OperationCell) {
        if step.before != step.after { registry.move(from: step.before, to: step.after) }
        if step.actions.contains(.record) { enqueueRecord(of: cell) }
        broadcaster.announce(.updated) { cell.snapshot(at: clock.monotonicNanoseconds) }
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
        return await seal(cell, after: step)
    }

    /// Says that work has paused that ended in an error only to begin again later.
    ///
    /// - Returns: whether it did. What is wanted of it may have changed again.
    func hasStoppedToPause(_ cell: OperationCell) -> Bool {
        guard cell.withState({ $0.takeStopToPause() }) else { return false }
        try? step(cell, .pause, following: .pause)
        return cell.withState { $0.machine.status.isActive }
    }

    /// Waits until an ending that somebody else has decided is durable: a history takes the same one again, after the first.
    @discardableResult
    func endingIsDurable(_ cell: OperationCell) async -> HistoryDurability {
        guard let history, cell.withState({ $0.machine.status.isTerminal }) else { return .durable }
        return await history.commit(cell.withRecord(at: clock.monotonicNanoseconds) { $0 })
    }

    /// Makes an ending durable, then lets it be seen.
    @discardableResult
    private func seal(_ cell: OperationCell, after step: OperationCell.Step) async -> HistoryDurability {
        var durability = HistoryDurability.durable
        if let history {
            durability = await history.commit(cell.withRecord(at: clock.monotonicNanoseconds) { $0 })
            announceHealth()
        }
        let lesson = cell.lesson
        if let lesson { past.withLock { $0.add(lesson) } }
        let end = cell.makeVisible()
        registry.end(cell, from: step.before, to: end.status, ending: end, accuracy: lesson?.accuracy)
        broadcaster.announce(.finished(durable: durability == .durable)) {
            cell.snapshot(at: clock.monotonicNanoseconds)
        }
        settle(cell, after: step)
        // Those round it may have ended before it.
        let whole = cell.whole
        for ended in sequence(first: cell, next: \.parent).prefix(while: { $0 !== whole }) { ended.forgetEndedParts() }
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
                try step(cell, .pause, following: .pause)
            case .resume:
                try step(cell, .run, following: .resume)
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
