extension OperationCell {
    /// What is behind the cell's lock.
    ///
    /// There may be a hundred thousand of it. So what few operations have is in a ``LazyBox``, and what takes a byte stands
    /// where the number before it leaves some free.
    struct State: Sendable {
        var estimator = RemainingTimeEstimator()
        /// The true state. Once it is terminal nothing can change the operation any more.
        var machine: OperationStateMachine
        /// What readers see. It stays behind ``machine`` while an ending is being made durable.
        var visibleStatus: OperationStatus
        var priority: OperationPriority = .normal
        /// How the work pauses; decided by its provider.
        var pausing = ProviderTraits.Pausing.inPlace
        /// Its service ends and leaves it as it is for the next one, so nothing changes it any more.
        var isLeft = false
        /// Whether the work keeps to a bandwidth limit, as its provider says; else it does once it has asked for its limiter.
        var isThrottleable = false

        var startedAt: Int64?
        /// Something beside the hot atomics has changed since the last tick.
        var isDirty = false
        private(set) var isRunning = false
        var hasTicked = false
        private var attempts: Int32 = 0
        var updatedAt: Int64
        /// While it runs, the moment at which it would have begun without pauses; else its active time up to the last pause.
        private var activeMark: Int64 = 0
        var phases = PhaseLog()
        /// By what past runs have been looked up: what else they are compared by never changes.
        var compared: ComparisonKey?
        /// When its row was written last, in seconds of the monotonic clock.
        var recordedSecond: Int32 = 0

        var phase: String?
        var message: String?
        var shownPercent = 0.0
        /// The amount at the end, which late work doesn't change any more; negative before.
        var endCompleted: Int64 = -1
        var lastTick = TickMark()
        /// Bits a second; not a number while unknown.
        private var network = Double.nan
        /// The part of the registry's totals that is this operation's transfer.
        var countedNetwork: Int64 = 0

        var orders = LazyBox<Orders>()
        var extras = LazyBox<Extras>()
        var controls = LazyBox<Control>()

        init(machine: OperationStateMachine, updatedAt: Int64) {
            self.machine = machine
            visibleStatus = machine.status
            self.updatedAt = updatedAt
        }

        var attempt: Int {
            get { Int(attempts) }
            set { attempts = Int32(clamping: newValue) }
        }

        var networkBitsPerSecond: Double? {
            get { network.isNaN ? nil : network }
            set { network = newValue ?? .nan }
        }

        /// When it ended: nothing changes it after that.
        var finishedAt: Int64? { machine.status.isTerminal ? updatedAt : nil }

        var isOverdue: Bool? { estimator.isOverdue }

        var remaining: RemainingTime? {
            guard !machine.status.isTerminal else { return nil }
            // All that was counted is done and yet the work goes on: nobody knows for how long.
            let estimate = estimator.estimate == .done ? nil : estimator.estimate
            return estimate.held(for: hold)
        }

        mutating func begin(at time: CellTime) {
            startedAt = startedAt ?? time.wall
            activeMark = time.monotonic - activeMark
            isRunning = true
            attempt = max(attempt, 1)
        }

        mutating func stopClock(at time: CellTime) {
            guard isRunning else { return }
            activeMark = max(0, time.monotonic - activeMark)
            isRunning = false
        }

        /// Whether the work is to end now and to begin again later.
        var isToPauseByRestart: Bool { machine.pendingRequest == .pause && pausing == .byRestart }

        /// Whether work that ended in an error did so only to begin again after a pause. It is asked once an end.
        mutating func takeStopToPause() -> Bool {
            defer { control.isStoppedToPause = false }
            return machine.status.isActive && machine.pendingRequest != .cancel
                && (control.isStoppedToPause || isToPauseByRestart)
        }

        func activeSeconds(at monotonic: Int64) -> Double? {
            guard startedAt != nil else { return nil }
            return Double(isRunning ? max(0, monotonic - activeMark) : activeMark) / 1e9
        }

        /// Active time of work that doesn't run.
        var activeNanoseconds: Int64 {
            get { activeMark }
            set { activeMark = newValue }
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

        /// Whether it says anything.
        var isThere: Bool {
            cancelWork != nil || signalOwner != nil || wasWorkCancelled || isStoppedToPause || nextTicket > 0
        }
    }

    /// What the ticker saw last.
    struct TickMark: Sendable {
        /// What had been done beside what was there before.
        var gained: Int64 = 0
        /// Smoothed bits a second.
        var bitRate = 0.0
        var monotonic: Int64 = 0
    }
}
