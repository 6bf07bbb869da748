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
