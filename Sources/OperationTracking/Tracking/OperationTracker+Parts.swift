extension OperationTracker {
    /// Refuses a part of what has ended, which would run on its own, and of what is too deep in others.
    ///
    /// - Parameter id: what the part is to belong to; one that is not known here is as good as none.
    func requireWhole(_ id: OperationID?) throws(OperationError) {
        guard let id, let whole = registry.cell(id) else { return }
        let status = whole.withState(\.machine.status)
        if status.isTerminal {
            throw OperationError(
                .invalidTransition,
                "Operation \(id.rawValue) is \(status.rawValue) and takes no more parts: begin this without a parent, or begin that one again."
            )
        }
        if whole.depth >= OperationCell.deepestPart {
            throw OperationError(
                .invalidValue,
                "Parts of parts go \(OperationCell.deepestPart) deep, and this would be deeper: make it a part of a larger one."
            )
        }
    }

    /// Makes an operation a part of its parent: wishes for the whole reach it from now on, and one that stands already is for it
    /// too.
    func join(_ cell: OperationCell, band: Range<Double>?) {
        guard let parent = cell.parent else { return }
        registry.steps.begin()
        defer { registry.steps.end() }
        parent.take(OperationCell.Child(cell: cell, band: band?.clamped(to: 0..<1) ?? 0..<0))
        let (isToStop, pause) = cell.takeWishOfWhole(at: CellTime(clock))
        if isToStop { Task { try? await cancel(cell.id) } }
        guard let pause else { return }
        pause.wake?()
        tell(of: pause, by: cell)
    }

    /// Looks at an operation that has taken a step, and at its whole: the one place where wholes follow their parts.
    ///
    /// What becomes of the whole is no concern of whoever moves a part.
    func settle(_ cell: OperationCell, after step: OperationCell.Step) {
        pauseIfPartsStandStill(cell)
        guard let whole = cell.whole else { return }
        if step.after == .inProgress, step.before != .inProgress { goOn(whole, with: cell) }
        pauseIfPartsStandStill(whole)
    }

    /// A whole that is asked to pause has done so when all its parts stand still: its own work stands waiting for them.
    ///
    /// All are looked at in one moment, since a part may go on at any time.
    private func pauseIfPartsStandStill(_ whole: OperationCell) {
        guard whole.withState({ $0.machine.pendingRequest == .pause && $0.machine.status == .inProgress }) else {
            return
        }
        try? step(whole, .pause, following: .pause) { $0.partsStandStill == true }
    }

    /// A paused whole goes on when a part does that nobody wants to pause. Where its work has ended for the pause, it is resumed
    /// by whoever begins that again.
    private func goOn(_ whole: OperationCell, with part: OperationCell) {
        let (isPaused, isAtRest) = whole.withState { ($0.machine.status == .paused, $0.control.isAtRest) }
        guard isPaused else { return }
        try? step(whole, isAtRest ? .requestResume : .run) { state in
            state.machine.status == .paused
                && part.withState { $0.machine.status == .inProgress && $0.machine.pendingRequest != .pause }
        }
    }
}
