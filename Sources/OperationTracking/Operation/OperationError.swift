/// What a tracker or a runner refuses to do, and why.
public struct OperationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A short, stable name for a kind of refusal. New codes may appear.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The name.
        public let rawValue: String

        /// Takes a code's name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The state machine has no such step.
        public static let invalidTransition = Code(rawValue: "invalid_transition")
        /// No operation has this id.
        public static let unknownOperation = Code(rawValue: "unknown_operation")
        /// An operation with this id exists already.
        public static let duplicateOperation = Code(rawValue: "duplicate_operation")
        /// The tracker, or the runner, has been closed and takes no more work.
        public static let closed = Code(rawValue: "closed")
        /// The operation's provider can't pause its work.
        public static let cannotPause = Code(rawValue: "cannot_pause")
        /// The operation's work keeps to no bandwidth limit.
        public static let cannotThrottle = Code(rawValue: "cannot_throttle")
        /// As many operations wait as may wait.
        public static let queueFull = Code(rawValue: "queue_full")
        /// The machine can't carry the operation now, or never can.
        public static let overloaded = Code(rawValue: "overloaded")
        /// The operation needs more than the machine has in all.
        public static let neverFits = Code(rawValue: "never_fits")
        /// No provider is known for a type.
        public static let unknownProvider = Code(rawValue: "unknown_provider")
        /// A value is outside its range.
        public static let invalidValue = Code(rawValue: "invalid_value")
    }

    /// The kind of refusal.
    public let code: Code
    /// What was refused and what to do, in a sentence.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The sentence.
    public var description: String { message }

    static func invalidTransition(from: OperationStatus, to: OperationStatus) -> OperationError {
        let reason =
            from.isTerminal
            ? "it has ended and can't change any more"
            : "only a step that its status allows can follow"
        return OperationError(
            .invalidTransition,
            "An operation that is \(from.rawValue) can't become \(to.rawValue): \(reason)."
        )
    }

    static func unknownOperation(_ id: OperationID) -> OperationError {
        OperationError(
            .unknownOperation,
            "No active operation has the id \(id.rawValue): list the operations to see which exist."
        )
    }

    static func duplicateOperation(_ id: OperationID) -> OperationError {
        OperationError(
            .duplicateOperation,
            "An operation with the id \(id.rawValue) exists already: choose another id or leave it out."
        )
    }

    static func cannotPause(_ type: OperationType) -> OperationError {
        OperationError(.cannotPause, "Operations of the type \(type) can't pause: cancel it, or let it run.")
    }

    static func cannotThrottle(_ type: OperationType) -> OperationError {
        OperationError(
            .cannotThrottle,
            "Operations of the type \(type) can't be throttled: pause it instead, or limit whatever transfers for it."
        )
    }

    static let closed = OperationError(.closed, "The tracker has been closed and takes no more work.")
    static let runnerClosed = OperationError(
        .closed,
        "The runner has been shut down: it takes no more work, and sees to no more of what it has taken."
    )
}
