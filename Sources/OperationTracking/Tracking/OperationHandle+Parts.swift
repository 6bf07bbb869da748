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
    /// - Throws: what the work threw, or ``OperationError``: `closed`, `invalid_transition` when this operation has ended,
    ///   `invalid_value` when it is a part of parts 16 deep itself.
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
                if case .failure = result, !Task.isCancelled, hasStoppedToPause(part.cell) {
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
                guard !Task.isCancelled, hasStoppedToPause(cell) else { throw error }
            }
        }
    }
}
