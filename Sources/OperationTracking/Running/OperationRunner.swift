/// Runs providers' requests as tracked operations: in order of priority, so many at a time, again when they fail in passing.
///
/// Pausing, resuming and cancelling are the tracker's (``OperationTracker/pause(_:)`` …); the runner follows. An operation
/// whose provider pauses by beginning again gives its place to another while it is paused; one that pauses in place keeps it.
public actor OperationRunner {
    /// How much runs at a time, and how much may wait.
    public struct Configuration: Sendable {
        /// How many operations run at a time, at least 1.
        public var maximumRunning = 4
        /// How many of a type run at a time, where that is fewer, at least 1.
        public var maximumRunningByType: [OperationType: Int] = [:]
        /// How many may wait; one more is refused.
        public var maximumQueued = 1000
        /// What is done with work while the machine is overloaded or has not enough left for it.
        public var admission = AdmissionPolicy()
        /// How much longer waiting counts as much as a level of priority, so that nothing waits for ever.
        public var ageing: Duration = .seconds(60)
        /// How long work that was told to stop at a shutdown is waited for.
        public var stopGrace: Duration = .seconds(5)
        /// Whether what still waits at a shutdown stays in a shared history, to be taken up by the next service. Otherwise it is
        /// cancelled.
        public var keepsQueue = false

        /// Makes the usual configuration.
        public init() {}
    }

    /// What a submitter may ask for beside the work itself.
    public struct Options: Sendable {
        /// How urgently it is wanted.
        public var priority = OperationPriority.normal
        /// When a failed try is followed by another.
        public var retry = RetryPolicy.never
        /// The operation that it is a part of. Wishes to pause, resume or cancel that one are for this one too, while it waits
        /// and while it runs; a parent that this runner runs lends its place to one of its parts at a time.
        public var parent: OperationID?
        /// The part of the parent's progress that is this one's, within 0 to 1; `nil` for none. Whoever had it before loses it.
        public var band: Range<Double>?
        /// Who asks, for the audit log.
        public var startedBy: String?

        /// Makes the usual options.
        public init(
            priority: OperationPriority = .normal,
            retry: RetryPolicy = .never,
            parent: OperationID? = nil,
            band: Range<Double>? = nil,
            startedBy: String? = nil
        ) {
            self.priority = priority
            self.retry = retry
            self.parent = parent
            self.band = band
            self.startedBy = startedBy
        }
    }

    /// Where the operations are tracked.
    public nonisolated let tracker: OperationTracker
    /// What can be submitted by its type's name, and taken up after a restart.
    public nonisolated let providers: ProviderRegistry

    let configuration: Configuration
    var queue: RunQueue
    var jobs: [OperationID: Job] = [:]
    var idsByKey: [String: OperationID] = [:]
    var places: RunPlaces
    /// The end of this runner, once it has begun.
    var shutdown: Task<Void, Never>?
    var isClosed: Bool { shutdown != nil }

    /// Makes a runner that has nothing to do.
    public init(
        tracker: OperationTracker,
        providers: ProviderRegistry = ProviderRegistry(),
        configuration: Configuration = Configuration()
    ) {
        self.tracker = tracker
        self.providers = providers
        self.configuration = configuration
        queue = RunQueue(ageing: configuration.ageing)
        places = RunPlaces(
            limit: configuration.maximumRunning,
            limitByType: configuration.maximumRunningByType
        )
        tracker.observeLoad { [weak self] in
            Task { await self?.startWhatMay() }
        }
    }

    /// One operation of this runner, from submission to end.
    struct Job {
        enum Place {
            /// It waits in the queue, to begin or to go on.
            case queued
            /// Its work runs.
            case running
            /// Its work has ended for now, until somebody resumes it.
            case paused
        }

        let handle: OperationHandle
        let work: ProviderJob
        let retry: RetryPolicy
        let completion = Completion()
        var place = Place.queued
        var enqueuedAt: Int64 = 0
    }

    /// How many operations wait to begin.
    public var queuedCount: Int { queue.count }

    /// How many operations run, wholes that wait for their parts among them.
    public var runningCount: Int { places.runningCount }

    /// Changes how urgently an operation is wanted. What runs already isn't affected.
    ///
    /// - Throws: ``OperationError``: `unknown_operation`.
    public func setPriority(_ priority: OperationPriority, of id: OperationID) throws(OperationError) {
        guard let job = jobs[id] else { throw .unknownOperation(id) }
        job.handle.cell.change { $0.priority = priority }
        queue.reprioritise(id, to: priority)
        startWhatMay()
    }

    /// Takes an operation into the runner, and begins it if there is room.
    func take(_ job: Job) {
        let id = job.handle.id
        jobs[id] = job
        if let key = job.work.uniqueKey { idsByKey[key] = id }
        job.handle.cell.withState { state in
            state.control.signalOwner = { [weak self] in
                Task { await self?.followWish(of: id) }
            }
        }
        if job.place == .queued { enqueue(id) }
        // A wish may have come before there was anyone to follow it.
        followWish(of: id)
    }

    /// - Parameter time: since when it waits.
    private func enqueue(_ id: OperationID, at time: Int64) {
        guard let job = jobs[id] else { return }
        jobs[id]?.place = .queued
        jobs[id]?.enqueuedAt = time
        let cell = job.handle.cell
        queue.insert(
            id,
            type: cell.type,
            priority: cell.withState(\.priority),
            partOf: cell.parentID,
            at: time
        )
        startWhatMay()
    }

    private func enqueue(_ id: OperationID) {
        enqueue(id, at: tracker.clock.monotonicNanoseconds)
    }

    /// Begins waiting operations while there is room.
    func startWhatMay() {
        guard !isClosed else { return }
        let now = tracker.clock.monotonicNanoseconds
        // What has waited long for resources isn't passed by smaller work any more, which would keep them taken for ever.
        var mayPass = true
        var admission = AdmissionPass()
        while let entry = queue.takeFirst(where: { entry in
            guard mayPass, places.hasRoom(for: entry.type, partOf: entry.whole), !isHeld(entry.id) else { return false }
            guard admission.looks > 0 else { return false }
            if isAdmitted(entry.id, &admission) { return true }
            mayPass = now - entry.enqueuedAt < configuration.ageing.nanoseconds
            return false
        }) {
            start(entry.id)
        }
    }

    private func isHeld(_ id: OperationID) -> Bool {
        jobs[id]?.handle.cell.withState { state in
            let wish = state.machine.pendingRequest
            return state.machine.status.isTerminal || state.isLeft || wish == .pause
                || (state.machine.status == .paused && wish != .resume)
        } ?? true
    }

    private func start(_ id: OperationID) {
        guard let job = jobs[id] else { return }
        jobs[id]?.place = .running
        job.handle.endWaiting()
        places.take(id, job.work.type, partOf: job.handle.cell.parentID)
        Task {
            let outcome = await perform(job)
            await settle(id, outcome)
        }
    }

    private nonisolated func perform(_ job: Job) async -> Result<ProviderJob.Output, any Error> {
        do {
            try await tracker.step(job.handle.cell, .run)
        } catch {
            // Somebody ended it in the meantime, or holds it back.
            return .failure(CancellationError())
        }
        return await tracker.reach(job.handle) {
            try await RetryLoop(policy: job.retry, handle: job.handle).run { try await job.work.perform(job.handle) }
        }
    }

    /// Gives the place free and ends the operation as its work ended, unless that was only for a pause.
    private func settle(_ id: OperationID, _ outcome: Result<ProviderJob.Output, any Error>) async {
        guard let job = jobs[id] else { return }
        places.give(id)
        if job.handle.cell.withState(\.isLeft) {
            forget(id)
            return job.completion.finish(.failure(OperationError.closed))
        }
        if isWaiting(job) { return enqueue(id, at: job.enqueuedAt) }
        if case .failure = outcome, await hasPaused(job) { return startWhatMay() }
        // The place is free while the ending is being made durable.
        startWhatMay()
        let ending = await end(job, outcome)
        forget(id)
        job.completion.finish(ending)
    }

    /// Whether work could not begin because somebody has held it back in that moment.
    private func isWaiting(_ job: Job) -> Bool {
        job.handle.cell.withState { $0.machine.status == .pending }
    }

    /// Whether work that ended did so only to begin again later, and what follows from that.
    private func hasPaused(_ job: Job) async -> Bool {
        let id = job.handle.id
        let wasStopped = job.handle.cell.withState { state in
            defer { state.control.isStoppedToPause = false }
            let wish = state.machine.pendingRequest
            return wish != .cancel && (state.control.isStoppedToPause || state.isToPauseByRestart)
        }
        guard wasStopped else { return false }
        jobs[id]?.place = .paused
        _ = try? await tracker.step(job.handle.cell, .pause, following: .pause)
        // The wish may have changed before, and again while the step was taken.
        switch job.handle.cell.withState({ $0.machine.status }) {
        case .paused: followWish(of: id)
        case .inProgress: enqueue(id)
        default: return false
        }
        return true
    }

    private func end(_ job: Job, _ outcome: Result<ProviderJob.Output, any Error>) async -> Completion.Outcome {
        do {
            switch outcome {
            case .success(let output):
                try await tracker.end(job.handle, afterReturning: output.json)
                return .success(output.value)
            case .failure(let error):
                await tracker.end(job.handle, afterThrowing: error)
                return .failure(error)
            }
        } catch {
            // The operation had been ended by somebody else, and that ending stays.
            await tracker.endingIsDurable(job.handle.cell)
            return .failure(error)
        }
    }

    /// Ends an operation that waits as failed.
    func refuse(_ id: OperationID, _ failure: OperationFailure) async {
        guard let job = jobs[id], job.place == .queued else { return }
        forget(id)
        _ = try? await tracker.fail(id, failure)
        job.completion.finish(.failure(failure))
    }

    private func forget(_ id: OperationID) {
        queue.remove(id)
        guard let key = jobs.removeValue(forKey: id)?.work.uniqueKey, idsByKey[key] == id else { return }
        idsByKey[key] = nil
    }

    /// Looks again after a pause: the wish may have changed while it was taken.
    private func pauseWasTaken(_ id: OperationID) {
        guard let job = jobs[id], job.place == .paused else { return }
        if job.handle.cell.withState({ $0.machine.status }) == .inProgress { enqueue(id) } else { followWish(of: id) }
    }

    /// Follows a wish for an operation whose work doesn't run, and so can't follow it itself.
    func followWish(of id: OperationID) {
        guard let job = jobs[id], job.place != .running else { return }
        let (status, wish, isLeft) = job.handle.cell.withState {
            ($0.machine.status, $0.machine.pendingRequest, $0.isLeft)
        }
        if isLeft {
            forget(id)
            job.completion.finish(.failure(OperationError.closed))
        } else if status.isTerminal || wish == .cancel {
            forget(id)
            Task {
                // It may have ended otherwise, such as failed when its tracker was closed.
                if (try? await tracker.finish(job.handle.cell, .stop)) == nil {
                    await tracker.endingIsDurable(job.handle.cell)
                }
                job.completion.finish(.failure(CancellationError()))
            }
        } else if job.place == .paused, wish == .resume {
            enqueue(id)
        } else if job.place == .queued, status == .paused, wish != .resume {
            // It waited for room to go on, and is to stay paused after all.
            queue.remove(id)
            jobs[id]?.place = .paused
        } else if job.place == .queued, status == .inProgress, wish == .pause {
            // It waited for room to begin again after a pause that had been taken back.
            queue.remove(id)
            jobs[id]?.place = .paused
            Task {
                _ = try? await tracker.step(job.handle.cell, .pause, following: .pause)
                pauseWasTaken(id)
            }
        } else {
            startWhatMay()
        }
    }
}
