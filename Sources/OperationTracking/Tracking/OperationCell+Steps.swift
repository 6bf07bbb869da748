import Synchronization

extension OperationCell {
    /// What a step came to, and what is to be done about it outside the lock.
    struct Step {
        var actions: OperationStateMachine.Actions
        var before: OperationStatus
        var after: OperationStatus
        /// Reaches the work, and the one who decides when it begins.
        var wake: (@Sendable () -> Void)?
    }

    /// What an ended operation leaves to the totals.
    struct Ending: Sendable {
        var status: OperationStatus
        var cost: CountedCost
        var peakMemory: Int64
        /// Active seconds; `nil` when it never ran.
        var seconds: Double?
        /// Bytes that it has transferred.
        var bytes: Int64
    }

    /// Applies an event under the lock.
    ///
    /// - Parameters:
    ///   - wish: the wish that the step follows. When that is no longer wanted, nothing happens.
    ///   - isDue: whether the step is still to be taken, asked under the lock.
    func take(
        _ event: OperationStateMachine.Event,
        at time: CellTime,
        following wish: PendingRequest? = nil,
        if isDue: (borrowing State) -> Bool = { _ in true },
        failure: OperationFailure? = nil,
        result: [UInt8]? = nil
    ) throws(OperationError) -> Step {
        try withState { state throws(OperationError) in
            try take(event, at: time, following: wish, if: isDue, failure: failure, result: result, in: &state)
        }
    }

    /// The same for whoever has the lock.
    func take(
        _ event: OperationStateMachine.Event,
        at time: CellTime,
        following wish: PendingRequest? = nil,
        if isDue: (borrowing State) -> Bool = { _ in true },
        failure: OperationFailure? = nil,
        result: [UInt8]? = nil,
        in state: inout State
    ) throws(OperationError) -> Step {
        guard !state.isLeft else { throw .closed }
        // Looked at in the same moment as the step is taken: work may begin at any time.
        if event == .requestPause, state.pausing == .unsupported, state.machine.status == .inProgress {
            throw .cannotPause(type)
        }
        let before = state.machine.status
        guard wish == nil || state.machine.pendingRequest == wish, isDue(state) else {
            return Step(actions: [], before: before, after: before)
        }
        let amounts = amounts(of: state)
        let actions = try state.machine.apply(event)
        let after = state.machine.status
        guard !actions.isEmpty else { return Step(actions: actions, before: before, after: after) }
        state.updatedAt = time.wall
        self.wish.store(Self.wish(of: state.machine), ordering: .relaxed)
        if after == .inProgress, before != .inProgress { state.begin(at: time) }
        if after != .inProgress { state.stopClock(at: time) }
        if actions.contains(.finish) {
            state.endCompleted = max(0, amounts.completed)
            state.failure = failure
            if let result { state.payload = state.payload ?? Payload(); state.payload?.result = result }
        } else {
            state.visibleStatus = after
        }
        let wakes = actions.contains(.signalWork) || actions.contains(.finish)
        return Step(actions: actions, before: before, after: after, wake: wakes ? state.takeWake() : nil)
    }

    /// Leaves the operation to the next service, if that can take it up from the history: its work is stopped, its status
    /// stays.
    ///
    /// - Returns: what reaches the work, and the one who decides when it begins; `nil` when it can't be left.
    func leave() -> (@Sendable () -> Void)? {
        withState { state -> (@Sendable () -> Void)? in
            let status = state.machine.status
            guard state.payload?.request != nil, status == .paused || status == .pending else { return nil }
            state.isLeft = true
            return state.takeWake() ?? {}
        }
    }

    /// Shows readers the terminal status.
    func makeVisible() -> Ending {
        withState { state in
            state.visibleStatus = state.machine.status
            state.controls.empty()
            let cost = state.countedCost
            state.countedCost = CountedCost()
            let transferred = unit == .bytes ? max(0, state.endCompleted - state.present) : 0
            return Ending(
                status: state.visibleStatus,
                cost: cost,
                peakMemory: state.peakMemory,
                // The clock has been stopped.
                seconds: state.activeSeconds(at: 0),
                bytes: transferred
            )
        }
    }

    private static func wish(of machine: OperationStateMachine) -> UInt8 {
        switch machine.pendingRequest {
        case .cancel: Wish.cancel
        case .pause where machine.status != .pending, .resume: Wish.pause
        case .pause, nil: machine.status.isTerminal ? Wish.cancel : machine.status == .paused ? Wish.pause : Wish.none
        }
    }

    /// Waits while `isToWait` says so: until the wish changes, the operation ends, or the task is cancelled.
    func waitForWish(while isToWait: @Sendable (borrowing State) -> Bool) async {
        let ticket = withState { state in
            state.control.nextTicket += 1
            return state.control.nextTicket
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mayWait = withState { state in
                    guard isToWait(state), !Task.isCancelled else { return false }
                    state.control.waiting[ticket] = continuation
                    return true
                }
                if !mayWait { continuation.resume() }
            }
        } onCancel: {
            withState { $0.control.waiting.removeValue(forKey: ticket) }?.resume()
        }
    }
}

extension OperationCell.State {
    /// What reaches the work: it is woken where it waits at checkpoints, and its task is cancelled when it is to stop.
    fileprivate mutating func takeWake() -> (@Sendable () -> Void)? {
        guard !controls.isEmpty else { return nil }
        var control = control
        defer { self.control = control }
        let waiting = control.waiting.values
        control.waiting = [:]
        let stops = machine.pendingRequest == .cancel || machine.status.isTerminal || isToPauseByRestart || isLeft
        let cancelWork = stops ? control.cancelWork : nil
        if isToPauseByRestart, cancelWork != nil { control.isStoppedToPause = true }
        let signalOwner = control.signalOwner
        return {
            cancelWork?()
            for work in waiting { work.resume() }
            signalOwner?()
        }
    }
}
