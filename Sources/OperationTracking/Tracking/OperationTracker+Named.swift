extension OperationTracker {
    /// Begins an operation under a name of the caller's own, whose work the caller reports by hand; see
    /// ``start(type:description:total:unit:pid:parent:startedBy:)``.
    ///
    /// A name is for one operation and no later one. So the history is asked first, and returns only when the operation has its
    /// row there: a name that the history knows is refused, and of several processes on one history that want the same name at
    /// the same time one gets it.
    ///
    /// - Parameters:
    ///   - id: the name.
    ///   - type: what kind of work it is.
    ///   - description: what it does, for people; at most 1,000 Unicode scalars are kept.
    ///   - total: the whole amount in `unit`; `nil` when unknown.
    ///   - unit: what amounts count.
    ///   - pid: the process that does the work, when that is a process of its own.
    ///   - parent: the operation that it is a part of.
    ///   - startedBy: who starts it, for the audit log.
    /// - Throws: ``OperationError``: `duplicate_operation`, `closed`, `invalid_transition` when the parent has ended,
    ///   `invalid_value` when it is a part of parts 16 deep itself; ``HistoryError`` when the history can't be asked.
    public func start(
        named id: OperationID,
        type: OperationType,
        description: String,
        total: Int64? = nil,
        unit: OperationUnit = .bytes,
        pid: Int32? = nil,
        parent: OperationID? = nil,
        startedBy: String? = nil
    ) async throws -> OperationHandle {
        let spec = OperationSpec(
            type: type,
            description: description,
            total: total,
            unit: unit,
            priority: .normal,
            parent: parent,
            pid: pid,
            startedBy: startedBy
        )
        // Two callers here are told apart before either asks the history, which takes a row of this process again.
        try registry.reserve(id)
        defer { registry.release(id) }
        let cell = makeCell(spec, status: .inProgress, id: id)
        try requireWhole(parent)
        try await claim(cell)
        do throws(OperationError) {
            let handle = try admit(cell)
            join(cell, band: nil)
            return handle
        } catch {
            if history is any SharedHistory { await abandon(cell, because: error) }
            throw error
        }
    }

    private func claim(_ cell: OperationCell) async throws {
        guard let history else { return }
        let known =
            if let shared = history as? any SharedHistory {
                try await shared.claim(cell.withRecord(at: clock.monotonicNanoseconds) { $0 })
            } else {
                try await history.record(cell.id)
            }
        guard known == nil else { throw OperationError.duplicateOperation(cell.id) }
    }

    /// Ends the row of an operation that was claimed and then refused.
    func abandon(_ cell: OperationCell, because error: any Error) async {
        _ = try? cell.take(.fail, at: CellTime(clock), failure: OperationFailure(recording: error))
        await endingIsDurable(cell)
    }
}
