public import OperationTracking

/// Why a service, a port or a process is not as it was wanted: a code that programs read and a sentence that people act on.
public struct ServiceError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A short, stable name for a kind of error. New codes may appear.
    public struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        /// The name.
        public let rawValue: String

        /// Takes a code's name: lower-case letters, digits and `_`.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The name.
        public var description: String { rawValue }

        /// The system doesn't say, or doesn't do, what was asked of it.
        public static let system = Code(rawValue: "system")
        /// The registry's file is no valid registry.
        public static let invalidRegistry = Code(rawValue: "invalid_registry")
        /// A definition of a service has something wrong.
        public static let invalidService = Code(rawValue: "invalid_service")
        /// No service has this name.
        public static let unknownService = Code(rawValue: "unknown_service")
        /// A service with this name is there already.
        public static let duplicateService = Code(rawValue: "duplicate_service")
        /// It may not be done: by this user, to this process, or by this way.
        public static let notPermitted = Code(rawValue: "not_permitted")
        /// Another program watches over it, and is to be asked instead.
        public static let supervised = Code(rawValue: "supervised")
        /// The port came free and was taken again.
        public static let takenAgain = Code(rawValue: "taken_again")
        /// A process doesn't end, even by force.
        public static let notEnded = Code(rawValue: "not_ended")
        /// The service has no port, or no command, for what was asked.
        public static let notPossible = Code(rawValue: "not_possible")
        /// The service is disabled.
        public static let disabled = Code(rawValue: "disabled")
        /// Something else is being done to the service.
        public static let busy = Code(rawValue: "busy")
        /// Another process holds the service's port.
        public static let portConflict = Code(rawValue: "port_conflict")
        /// What was started has ended.
        public static let startFailed = Code(rawValue: "start_failed")
        /// It took too long.
        public static let timeout = Code(rawValue: "timeout")
        /// No port is free.
        public static let noPort = Code(rawValue: "no_port")
        /// The controller has been shut down.
        public static let closed = Code(rawValue: "closed")
    }

    /// The kind of error.
    public let code: Code
    /// What is wrong and what to do about it, in a sentence.
    public let message: String

    /// Makes an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The sentence.
    public var description: String { message }
}

extension ServiceError: OperationFailureConvertible {
    /// The failure of an operation that ended with this error.
    public var operationFailure: OperationFailure {
        OperationFailure(OperationFailure.Code(rawValue: code.rawValue), message)
    }
}
