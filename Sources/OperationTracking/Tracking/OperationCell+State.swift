extension OperationCell {
    /// What is behind the cell's lock.
    struct State: Sendable {
        /// The true state. Once it is terminal nothing can change the operation any more.
        var machine: OperationStateMachine
        /// What readers see. It stays behind ``machine`` while an ending is being made durable.
        var visibleStatus: OperationStatus = .pending
        var priority: OperationPriority = .normal
        var phase: String?
        var message: String?
        var attempt = 0
        var pid: Int32?
        /// The process whose cost is measured; unlike `pid` it can't be taken for a later one.
        var process: ProcessIdentity?
        var processGroup: ProcessIdentity?
        var failure: OperationFailure?
        var node: String?
        var startedBy: String?
        var uniqueKey: String?

        /// Its service ends and leaves it as it is for the next one, so nothing changes it any more.
        var isLeft = false

        /// How the work pauses; decided by its provider.
        var pausing = ProviderTraits.Pausing.inPlace
        /// Whether the work keeps to a bandwidth limit, as its provider says; else it does once it has asked for its limiter.
        var isThrottleable = false
        var limiter: BandwidthLimiter?

        /// The operations that own a part of this one's progress.
        var children: [Child] = []
        /// The amounts at the end: what late work still reports changes nothing.
        var endAmounts: Amounts?
        var shownPercent = 0.0
        var reportedPercent: Double?
        var rewound: Int64 = 0
        var present: Int64 = 0

        var startedAt: Int64?
        var updatedAt: Int64
        var finishedAt: Int64?
        /// Active time up to the last pause, and since when it has been running again.
        var activeNanoseconds: Int64 = 0
        var runningSince: Int64?

        var estimator = RemainingTimeEstimator()
        var remaining: RemainingTime?
        var isOverdue: Bool?
        var phases = PhaseLog()
        /// By what past runs have been looked up; `nil` before that.
        var compared: ComparisonKey?
        /// When, on the monotonic clock, the work can be done at the earliest, as it says itself.
        var earliestEnd: Int64?
        var resources = ResourceImpact.unknown
        var peakMemory: Int64 = 0
        /// The part of the registry's totals that is this operation's.
        var countedCost = CountedCost()
        var lastTick = TickMark()
        /// Something beside the hot atomics has changed since the last tick.
        var isDirty = false

        var payload: Payload?
        var control = Control()

        init(machine: OperationStateMachine, updatedAt: Int64) {
            self.machine = machine
            self.updatedAt = updatedAt
        }

        mutating func begin(at time: CellTime) {
            startedAt = startedAt ?? time.wall
            runningSince = time.monotonic
            attempt = max(attempt, 1)
        }

        mutating func stopClock(at time: CellTime) {
            guard let since = runningSince else { return }
            activeNanoseconds += max(0, time.monotonic - since)
            runningSince = nil
        }

        /// Whether the work is to end now and to begin again later.
        var isToPauseByRestart: Bool { machine.pendingRequest == .pause && pausing == .byRestart }

        /// Whether nothing moves: it has paused, or it has not begun and is held back.
        var standsStill: Bool {
            machine.status == .paused || (machine.status == .pending && machine.pendingRequest == .pause)
        }

        /// Whether work that ended in an error did so only to begin again after a pause. It is asked once an end.
        mutating func takeStopToPause() -> Bool {
            defer { control.isStoppedToPause = false }
            return machine.status.isActive && machine.pendingRequest != .cancel
                && (control.isStoppedToPause || isToPauseByRestart)
        }

        func activeSeconds(at monotonic: Int64) -> Double? {
            guard startedAt != nil else { return nil }
            let running = runningSince.map { max(0, monotonic - $0) } ?? 0
            return Double(activeNanoseconds + running) / 1e9
        }
    }

    /// An amount done of a whole; the whole is negative while unknown.
    struct Amounts: Sendable {
        var completed: Int64
        var total: Int64

        /// 0 to 1; 0 while the whole is unknown.
        var share: Double { total > 0 ? min(1, max(0, Double(completed) / Double(total))) : 0 }
    }

    /// A part of an operation, and the part of its progress that it owns; none when that is empty.
    struct Child: Sendable {
        let cell: OperationCell
        let band: Range<Double>
    }

    /// What few operations have, kept apart so that the others don't pay for its room.
    struct Payload: Sendable {
        var request: [UInt8]?
        var result: [UInt8]?
        var resumeState: [UInt8]?
        var retry: RetryPolicy?
    }

    /// How the work is reached.
    struct Control: Sendable {
        /// Stops the work, wherever it waits.
        var cancelWork: (@Sendable () -> Void)?
        /// The work's task was cancelled before it ended.
        var wasWorkCancelled = false
        /// The work was stopped to be begun again after a pause.
        var isStoppedToPause = false
        /// Tells the one who decides when the work begins that the wish has changed.
        var signalOwner: (@Sendable () -> Void)?
        /// Whether the work doesn't run, and somebody decides when it begins.
        var isAtRest: Bool { signalOwner != nil && cancelWork == nil }
        /// Tasks of the work that stand at a checkpoint, or wait beside running work, until the wish changes.
        var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextTicket: UInt64 = 0
    }

    /// What the ticker saw last.
    struct TickMark: Sendable {
        var completed: Int64 = 0
        var total: Int64 = -1
        var present: Int64 = 0
        var monotonic: Int64?
        var recordedAt: Int64 = 0
        /// Smoothed bits a second.
        var bitRate = 0.0
    }
}
