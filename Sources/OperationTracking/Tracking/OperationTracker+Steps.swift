import Synchronization

extension OperationTracker {
    /// Takes a new operation into the registry, the history and the events.
    func admit(_ cell: OperationCell, status: OperationStatus) throws(OperationError) {
        let needsTicker = try registry.add(cell, status: status)
        if needsTicker { startTicker() }
        enqueueRecord(of: cell)
        broadcaster.announce(.started) { cell.snapshot(at: clock.monotonicNanoseconds) }
    }

    /// Takes a step that doesn't end the operation, or a request that may end one that never ran.
    func step(_ cell: OperationCell, _ event: OperationStateMachine.Event) async throws(OperationError) {
        let time = CellTime(clock)
        let (actions, before, wake) = try cell.take(event, at: time)
        wake?()
        if actions.contains(.finish) {
            await seal(cell, from: before)
            return
        }
        guard !actions.isEmpty else { return }
        let after = cell.withState { $0.visibleStatus }
        if before != after { registry.move(from: before, to: after) }
        if actions.contains(.record) { enqueueRecord(of: cell) }
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
        let (actions, before, wake) = try cell.take(event, at: CellTime(clock), failure: failure, result: result)
        wake?()
        guard actions.contains(.finish) else { return .durable }
        return await seal(cell, from: before)
    }

    @discardableResult
    private func seal(_ cell: OperationCell, from before: OperationStatus) async -> HistoryDurability {
        var durability = HistoryDurability.durable
        if let history {
            durability = await history.commit(cell.record(at: clock.monotonicNanoseconds))
            announceHealth()
        }
        let (after, cost) = cell.makeVisible()
        registry.end(cell, from: before, to: after, cost: cost)
        broadcaster.announce(.finished(durable: durability == .durable)) {
            cell.snapshot(at: clock.monotonicNanoseconds)
        }
        return durability
    }

    /// Follows the wish of work that stands at a checkpoint: throws when it is to stop, waits while it is to pause.
    func followWish(of cell: OperationCell) async throws {
        while true {
            switch cell.withState({ $0.machine.pendingRequest }) {
            case .cancel:
                throw CancellationError()
            case .pause:
                try await step(cell, .pause)
            case .resume:
                try await step(cell, .run)
                return
            case nil:
                guard cell.withState({ $0.machine.status }) == .paused else { return }
                await cell.waitForWish { $0.machine.status == .paused && $0.machine.pendingRequest == nil }
                // The work may have been woken because its task was cancelled, not because of a wish.
                try Task.checkCancellation()
            }
        }
    }
}

extension OperationTracker {
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

extension OperationCell {
    /// Applies an event under the lock. What it returns is to be done outside: `wake` reaches the work.
    fileprivate func take(
        _ event: OperationStateMachine.Event,
        at time: CellTime,
        failure: OperationFailure? = nil,
        result: [UInt8]? = nil
    ) throws(OperationError) -> (OperationStateMachine.Actions, before: OperationStatus, wake: (@Sendable () -> Void)?)
    {
        try withState { state throws(OperationError) in
            let before = state.machine.status
            let actions = try state.machine.apply(event)
            guard !actions.isEmpty else { return (actions, before, nil) }
            state.updatedAt = time.wall
            let status = state.machine.status
            wish.store(Self.wish(of: state.machine), ordering: .relaxed)
            if status == .inProgress, before != .inProgress { state.begin(at: time) }
            if status != .inProgress { state.stopClock(at: time) }
            if actions.contains(.finish) {
                state.finishedAt = time.wall
                state.failure = failure
                state.remaining = nil
                if let result { state.payload = state.payload ?? Payload(); state.payload?.result = result }
            } else {
                state.visibleStatus = status
            }
            let wakesWork = actions.contains(.signalWork) || actions.contains(.finish)
            return (actions, before, wakesWork ? state.takeWake() : nil)
        }
    }

    /// Shows readers the terminal status.
    fileprivate func makeVisible() -> (OperationStatus, CountedCost) {
        withState { state in
            state.visibleStatus = state.machine.status
            let cost = state.countedCost
            state.countedCost = CountedCost()
            state.control.cancelWork = nil
            return (state.visibleStatus, cost)
        }
    }

    private static func wish(of machine: OperationStateMachine) -> UInt8 {
        switch machine.pendingRequest {
        case .cancel: Wish.cancel
        case .pause where machine.status != .pending, .resume: Wish.pause
        case .pause, nil: machine.status.isTerminal ? Wish.cancel : Wish.none
        }
    }

    /// Waits while `isToWait` says so: until the wish changes, the operation ends, or the task is cancelled.
    fileprivate func waitForWish(while isToWait: @Sendable (borrowing State) -> Bool) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mayWait = withState { state in
                    guard isToWait(state), !Task.isCancelled else { return false }
                    state.control.waitingWork = continuation
                    return true
                }
                if !mayWait { continuation.resume() }
            }
        } onCancel: {
            let waiting = withState { state in
                defer { state.control.waitingWork = nil }
                return state.control.waitingWork
            }
            waiting?.resume()
        }
    }
}

extension OperationCell.State {
    /// What reaches the work: it is woken where it waits at a checkpoint, and its task is cancelled when it is to stop.
    fileprivate mutating func takeWake() -> @Sendable () -> Void {
        let waiting = control.waitingWork
        control.waitingWork = nil
        let stops = machine.pendingRequest == .cancel || machine.status.isTerminal
        let cancelWork = stops ? control.cancelWork : nil
        return {
            cancelWork?()
            waiting?.resume()
        }
    }
}
