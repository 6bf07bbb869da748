extension OperationHandle {
    /// Runs work as a part of this operation: an operation of its own that owns a band of this one's progress.
    ///
    /// This operation's progress is then that of its parts; its unit should be ``OperationUnit/fraction``. A part that is run
    /// again in the same band starts it anew: what is true falls back to the band's beginning, what is shown stays. Cancelling
    /// or pausing the whole reaches its parts.
    ///
    /// - Parameters:
    ///   - type: what kind of work the part is.
    ///   - description: what it does, for people.
    ///   - band: its part of the whole, within 0 to 1. Bands of different parts shouldn't overlap; see ``PhaseWeights``.
    ///   - total: the part's whole amount in `unit`; `nil` when unknown.
    ///   - unit: what the part's amounts count.
    ///   - pausing: how the part pauses. By restart, `body` is stopped for a pause and called again when it is over, with the
    ///     same handle and so with what it saved.
    ///   - body: the work.
    /// - Returns: what the work returned.
    /// - Throws: what the work threw, or ``OperationError`` (`closed`).
    public func withPart<Value: Sendable>(
        type: OperationType,
        description: String,
        band: Range<Double>,
        total: Int64? = nil,
        unit: OperationUnit = .items,
        pausing: ProviderTraits.Pausing = .inPlace,
        _ body: @escaping @Sendable (OperationHandle) async throws -> Value
    ) async throws -> Value {
        var spec = OperationSpec(
            type: type,
            description: description,
            total: total,
            unit: unit,
            priority: .normal,
            parent: id
        )
        spec.band = band
        let tracker = tracker
        let part = try tracker.begin(spec)
        part.cell.withState { $0.pausing = pausing }
        return try await tracker.runPart(part) { try await body(part) }
    }
}

extension OperationTracker {
    /// Runs a part's work to its end, again and again where it is stopped for a pause, and ends the part as its work ended.
    fileprivate func runPart<Value: Sendable>(
        _ part: OperationHandle,
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        do {
            while true {
                let result = await reach(part, body)
                if case .failure = result, part.cell.withState({ $0.takeStopToPause() }), !Task.isCancelled {
                    try await waitOutPause(of: part.cell)
                    continue
                }
                let value = try result.get()
                try await end(part, afterReturning: nil)
                return value
            }
        } catch {
            await end(part, afterThrowing: error)
            throw error
        }
    }

    /// Says that work which was stopped for a pause has paused, and returns when it is to begin again.
    private func waitOutPause(of cell: OperationCell) async throws {
        while true {
            try await step(cell, .pause, following: .pause)
            do {
                return try await followWish(of: cell)
            } catch let error as CancellationError {
                // The next wish to pause may have come already; then that pause is waited for too.
                let isToPause = cell.withState { $0.machine.status.isActive && $0.isToPauseByRestart }
                guard isToPause, !Task.isCancelled else { throw error }
            }
        }
    }
}

extension OperationTracker {
    /// Makes an operation a part of its parent, if that is active: wishes for the whole reach it from now on, and one that
    /// stands already is for it too.
    func join(_ cell: OperationCell, band: Range<Double>?) {
        guard let parent = cell.parent else { return }
        parent.take(OperationCell.Child(cell: cell, band: band?.clamped(to: 0..<1) ?? 0..<0))
        let (status, wish) = parent.withState { ($0.machine.status, $0.machine.pendingRequest) }
        if wish == .cancel {
            Task { try? await cancel(cell.id) }
        } else if wish == .pause || (status == .paused && wish != .resume) {
            guard let step = try? cell.take(.requestPause, at: CellTime(clock)), !step.actions.isEmpty else { return }
            enqueueRecord(of: cell)
            broadcaster.announce(.updated) { cell.snapshot(at: clock.monotonicNanoseconds) }
        }
    }
}

extension OperationCell.State {
    /// Whether the work has ended only for a pause.
    fileprivate mutating func takeStopToPause() -> Bool {
        defer { control.isStoppedToPause = false }
        return machine.pendingRequest != .cancel && machine.status.isActive
            && (control.isStoppedToPause || isToPauseByRestart)
    }
}

extension OperationCell {
    /// Gives a band of this operation's progress to a part, or none. Whoever had that band before loses it.
    fileprivate func take(_ child: Child) {
        change { state in
            // What has been shown so far is not to fall because a part begins again.
            shownPercent(of: &state, status: state.visibleStatus)
            // A part without a band is there to hear of wishes, so once it has ended it is forgotten.
            state.children.removeAll { other in
                other.band.overlaps(child.band)
                    || (other.band.isEmpty && !other.cell.withState { $0.machine.status.isActive })
            }
            state.children.append(child)
        }
    }
}
