/// Runs providers' requests as tracked operations: in order of priority, so many at a time, again when they fail in passing.
///
/// Keep it for as long as its operations are active: what is paused goes on by it alone. Before the program ends, call
/// ``shutDown(within:)`` and then ``OperationTracker/close()``.
///
/// Pausing, resuming and cancelling are the tracker's (``OperationTracker/pause(_:)`` …); the runner follows. An operation
/// whose provider pauses by beginning again gives its place to another while it is paused; one that pauses in place keeps it.
public actor OperationRunner {
    /// How much runs at a time, and how much may wait.
    public struct Configuration: Sendable {
        /// How many operations run at a time, at least 1. A whole lends its place to one of its parts, so those that work beside
        /// their parts come on top.
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
    /// Tells the shutdown that work may have ended or paused.
    var jobsChanged: AsyncStream<Void>.Continuation?
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
            guard let self else { return false }
            Task { await self.startWhatMay(looks: .max) }
            return true
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
        let retry: RetryLoop
        let completion = Completion()
        var place = Place.queued
        var enqueuedAt: Int64 = 0
        /// What its provider said that it needs when it was last queued, and how much was done then.
        var demand = ResourceDemand.unknown
        var doneBefore: Int64 = 0
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
        tracker.enqueueRecord(of: job.handle.cell)
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
        jobs[id]?.demand = job.work.demand()
        jobs[id]?.doneBefore = cell.withState { cell.amounts(of: $0).completed }
        queue.insert(
            id,
            type: cell.type,
            priority: cell.withState(\.priority),
            partOf: lender(to: cell),
            at: time
        )
        startWhatMay()
    }

    private func enqueue(_ id: OperationID) {
        enqueue(id, at: tracker.clock.monotonicNanoseconds)
    }

    /// Begins waiting operations while there is room.
    ///
    /// - Parameter looks: how many are looked at and told why they wait; all after each measurement, which is seldom.
    func startWhatMay(looks: Int = 32) {
        guard !isClosed else { return }
        var admission = AdmissionPass(looks: looks)
        while let entry = queue.takeFirst(where: { entry in
            places.hasRoom(for: entry.type, partOf: entry.whole) && !isHeld(entry.id) && isAdmitted(entry, &admission)
        }) {
            start(entry)
        }
    }

    /// Whose place an operation may borrow: that of the nearest whole which this runner runs. Parts in between that run within
    /// that one's work have none.
    func lender(to cell: OperationCell) -> OperationID? {
        var whole = cell.parent
        while let cell = whole {
            if jobs[cell.id] != nil { return cell.id }
            whole = cell.parent
        }
        // It may be taken up later than its part.
        return cell.parentID
    }

    private func isHeld(_ id: OperationID) -> Bool {
        jobs[id]?.handle.cell.withState { state in
            let wish = state.machine.pendingRequest
            return state.machine.status.isTerminal || state.isLeft || wish == .pause
                || (state.machine.status == .paused && wish != .resume)
        } ?? true
    }

    private func start(_ entry: RunQueue.Entry) {
        let id = entry.id
        guard let job = jobs[id] else { return }
        jobs[id]?.place = .running
        job.handle.endWaiting()
        places.take(id, job.work.type, partOf: entry.whole)
        Task {
            let outcome = await perform(job)
            await settle(id, outcome)
        }
    }

    /// - Returns: `nil` when the work has not begun: somebody ended it in the meantime, or holds it back.
    private nonisolated func perform(_ job: Job) async -> Result<ProviderJob.Output, any Error>? {
        let cell = job.handle.cell
        // What has paused begins again for as long as it is asked to.
        let wish: PendingRequest? = cell.withState { $0.machine.status == .paused ? .resume : nil }
        try? tracker.step(cell, .run, following: wish)
        guard cell.withState({ $0.machine.status == .inProgress }) else { return nil }
        return await tracker.reach(job.handle) {
            try await job.retry.run(reporting: job.handle) { try await job.work.perform(job.handle) }
        }
    }

    /// Gives the place free and ends the operation as its work ended, unless that was only for a pause.
    private func settle(_ id: OperationID, _ outcome: Result<ProviderJob.Output, any Error>?) async {
        guard let job = jobs[id] else { return }
        defer { jobsChanged?.yield() }
        places.give(id)
        let (isLeft, status) = job.handle.cell.withState { ($0.isLeft, $0.machine.status) }
        if isLeft {
            forget(id)
            return job.completion.finish(.failure(OperationError.closed))
        }
        guard let outcome else {
            if status == .pending { return enqueue(id, at: job.enqueuedAt) }
            return rest(id)
        }
        if case .failure = outcome, tracker.hasStoppedToPause(job.handle.cell) { return rest(id) }
        // The place is free while the ending is being made durable.
        startWhatMay()
        let ending = await end(job, outcome)
        forget(id)
        job.completion.finish(ending)
    }

    /// Takes it that work stands still until somebody wants it to go on, which may be so already.
    private func rest(_ id: OperationID) {
        jobs[id]?.place = .paused
        followWish(of: id)
        startWhatMay()
    }

    private func end(_ job: Job, _ outcome: Result<ProviderJob.Output, any Error>) async -> Completion.Outcome {
        do {
            switch outcome {
            case .success(let output):
                try await tracker.end(job.handle, afterReturning: output.json)
                return .success(output.value)
            case .failure(let error):
                await tracker.end(job.handle, afterThrowing: error)
                // Work that was stopped says no more than that; why, whoever ended the operation has said.
                return .failure(error is CancellationError ? reason(job) ?? error : cancellation(job) ?? error)
            }
        } catch {
            // The operation had been ended by somebody else, and that ending stays.
            await tracker.endingIsDurable(job.handle.cell)
            return .failure(reason(job) ?? error)
        }
    }

    /// Why an operation has not completed.
    private func reason(_ job: Job) -> (any Error)? {
        cancellation(job) ?? job.handle.cell.withState(\.failure)
    }

    /// What stands for whatever work throws that was asked to stop.
    private func cancellation(_ job: Job) -> (any Error)? {
        job.handle.cell.withState(\.machine.status) == .cancelled ? CancellationError() : nil
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

    /// Follows a wish for an operation whose work doesn't run, and so can't follow it itself.
    func followWish(of id: OperationID) {
        defer { jobsChanged?.yield() }
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
        } else if job.place == .paused, wish == .resume || (status == .inProgress && wish == nil) {
            // It is to go on, or to begin again after a pause that was taken back.
            enqueue(id)
        } else if job.place == .queued, status == .paused, wish != .resume {
            // It waited for room to go on, and is to stay paused after all.
            queue.remove(id)
            jobs[id]?.place = .paused
        } else if status == .inProgress, wish == .pause {
            // The pause that had been taken back is wanted after all.
            queue.remove(id)
            jobs[id]?.place = .paused
            try? tracker.step(job.handle.cell, .pause, following: .pause)
            followWish(of: id)
        } else {
            startWhatMay()
        }
    }
}
