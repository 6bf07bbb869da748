import Synchronization

extension OperationRunner {
    /// Takes up what a process that is gone has left in a shared history and can go on: pending operations are queued, paused
    /// ones stay paused until somebody resumes them. Only a long-running service should do this.
    ///
    /// A part finds its whole again where that is taken up too, or still active; else the nearest one round that. What is tried
    /// again, and how often, is as it was submitted.
    ///
    /// - Parameter retry: when a failed try of an operation is followed by another whose row doesn't say.
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
            if try await adopt(record.operation.id, work, retry: retry) != nil { count += 1 }
        }
        return count
    }

    /// Makes an operation that nobody runs this runner's own.
    ///
    /// - Returns: `nil` when somebody does, or it has ended.
    func adopt(_ id: OperationID, _ work: ProviderJob, retry: RetryPolicy) async throws -> Job? {
        // Read once it is ours: until then its owner may have changed it.
        guard !isClosed, let history = tracker.history, let shared = history as? any SharedHistory,
            try await shared.adopt(id), let record = try await history.record(id)
        else { return nil }
        await tracker.learnDemand(of: work.type)
        let whole = await wholeLeft(of: record)
        // The runner may have been closed meanwhile; then the row stays for the next service.
        guard !isClosed else { return nil }
        let handle = try tracker.admit(
            OperationCell(
                restoring: record,
                parent: whole,
                traits: work.traits,
                clock: tracker.clock
            )
        )
        // What it was a part of may have ended with its program; then it has no band of the whole round that.
        tracker.join(handle.cell, band: whole?.id == record.operation.parentID ? record.band : nil)
        let loop = RetryLoop(policy: record.retry ?? retry, goingOnFrom: record.operation)
        var job = Job(handle: handle, work: work, retry: loop)
        job.place = record.operation.status == .paused ? .paused : .queued
        take(job)
        return job
    }

    /// The nearest operation round one in the history that is active here.
    private func wholeLeft(of record: OperationRecord) async -> OperationCell? {
        var next = record.operation.parentID
        for _ in 0..<OperationCell.deepestPart {
            guard let id = next else { break }
            if let cell = tracker.registry.activeCell(id) { return cell }
            next = try? await tracker.history?.record(id)?.operation.parentID
        }
        return nil
    }

    /// Ends the runner: takes no more requests, lets what runs finish until a deadline, then cancels it.
    ///
    /// What waits is cancelled, or kept for the next service (``Configuration/keepsQueue``); what is paused stays paused.
    /// When this returns everything is recorded, except work that doesn't stop though it was told to: that is recorded as
    /// interrupted by ``OperationTracker/close()``.
    ///
    /// Whoever calls it again waits for the same shutdown, and the first one's deadline holds.
    ///
    /// - Parameter deadline: how long running work may go on.
    public func shutDown(within deadline: Duration) async {
        // A task of its own, so that cancelling one who waits doesn't cut the deadline short.
        let task = shutdown ?? Task { await stop(within: deadline) }
        shutdown = task
        await task.value
    }

    private func stop(within deadline: Duration) async {
        await cancelQueue()
        if !(await hasFinished(within: deadline)) {
            for job in runningJobs { try? await tracker.cancel(job.handle.id) }
            _ = await hasFinished(within: configuration.stopGrace)
        }
        // Something may have been held back just as it began.
        await cancelQueue()
        // Nobody here will see how these end: they are paused, wait, or don't stop.
        for job in jobs.values { job.completion.finish(.failure(OperationError.runnerClosed)) }
    }

    private func cancelQueue() async {
        guard !configuration.keepsQueue || !(tracker.history is any SharedHistory) else { return }
        for id in queue.ids { try? await tracker.cancel(id) }
    }

    /// The jobs whose work really runs.
    private var runningJobs: [Job] { jobs.values.filter { $0.place == .running && !$0.isPausedInPlace } }

    /// Waits until no work runs any more, but no longer than a time.
    private func hasFinished(within limit: Duration) async -> Bool {
        let (changes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        jobsChanged = continuation
        let clock = tracker.clock
        let timer = Task {
            try? await clock.sleep(for: limit)
            continuation.finish()
        }
        defer {
            timer.cancel()
            jobsChanged = nil
        }
        guard !runningJobs.isEmpty else { return true }
        for await _ in changes where runningJobs.isEmpty { return true }
        return runningJobs.isEmpty
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
    convenience init(
        restoring record: OperationRecord,
        parent: OperationCell?,
        traits: ProviderTraits,
        clock: any TrackingClock
    ) {
        let operation = record.operation
        let progress = operation.progress
        let spec = OperationSpec(
            type: operation.type,
            description: operation.description,
            total: progress.totalUnits,
            unit: progress.unit,
            priority: operation.priority,
            parent: operation.parentID,
            band: record.band,
            startedBy: record.startedBy
        )
        self.init(
            id: operation.id,
            spec: spec,
            status: operation.status,
            parent: parent,
            node: operation.node,
            time: CellTime(monotonic: clock.monotonicNanoseconds, wall: operation.createdAt.milliseconds)
        )
        completed.store(progress.completedUnits, ordering: .relaxed)
        withState { state in
            state.machine = OperationStateMachine(operation.status, pendingRequest: operation.pendingRequest)
            state.pausing = traits.pausing
            state.isThrottleable = traits.isThrottleable
            state.writesToDataDirectory = traits.writesToDataDirectory
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
            state.peakMemory = record.peakMemoryBytes ?? 0
            state.payload = Payload(
                request: record.request,
                resumeState: record.resumeState,
                retry: record.retry,
                feature: record.estimateFeature
            )
        }
    }
}
