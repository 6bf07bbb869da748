extension OperationTracker {
    /// Runs work as an operation that ends as the work does: completed when it returns, failed when it throws, cancelled
    /// when it was asked to stop or its task was cancelled.
    ///
    /// - Parameters:
    ///   - type: what kind of work it is.
    ///   - description: what it does, for people.
    ///   - total: the whole amount in `unit`; `nil` when unknown.
    ///   - unit: what amounts count.
    ///   - parent: the operation that it is a part of. Wishes to pause, resume or cancel that one are for this one too.
    ///   - startedBy: who starts it, for the audit log.
    ///   - body: the work. It runs in a task of its own, which is cancelled when the operation is.
    /// - Returns: what the work returned, once the ending is durable.
    /// - Throws: what the work threw, or ``OperationError``: `closed`, `invalid_transition` when the parent has ended,
    ///   `invalid_value` when it is a part of parts 16 deep itself.
    public func withOperation<Value: Sendable>(
        type: OperationType,
        description: String,
        total: Int64? = nil,
        unit: OperationUnit = .bytes,
        parent: OperationID? = nil,
        startedBy: String? = nil,
        _ body: @escaping @Sendable (OperationHandle) async throws -> Value
    ) async throws -> Value {
        try await withOperation(
            named: nil,
            type: type,
            description: description,
            total: total,
            unit: unit,
            parent: parent,
            startedBy: startedBy,
            body
        )
    }

    /// As ``withOperation(type:description:total:unit:parent:startedBy:_:)``, under a name of the caller's own where one is given.
    ///
    /// - Throws: also what ``start(named:type:description:total:unit:pid:parent:startedBy:)`` does.
    package func withOperation<Value: Sendable>(
        named id: OperationID?,
        type: OperationType,
        description: String,
        total: Int64? = nil,
        unit: OperationUnit = .bytes,
        parent: OperationID? = nil,
        startedBy: String? = nil,
        _ body: @escaping @Sendable (OperationHandle) async throws -> Value
    ) async throws -> Value {
        let handle =
            if let id {
                try await start(
                    named: id,
                    type: type,
                    description: description,
                    total: total,
                    unit: unit,
                    parent: parent,
                    startedBy: startedBy
                )
            } else {
                try start(
                    type: type,
                    description: description,
                    total: total,
                    unit: unit,
                    parent: parent,
                    startedBy: startedBy
                )
            }
        switch await reach(handle, { try await body(handle) }) {
        case .success(let value):
            try await end(handle, afterReturning: nil)
            return value
        case .failure(let error):
            await end(handle, afterThrowing: error)
            throw error
        }
    }

    /// Runs `body` in a task of its own. A cancelled operation and a cancelled caller both cancel that task.
    func reach<Value: Sendable>(
        _ handle: OperationHandle,
        _ body: @escaping @Sendable () async throws -> Value
    ) async -> Result<Value, any Error> {
        registry.work.begin()
        defer { registry.work.end() }
        let work = Task { try await body() }
        let isTooLate = handle.cell.withState { state in
            state.control.cancelWork = { work.cancel() }
            if state.isToPauseByRestart { state.control.isStoppedToPause = true }
            return state.machine.pendingRequest == .cancel || state.machine.status.isTerminal
                || state.isToPauseByRestart || state.isLeft
        }
        if isTooLate { work.cancel() }
        let result = await withTaskCancellationHandler {
            await work.result
        } onCancel: {
            work.cancel()
        }
        handle.cell.withState { state in
            state.control.wasWorkCancelled = work.isCancelled
            state.control.cancelWork = nil
        }
        return result
    }

    /// Ends an operation whose work returned. Work that finished though it was taken to be paused was running after all.
    func end(_ handle: OperationHandle, afterReturning result: [UInt8]?) async throws(OperationError) {
        while true {
            leavePause(handle.cell)
            do throws(OperationError) {
                try await complete(handle.id, result: result)
                return
            } catch {
                // A part that pauses takes its whole with it, also in this moment. What is left to the next service stays paused.
                guard handle.cell.withState({ $0.machine.status == .paused && !$0.isLeft }) else { throw error }
            }
        }
    }

    private func leavePause(_ cell: OperationCell) {
        guard cell.withState({ $0.machine.status }) == .paused else { return }
        registry.steps.begin()
        defer { registry.steps.end() }
        // It may have been resumed, or ended, since it was looked at.
        guard let step = try? cell.take(.run, at: CellTime(clock)) else { return }
        step.wake?()
        // Told, but not followed: no whole goes on with work that is over.
        announce(step, by: cell)
    }

    /// Ends an operation whose work threw. An error thrown after a request to stop is how the work stopped, so it counts as
    /// cancelled, not as failed; a `CancellationError` that nobody asked for is an error like another. An operation that
    /// somebody else has ended meanwhile stays as it is.
    func end(_ handle: OperationHandle, afterThrowing error: any Error) async {
        let wasAsked = handle.cell.withState { $0.machine.pendingRequest == .cancel || $0.control.wasWorkCancelled }
        do {
            if wasAsked {
                try await finish(handle.cell, .stop)
            } else {
                try await finish(handle.cell, .fail, failure: OperationFailure(recording: error))
            }
        } catch {
            await endingIsDurable(handle.cell)
        }
    }
}
