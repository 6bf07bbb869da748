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
        let part = try tracker.begin(spec) { $0.pausing = pausing }
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
                if case .failure = result, !Task.isCancelled, await hasStoppedToPause(part.cell) {
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

    /// Returns when work that has paused is to begin again.
    private func waitOutPause(of cell: OperationCell) async throws {
        while true {
            do {
                return try await followWish(of: cell)
            } catch let error as CancellationError {
                // The next wish to pause may have come already; then that pause is waited for too.
                guard !Task.isCancelled, await hasStoppedToPause(cell) else { throw error }
            }
        }
    }
}

extension OperationTracker {
    /// Makes an operation a part of its parent, if that is active: wishes for the whole reach it from now on, and one that
    /// stands already is for it too.
    func join(_ cell: OperationCell, band: Range<Double>?) {
        guard let parent = cell.parent else { return }
        let child = OperationCell.Child(cell: cell, band: band?.clamped(to: 0..<1) ?? 0..<0)
        let (isToStop, pause) = parent.take(child, at: CellTime(clock))
        if isToStop { Task { try? await cancel(cell.id) } }
        guard let pause, !pause.actions.isEmpty else { return }
        pause.wake?()
        enqueueRecord(of: cell)
        broadcaster.announce(.updated) { cell.snapshot(at: clock.monotonicNanoseconds) }
    }
}

extension OperationCell {
    /// Gives a band of this operation's progress to a part, or none. Whoever had that band before loses it.
    ///
    /// - Returns: whether the part is to stop, as this one is; and its request to pause, if this one is paused or asked to. It is
    ///   made in the moment in which the part becomes one, so that it is before any later wish for both.
    fileprivate func take(_ child: Child, at time: CellTime) -> (isToStop: Bool, pause: Step?) {
        withState { state in
            guard state.machine.status.isActive else {
                // Nobody wants the part of work that was stopped or failed in this moment.
                return (state.machine.status != .completed, nil)
            }
            // What has been shown so far is not to fall because a part begins again.
            shownPercent(of: &state, status: state.visibleStatus)
            // A part without a band is there to hear of wishes, so once it has ended it is forgotten.
            state.children = state.children.compactMap { other in
                guard other.band.isEmpty || other.band.overlaps(child.band) else { return other }
                return other.cell.withState(\.machine.status.isActive) ? Child(cell: other.cell, band: 0..<0) : nil
            }
            state.children.append(child)
            state.isDirty = true
            let wish = state.machine.pendingRequest
            let isToPause = wish == .pause || (state.machine.status == .paused && wish == nil)
            guard isToPause else { return (wish == .cancel, nil) }
            return (false, try? child.cell.take(.requestPause, at: time))
        }
    }
}
