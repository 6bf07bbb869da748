#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// One operation as it was at one moment: an immutable snapshot.
///
/// This is what a tracker hands out, what events carry, what history keeps, and what goes over the wire (see
/// ``jsonBytes()``).
public struct BackgroundOperation: Sendable, Hashable, Identifiable {
    /// Its public name.
    public var id: OperationID
    /// What kind of work it is.
    public var type: OperationType
    /// What it does, for people.
    public var description: String
    /// Where it is in its life.
    public var status: OperationStatus
    /// A wish that has not yet taken effect.
    public var pendingRequest: PendingRequest?
    /// How urgently it is wanted while it waits.
    public var priority: OperationPriority
    /// The operation it is a part of.
    public var parentID: OperationID?
    /// The part of the work it is in, such as `downloading`; `nil` when the work has no parts.
    public var phase: String?
    /// The latest word from the work, for people.
    public var message: String?
    /// How often the work has been begun; 1 for the first try, 0 while it has never run.
    public var attempt: Int
    /// How far it is.
    public var progress: OperationProgress
    /// How long it may still take; `nil` when there is nothing to say.
    public var remaining: RemainingTime?
    /// Whether it has taken longer already than 95 % of the past runs of its type most like it; `nil` while too few are
    /// known, and once it has ended.
    public var isOverdue: Bool?
    /// What it costs the machine now.
    public var resources: ResourceImpact
    /// The process that does the work, when that is a process of its own.
    public var pid: Int32?
    /// Why it failed; while it is active, an error that its client has reported without ending it; else `nil`.
    public var failure: OperationFailure?
    /// When it became known.
    public var createdAt: Date
    /// When its work began; `nil` while pending.
    public var startedAt: Date?
    /// When anything about it last changed.
    public var updatedAt: Date
    /// When it ended; `nil` while active.
    public var finishedAt: Date?
    /// Time spent in progress, on a monotonic clock and without pauses, in seconds; `nil` before it began. Of what failed as
    /// ``OperationFailure/Code/interrupted``, as far as it was written before.
    public var activeSeconds: Double?
    /// The machine or container that runs it; `nil` where there is one only.
    public var node: String?
    /// What it may transfer at most, in bytes a second, the limit of all operations together left out; `nil` for no limit of its
    /// own, once it has ended, and in a history.
    public var bandwidthLimit: Int64?

    /// Makes a snapshot. Trackers and stores do this; others receive them.
    public init(id: OperationID, type: OperationType, description: String, status: OperationStatus, createdAt: Date) {
        self.id = id
        self.type = type
        self.description = description
        self.status = status
        self.priority = .normal
        self.attempt = 0
        self.progress = OperationProgress()
        self.resources = .unknown
        self.createdAt = createdAt
        self.updatedAt = createdAt
    }
}

extension BackgroundOperation {
    /// Mean rate over the time spent in progress, in units a second, not counting what was already there at the start;
    /// `nil` before there is any.
    public var meanRate: Double? {
        guard let activeSeconds, activeSeconds > 0 else { return nil }
        let done = progress.completedUnits - progress.presentUnits
        return done > 0 ? Double(done) / activeSeconds : nil
    }
}
