import Synchronization

extension OperationRunner {
    /// Takes up what a process that is gone has left in a shared history and can go on: pending operations are queued, paused
    /// ones stay paused until somebody resumes them. Only a long-running service should do this.
    ///
    /// - Returns: how many were taken up. Operations of a type without a provider are left alone.
    /// - Throws: ``HistoryError`` when the history can't be read or written.
    @discardableResult
    public func takeUp(retry: RetryPolicy = .never) async throws -> Int {
        guard let shared = tracker.history as? any SharedHistory else { return 0 }
        var count = 0
        for record in try await shared.orphans() {
            guard let request = record.request, let work = try? providers[record.operation.type]?.job(request) else {
                continue
            }
            if try await adopt(record, work, retry: retry) != nil { count += 1 }
        }
        return count
    }

    /// Makes an operation that nobody runs this runner's own.
    ///
    /// - Returns: `nil` when another was faster.
    func adopt(_ record: OperationRecord, _ work: ProviderJob, retry: RetryPolicy) async throws -> Job? {
        guard !isClosed, let shared = tracker.history as? any SharedHistory,
            try await shared.adopt(record.operation.id)
        else { return nil }
        // The runner may have been closed meanwhile; then the row stays for the next service.
        guard !isClosed else { return nil }
        let handle = try tracker.admit(
            OperationCell(restoring: record, traits: work.traits, clock: tracker.clock)
        )
        var job = Job(handle: handle, work: work, retry: retry)
        job.place = record.operation.status == .paused ? .paused : .queued
        take(job)
        return job
    }

    /// Ends the runner: takes no more requests, lets what runs finish until a deadline, then cancels it.
    ///
    /// What waits is cancelled, or kept for the next service (``Configuration/keepsQueue``); what is paused stays paused.
    /// When this returns everything is recorded, except work that doesn't stop though it was told to: that is recorded as
    /// interrupted by ``OperationTracker/close()``.
    ///
    /// - Parameter deadline: how long running work may go on.
    public func shutDown(within deadline: Duration) async {
        guard !isClosed else { return }
        isClosed = true
        if !configuration.keepsQueue || !(tracker.history is any SharedHistory) {
            for id in queue.ids { try? await tracker.cancel(id) }
        }
        if !(await hasFinished(within: deadline)) {
            for job in runningJobs { try? await tracker.cancel(job.handle.id) }
            _ = await hasFinished(within: configuration.stopGrace)
        }
        // Nobody here will see how these end.
        for job in jobs.values where job.place != .running || job.isPausedInPlace {
            job.completion.finish(.failure(OperationError.closed))
        }
    }

    /// The jobs whose work really runs.
    private var runningJobs: [Job] { jobs.values.filter { $0.place == .running && !$0.isPausedInPlace } }

    /// Waits for all running work to end, but no longer than a time.
    private func hasFinished(within limit: Duration) async -> Bool {
        let clock = tracker.clock
        return await withTaskGroup(of: Bool.self) { group in
            for job in runningJobs {
                group.addTask {
                    _ = try? await job.completion.value
                    return true
                }
            }
            var left = runningJobs.count
            group.addTask {
                try? await clock.sleep(for: limit)
                return false
            }
            defer { group.cancelAll() }
            while left > 0, let ended = await group.next() {
                guard ended else { return false }
                left -= 1
            }
            return true
        }
    }
}

extension OperationRunner.Job {
    /// Work that stands still where it is, and stays so when its service ends.
    fileprivate var isPausedInPlace: Bool {
        place == .running && handle.cell.withState { $0.machine.status } == .paused
    }
}

extension OperationCell {
    /// An operation as its history kept it, with its numbers.
    convenience init(restoring record: OperationRecord, traits: ProviderTraits, clock: any TrackingClock) {
        let operation = record.operation
        let progress = operation.progress
        let spec = OperationSpec(
            type: operation.type,
            description: operation.description,
            total: progress.totalUnits,
            unit: progress.unit,
            priority: operation.priority,
            parent: operation.parentID,
            startedBy: record.startedBy
        )
        self.init(
            id: operation.id,
            spec: spec,
            status: operation.status,
            parent: nil,
            node: operation.node,
            time: CellTime(monotonic: clock.monotonicNanoseconds, wall: operation.createdAt.milliseconds)
        )
        completed.store(progress.completedUnits, ordering: .relaxed)
        withState { state in
            state.machine = OperationStateMachine(operation.status, pendingRequest: operation.pendingRequest)
            state.pausing = traits.pausing
            state.isThrottleable = traits.isThrottleable
            state.phase = operation.phase
            state.message = operation.message
            state.attempt = operation.attempt
            state.shownPercent = progress.percent
            state.rewound = progress.rewoundUnits
            state.present = progress.presentUnits
            state.startedAt = operation.startedAt?.milliseconds
            state.updatedAt = operation.updatedAt.milliseconds
            state.activeNanoseconds = Int64((operation.activeSeconds ?? 0) * 1e9)
            state.uniqueKey = record.uniqueKey
            state.payload = Payload(request: record.request, result: nil, resumeState: record.resumeState)
        }
    }
}
