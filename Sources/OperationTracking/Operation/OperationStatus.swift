/// Where an operation is in its life. These six are all there are; nothing else is ever stored or sent as a status.
///
/// | from | may go to |
/// |---|---|
/// | `pending` | `inProgress`, `cancelled`, `failed` |
/// | `inProgress` | `paused`, `completed`, `failed`, `cancelled` |
/// | `paused` | `inProgress`, `cancelled`, `failed` |
/// | `completed`, `failed`, `cancelled` | nothing: they are terminal |
public enum OperationStatus: String, Sendable, Hashable, Codable, CaseIterable {
    /// Known, not yet begun: it waits in a queue.
    case pending
    /// Its work is running.
    case inProgress = "in_progress"
    /// Its work has really stopped for now and can go on.
    case paused
    /// Its work reached its end.
    case completed
    /// Its work ended in an error.
    case failed
    /// Its work was stopped because someone asked for it. This is not a failure.
    case cancelled

    /// Whether no further status can follow.
    public var isTerminal: Bool {
        switch self {
        case .completed, .failed, .cancelled: true
        case .pending, .inProgress, .paused: false
        }
    }

    /// Whether the operation still needs watching: the opposite of ``isTerminal``.
    public var isActive: Bool { !isTerminal }

    /// Whether the table above allows the step to `next`. Staying is no step, so it is not in the table.
    public func canBecome(_ next: OperationStatus) -> Bool {
        switch (self, next) {
        case (.pending, .inProgress), (.pending, .cancelled), (.pending, .failed),
            (.inProgress, .paused), (.inProgress, .completed), (.inProgress, .failed), (.inProgress, .cancelled),
            (.paused, .inProgress), (.paused, .cancelled), (.paused, .failed):
            true
        default:
            false
        }
    }
}

/// A wish that has been accepted and has not yet taken effect.
///
/// Pausing, resuming and cancelling take time: until the work has really followed, the status stays what it is and the
/// wish stands beside it.
public enum PendingRequest: String, Sendable, Hashable, Codable, CaseIterable {
    /// The work is to stop at its next checkpoint; on a pending operation: it is held back in the queue.
    case pause
    /// Paused work is to go on.
    case resume
    /// The work is to stop for good.
    case cancel
}

/// How urgently a queued operation is wanted.
public enum OperationPriority: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
    /// When nothing else waits.
    case low
    /// As usual.
    case normal
    /// Before what is usual.
    case high
    /// Before all others.
    case urgent

    var rank: Int64 {
        switch self {
        case .low: 0
        case .normal: 1
        case .high: 2
        case .urgent: 3
        }
    }

    /// Whether `left` is wanted less urgently than `right`.
    public static func < (left: OperationPriority, right: OperationPriority) -> Bool {
        left.rank < right.rank
    }
}
