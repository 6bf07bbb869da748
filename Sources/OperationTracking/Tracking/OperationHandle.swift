public import Synchronization

/// What running work holds of its operation: where it reports, and where it learns what is wanted of it.
///
/// One task at a time reports through a handle. Reporting an amount, ``update(completed:)``, costs one atomic load and one
/// store: a loop may call it for every chunk. Everything else here takes a lock and belongs between parts of the work.
public struct OperationHandle: Sendable {
    @usableFromInline let cell: OperationCell
    let tracker: OperationTracker

    init(cell: OperationCell, tracker: OperationTracker) {
        self.cell = cell
        self.tracker = tracker
    }

    /// The operation's public name.
    public var id: OperationID { cell.id }

    /// The operation as it is now, with what this handle reported last.
    public var operation: BackgroundOperation { cell.snapshot(at: tracker.clock.monotonicNanoseconds) }

    /// The clock that the operation's times are measured on. Work that waits should wait on it, so that tests needn't.
    public var clock: any TrackingClock { tracker.clock }

    /// Reports the amount done so far, in the operation's unit.
    ///
    /// - Parameter completed: the sum since the beginning, not the step. A value below the last one means that work was
    ///   taken back; it is counted as rewound and what is shown stays. A negative value is taken as 0.
    @inlinable
    public func update(completed: Int64) {
        if completed >= cell.completed.load(ordering: .relaxed) {
            cell.completed.store(completed, ordering: .relaxed)
        } else {
            stepBack(to: completed)
        }
    }

    /// Reports the share done so far of work that knows only its share (unit ``OperationUnit/fraction``).
    ///
    /// - Parameter fraction: 0 to 1; values outside are taken as the nearest, and one that is not a number is ignored.
    @inlinable
    public func update(fraction: Double) {
        guard !fraction.isNaN else { return }
        update(completed: Int64(min(max(fraction, 0), 1) * Double(OperationUnit.wholeFraction)))
    }

    /// Whether the work has been asked to stop. Work that can't throw at a ``checkpoint()`` looks here.
    @inlinable
    public var isCancelled: Bool {
        cell.wish.load(ordering: .relaxed) == OperationCell.Wish.cancel
    }

    /// Follows a wish to pause or to cancel. Work calls this between steps, where stopping loses nothing.
    ///
    /// It returns at once when nobody has a wish. When a pause is wanted the operation becomes `paused` and this waits until
    /// it is resumed or cancelled.
    ///
    /// - Throws: `CancellationError` when the work is to stop, or its task is cancelled.
    @inlinable
    public func checkpoint() async throws {
        if cell.wish.load(ordering: .relaxed) != OperationCell.Wish.none { try await followWish() }
        try Task.checkCancellation()
    }

    @usableFromInline
    func stepBack(to completed: Int64) {
        cell.withState { state in
            guard state.machine.status.isActive else { return }
            cell.shownPercent(of: &state, status: state.visibleStatus)
            let target = max(0, completed)
            let before = cell.amounts(of: state).completed
            state.rewound = min(state.rewound + max(0, before - target), OperationProgress.largestAmount)
            cell.completed.store(target, ordering: .relaxed)
            state.isDirty = true
        }
    }

    @usableFromInline
    func followWish() async throws {
        try await tracker.followWish(of: cell)
    }
}

extension OperationHandle {
    /// Sets or corrects the whole amount, in the operation's unit.
    ///
    /// - Parameter total: at least 0; `nil` or a negative value when it isn't known. It may grow: what is shown stays.
    public func setTotal(_ total: Int64?) {
        cell.change { state in
            cell.shownPercent(of: &state, status: state.visibleStatus)
            cell.total.store(max(-1, total ?? -1), ordering: .relaxed)
        }
    }

    /// Says how much was there already when the work began, such as the bytes of a transfer that is resumed. It counts for
    /// progress, not for speed or time remaining. Call it before the first ``update(completed:)`` that includes it.
    ///
    /// - Parameter units: the sum, at least 0, in the operation's unit.
    public func setPresent(_ units: Int64) {
        cell.change { state in
            state.present = min(max(0, units), OperationProgress.largestAmount)
        }
    }

    /// Says which part of the work has begun, and takes away the message of the part before.
    ///
    /// - Parameters:
    ///   - phase: a short word, such as `downloading`; at most 64 bytes are kept.
    ///   - message: more, for people; at most 1,000 Unicode scalars are kept.
    public func setPhase(_ phase: String?, message: String? = nil) {
        cell.change { state in
            state.phase = phase?.bounded(toBytes: 64)
            state.message = message?.bounded(toScalars: 1000)
        }
    }

    /// Says something to people about the work, at most 1,000 Unicode scalars of which are kept.
    public func setMessage(_ message: String?) {
        cell.change { state in
            state.message = message?.bounded(toScalars: 1000)
        }
    }

    /// Says what the work costs, as far as it knows; what it leaves out stays as it was.
    public func report(_ resources: ResourceImpact) {
        cell.change { state in
            if let cpu = resources.cpuPercent, cpu.isFinite { state.resources.cpuPercent = max(0, cpu) }
            if let memory = resources.memoryBytes {
                state.resources.memoryBytes = max(0, memory)
                state.peakMemory = max(state.peakMemory, memory)
            }
            if let network = resources.networkBitsPerSecond, network.isFinite {
                state.resources.networkBitsPerSecond = max(0, network)
            }
        }
    }

    /// Waits for a wish, for work that can't come to a checkpoint because something else does it, such as a process. When a
    /// pause is wanted, stop the work, and call ``checkpoint()``: it says that the work has paused, and returns when it is
    /// to go on.
    ///
    /// - Returns: what is wanted: `pause` or `cancel`.
    /// - Throws: `CancellationError` when the task is cancelled or the operation has ended.
    public func waitForRequest() async throws -> PendingRequest {
        try await tracker.waitForRequest(to: cell)
    }

    /// Waits for a wish, but no longer than a time.
    package func waitForRequest(within limit: Duration) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await clock.sleep(for: limit) }
            group.addTask { _ = try await waitForRequest() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Names the process that does the work, so that its cost is measured.
    ///
    /// - Parameters:
    ///   - process: the process; `nil` when it has ended.
    ///   - ownsGroup: whether it leads a process group, or a session, in which there is nothing but this work. All processes
    ///     of it are ended when this program dies before the operation does.
    public func setProcess(_ process: ProcessIdentity?, ownsGroup: Bool = false) {
        let now = clock.wallMilliseconds
        cell.change { state in
            // Recovery takes what started up to this moment for the operation's.
            state.updatedAt = now
            state.pid = process?.pid
            state.process = process
            if process == nil {
                state.resources.cpuPercent = nil
                state.resources.memoryBytes = nil
            }
            state.processGroup = ownsGroup ? process : nil
        }
        tracker.enqueueRecord(of: cell)
    }

    /// Says how soon the work can be done at the earliest, whatever its rate, such as when a quota holds it back: the remaining time
    /// shown is never less.
    ///
    /// - Parameter duration: from now; `nil` when nothing holds it back.
    public func setEarliestEnd(after duration: Duration?) {
        let end = duration.map { tracker.clock.monotonicNanoseconds.later(by: $0) }
        cell.change { $0.earliestEnd = end }
    }

    /// Keeps what the work needs to go on where it is now, should it be paused or interrupted.
    ///
    /// - Parameter json: at most ``OperationRecord/payloadLimit`` bytes.
    /// - Throws: ``OperationError`` (`invalid_value`) when it is longer, or isn't JSON.
    public func saveResumeState(_ json: [UInt8]) throws {
        guard json.count <= OperationRecord.payloadLimit else {
            throw OperationError(
                .invalidValue,
                "A resume state has at most \(OperationRecord.payloadLimit) bytes, this one has \(json.count): keep less in it."
            )
        }
        guard JSONPayload.isValid(json) else {
            throw OperationError(.invalidValue, "A resume state is kept as JSON, and this one isn't.")
        }
        cell.change {
            $0.payload = $0.payload ?? OperationCell.Payload(); $0.payload?.resumeState = json
        }
        tracker.enqueueRecord(of: cell)
    }

    /// What was kept by ``saveResumeState(_:)``, by this run or the one it continues.
    public var resumeState: [UInt8]? { cell.withState { $0.payload?.resumeState } }

    /// Which try this is; 1 for the first.
    public var attempt: Int { cell.withState { $0.attempt } }
}
