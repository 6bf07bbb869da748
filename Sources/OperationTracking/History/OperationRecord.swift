/// What history keeps of one operation.
public struct OperationRecord: Sendable, Hashable {
    /// The operation itself.
    public var operation: BackgroundOperation
    /// What was asked for, as JSON; `nil` when the operation has no request. At most ``payloadLimit`` bytes.
    public var request: [UInt8]?
    /// What came out, as JSON; `nil` unless the operation is completed and has a result. At most ``payloadLimit`` bytes.
    public var result: [UInt8]?
    /// What the provider needs to go on where it stopped, as it saved it. At most ``payloadLimit`` bytes.
    public var resumeState: [UInt8]?
    /// The leader of the process group or session that the operation runs in, when it has one of its own: what is left of it
    /// is ended when its owner is gone.
    public var processGroup: ProcessIdentity?
    /// Equal for requests that ask for the same work; at most one active operation of a store has it. `nil` for none.
    public var uniqueKey: String?
    /// The part of its parent's progress that is the operation's, within 0 to 1; `nil` for none.
    public var band: Range<Double>?
    /// When a failed try is followed by another; `nil` when nobody said.
    public var retry: RetryPolicy?
    /// The most resident memory in bytes that was measured; `nil` when none was.
    public var peakMemoryBytes: Int64?
    /// The phases of a completed operation in their order; empty where it had none.
    public var phases: [PhaseTime] = []
    /// How the times remaining that were shown of a completed operation have held; `nil` where none were judged.
    public var accuracy: EstimateAccuracy?
    /// What the width of the intervals was multiplied with, on a logarithmic scale, as the runs before had taught; `nil` where none
    /// were judged.
    public var estimateWidth: Double?
    /// What decides how long it takes, beside type and size (``OperationProvider/estimateFeature(of:)``); `nil` for nothing.
    public var estimateFeature: String?
    /// Whether the bytes that its amounts count were written to the data directory's file system, as its provider said.
    public var writesToDataDirectory = false
    /// Who started it, such as `wizard pull` or `http`; `nil` when nobody said.
    public var startedBy: String?

    /// The most bytes that are kept of a request, a result or a resume state.
    public static let payloadLimit = 65_536

    /// Makes a record.
    public init(operation: BackgroundOperation) {
        self.operation = operation
    }
}
