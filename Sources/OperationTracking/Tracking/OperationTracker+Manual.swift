extension OperationTracker {
    /// Begins an operation whose work a caller reports by hand, for callers that can't be a closure such as clients of an
    /// HTTP API. It is `in_progress` at once. Others use ``withOperation(type:description:total:unit:parent:startedBy:_:)``,
    /// which can't forget to end it. ``start(named:type:description:total:unit:pid:parent:startedBy:)`` takes a name of the
    /// caller's own.
    ///
    /// - Parameters:
    ///   - type: what kind of work it is.
    ///   - description: what it does, for people; at most 1,000 Unicode scalars are kept.
    ///   - total: the whole amount in `unit`; `nil` when unknown.
    ///   - unit: what amounts count.
    ///   - pid: the process that does the work, when that is a process of its own.
    ///   - parent: the operation that it is a part of. Wishes to pause, resume or cancel that one are for this one too.
    ///   - startedBy: who starts it, for the audit log.
    /// - Throws: ``OperationError``: `closed`, `invalid_transition` when the parent has ended, `invalid_value` when it is a part
    ///   of parts 16 deep itself.
    public func start(
        type: OperationType,
        description: String,
        total: Int64? = nil,
        unit: OperationUnit = .bytes,
        pid: Int32? = nil,
        parent: OperationID? = nil,
        startedBy: String? = nil
    ) throws(OperationError) -> OperationHandle {
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
        return try begin(spec)
    }

    func begin(
        _ spec: OperationSpec,
        prepare: (inout OperationCell.State) -> Void = { _ in }
    ) throws(OperationError) -> OperationHandle {
        let cell = makeCell(spec, status: .inProgress, prepare: prepare)
        // After the cell has looked for its whole: one that has ended by then would leave it on its own.
        try requireWhole(spec.parent)
        let handle = try admit(cell)
        join(cell, band: spec.band)
        return handle
    }

    func makeCell(
        _ spec: OperationSpec,
        status: OperationStatus,
        id: OperationID? = nil,
        prepare: (inout OperationCell.State) -> Void = { _ in }
    ) -> OperationCell {
        var spec = spec
        spec.description = spec.description.bounded(toScalars: 1000)
        spec.startedBy = spec.startedBy ?? configuration.actor
        let time = CellTime(clock)
        let cell = OperationCell(
            id: id ?? .make(at: time.wall),
            spec: spec,
            status: status,
            parent: spec.parent.flatMap(registry.activeCell),
            node: configuration.node,
            usual: usualOrigin,
            time: time
        )
        cell.withState { prepare(&$0) }
        return cell
    }

    /// The handle of an active operation, to report by hand; `nil` when there is none with this id.
    public func handle(_ id: OperationID) -> OperationHandle? {
        registry.activeCell(id).map { OperationHandle(cell: $0, tracker: self) }
    }

    /// Ends an operation as completed, and returns when its row is durable.
    ///
    /// - Parameters:
    ///   - id: the operation.
    ///   - result: what came out, as JSON of at most ``OperationRecord/payloadLimit`` bytes; a longer one isn't kept.
    /// - Returns: whether the ending survives a power cut.
    /// - Throws: ``OperationError``: `unknown_operation`, `invalid_transition`, `invalid_value` when the result isn't JSON.
    @discardableResult
    public func complete(_ id: OperationID, result: [UInt8]? = nil) async throws(OperationError) -> HistoryDurability {
        if let result, !JSONPayload.isValid(result) {
            throw OperationError(.invalidValue, "A result is kept as JSON, and this one isn't.")
        }
        let kept = result.flatMap { $0.count <= OperationRecord.payloadLimit ? $0 : nil }
        return try await finish(cell(id), .complete, result: kept)
    }

    /// Ends an operation as failed, and returns when its row is durable.
    ///
    /// - Returns: whether the ending survives a power cut.
    /// - Throws: ``OperationError``: `unknown_operation`, `invalid_transition`.
    @discardableResult
    public func fail(_ id: OperationID, _ failure: OperationFailure) async throws(OperationError) -> HistoryDurability {
        try await finish(cell(id), .fail, failure: failure)
    }

    /// Says that an operation's work has paused, gone on, or stopped after a request: the steps that work reported by hand
    /// has to tell.
    ///
    /// - Parameters:
    ///   - id: the operation.
    ///   - status: `paused`, `in_progress` or `cancelled`; for the others there are methods with what they need.
    /// - Throws: ``OperationError``: `unknown_operation`, `invalid_transition`.
    public func report(_ id: OperationID, _ status: OperationStatus) async throws(OperationError) {
        switch status {
        case .inProgress: try step(cell(id), .run)
        case .paused: try step(cell(id), .pause)
        case .cancelled: try await stopped(id)
        case .completed: try await complete(id)
        case .failed: try await fail(id, OperationFailure(.providerError, "The work reported that it failed."))
        case .pending:
            throw .invalidTransition(from: try cell(id).withState { $0.visibleStatus }, to: .pending)
        }
    }

    /// Ends an operation whose work has stopped after a request, as ``report(_:_:)`` does.
    @discardableResult
    package func stopped(_ id: OperationID) async throws(OperationError) -> HistoryDurability {
        try await finish(cell(id), .stop)
    }

    /// Asks work to pause. Its status changes when it really has; until then the wish is its `pendingRequest`. A pending
    /// operation is held back until it is resumed. The wish goes to the operation's parts as well.
    ///
    /// - Throws: ``OperationError``: `unknown_operation`, `invalid_transition`, `cannot_pause`.
    public func pause(_ id: OperationID) async throws(OperationError) {
        try await request(.requestPause, of: cell(id))
    }

    /// Asks paused work to go on, or takes back a pause that has not taken effect.
    ///
    /// - Throws: ``OperationError``: `unknown_operation`, `invalid_transition`.
    public func resume(_ id: OperationID) async throws(OperationError) {
        try await request(.requestResume, of: cell(id))
    }

    /// Asks work to stop for good. It is `cancelled` when it really has stopped; a pending operation is so at once.
    ///
    /// - Throws: ``OperationError``: `unknown_operation`, `invalid_transition`.
    public func cancel(_ id: OperationID) async throws(OperationError) {
        try await request(.requestCancel, of: cell(id))
    }

    func cell(_ id: OperationID) throws(OperationError) -> OperationCell {
        guard let cell = registry.cell(id) else { throw .unknownOperation(id) }
        return cell
    }
}
