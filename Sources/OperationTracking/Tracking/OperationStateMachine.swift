/// The life of one operation as a pure value: an event in, the new state and what is to be done out.
///
/// It has no clock, no lock and does nothing itself; ``OperationCell`` carries the actions out. A wish (pause, resume,
/// cancel) is kept apart from the status, since the work needs time to follow it.
struct OperationStateMachine: Sendable, Hashable {
    /// What can happen to an operation.
    enum Event: Sendable, Hashable, CaseIterable {
        /// Somebody wants the work to pause, to go on, to stop for good.
        case requestPause, requestResume, requestCancel
        /// The work runs: it has begun, or gone on after a pause.
        case run
        /// The work has really paused.
        case pause
        /// The work has ended: at its goal, in an error, or because it was asked to stop.
        case complete, fail, stop
    }

    /// What the shell is to do, outside any lock and in the order of declaration.
    struct Actions: OptionSet, Sendable, Hashable {
        let rawValue: UInt8
        /// Tell the work, and the one who runs it, that the wish has changed, or that it has paused or goes on.
        static let signalWork = Actions(rawValue: 1)
        /// Hand the new state to the history.
        static let record = Actions(rawValue: 2)
        /// Tell subscribers.
        static let announce = Actions(rawValue: 4)
        /// The status is terminal: make it durable, then visible.
        static let finish = Actions(rawValue: 8)
    }

    private(set) var status: OperationStatus
    private(set) var pendingRequest: PendingRequest?

    init(_ status: OperationStatus = .pending, pendingRequest: PendingRequest? = nil) {
        self.status = status
        self.pendingRequest = pendingRequest
    }

    /// Takes one event. An illegal one throws and changes nothing; one that asks for what already is does nothing.
    mutating func apply(_ event: Event) throws(OperationError) -> Actions {
        switch event {
        case .requestPause: return try request(.pause, leadingTo: .paused)
        case .requestResume: return try request(.resume, leadingTo: .inProgress)
        case .requestCancel: return try request(.cancel, leadingTo: .cancelled)
        case .run:
            // What is held back doesn't begin.
            if status == .pending, pendingRequest == .pause { throw .held }
            return try step(to: .inProgress, fulfilling: .resume)
        case .pause: return try step(to: .paused, fulfilling: .pause)
        case .complete: return try step(to: .completed, fulfilling: nil)
        case .fail: return try step(to: .failed, fulfilling: nil)
        case .stop: return try step(to: .cancelled, fulfilling: .cancel)
        }
    }

    private mutating func request(
        _ wish: PendingRequest,
        leadingTo goal: OperationStatus
    ) throws(OperationError) -> Actions {
        guard status != goal || status == .inProgress || status == .paused else { return [] }
        guard status.isActive else { throw .invalidTransition(from: status, to: goal) }
        if wish == .cancel, status == .pending { return try step(to: .cancelled, fulfilling: .cancel) }
        guard pendingRequest != wish else { return [] }
        guard pendingRequest != .cancel else { throw .beingCancelled(insteadOf: wish) }

        // A wish for what already is withdraws the opposite wish, if there is one.
        let isFulfilled =
            switch wish {
            case .pause: status == .paused
            case .resume: status == .inProgress || status == .pending
            case .cancel: false
            }
        if isFulfilled {
            guard pendingRequest != nil else { return [] }
            pendingRequest = nil
        } else {
            pendingRequest = wish
        }
        return status == .pending ? [.signalWork, .record, .announce] : [.signalWork, .announce]
    }

    private mutating func step(
        to next: OperationStatus,
        fulfilling wish: PendingRequest?
    ) throws(OperationError) -> Actions {
        guard status != next else { return [] }
        guard status.canBecome(next) else { throw .invalidTransition(from: status, to: next) }
        // Others than the work may take these steps: a whole follows its parts.
        let pausesOrGoesOn = status == .paused || next == .paused
        status = next
        if next.isTerminal {
            pendingRequest = nil
            return .finish
        }
        if pendingRequest == wish { pendingRequest = nil }
        return pausesOrGoesOn ? [.signalWork, .record, .announce] : [.record, .announce]
    }
}

extension OperationError {
    static let held = OperationError(
        .invalidTransition,
        "The operation is held back and can't begin: resume it first."
    )

    static func beingCancelled(insteadOf wish: PendingRequest) -> OperationError {
        OperationError(.invalidTransition, "The operation is being cancelled: it can't \(wish.rawValue) any more.")
    }
}
