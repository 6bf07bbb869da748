/// Why an operation failed: a code that programs read and a sentence that people act on.
///
/// Keys, tokens and signatures never go into a failure: it is published, stored and logged.
public struct OperationFailure: Error, Sendable, Hashable, Codable, CustomStringConvertible {
    /// A short, stable name for a kind of failure. New codes may appear, so treat an unknown one as final.
    public struct Code: RawRepresentable, Sendable, Hashable, Codable, CustomStringConvertible {
        /// The name.
        public let rawValue: String

        /// Takes a code's name: lower-case letters, digits and `_`.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The name.
        public var description: String { rawValue }
    }

    /// The kind of failure.
    public var code: Code
    /// What happened and what to do about it, in a sentence.
    public var message: String
    /// When the other side said it may be tried again, from now; `nil` when it said nothing.
    public var retryAfter: Duration?

    /// Makes a failure.
    public init(_ code: Code, _ message: String, retryAfter: Duration? = nil) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    /// The code and the sentence.
    public var description: String { "\(code): \(message)" }
}

extension OperationFailure.Code {
    /// The process that ran the operation ended before the operation did.
    public static let interrupted = Self(rawValue: "interrupted")
    /// The request can't be carried out as given.
    public static let invalidRequest = Self(rawValue: "invalid_request")
    /// It needs more than the machine has in all.
    public static let neverFits = Self(rawValue: "never_fits")
    /// The provider threw an error that says nothing about its kind.
    public static let providerError = Self(rawValue: "provider_error")
    /// The host's name could not be resolved.
    public static let hostNotFound = Self(rawValue: "host_not_found")
    /// Nothing listens at the address.
    public static let connectionRefused = Self(rawValue: "connection_refused")
    /// The connection broke before the answer was complete.
    public static let connectionLost = Self(rawValue: "connection_lost")
    /// A time limit passed.
    public static let timeout = Self(rawValue: "timeout")
    /// Nothing moved for too long.
    public static let stalled = Self(rawValue: "stalled")
    /// What was asked for is not there.
    public static let notFound = Self(rawValue: "not_found")
    /// The credentials are missing, wrong or not enough.
    public static let unauthorized = Self(rawValue: "unauthorized")
    /// The other side has a fault of its own (HTTP 5xx).
    public static let serverError = Self(rawValue: "server_error")
    /// The other side asks to be called less often (HTTP 429).
    public static let rateLimited = Self(rawValue: "rate_limited")
    /// The other side answered with something that its protocol doesn't allow.
    public static let protocolError = Self(rawValue: "protocol_error")
    /// What arrived is not what was promised: a checksum or a length differs.
    public static let integrityError = Self(rawValue: "integrity_error")
    /// There is no room left on a disk.
    public static let diskFull = Self(rawValue: "disk_full")
    /// A file or folder could not be read or written, for another reason than a full disk.
    public static let storageError = Self(rawValue: "storage_error")
    /// What was to be made is there already.
    public static let alreadyExists = Self(rawValue: "already_exists")
    /// Somebody else is at it already.
    public static let inUse = Self(rawValue: "in_use")
}

/// An error that knows which failure it is. A provider's own error types conform to keep their code in the history.
public protocol OperationFailureConvertible: Error {
    /// The failure to record.
    var operationFailure: OperationFailure { get }
}

extension OperationFailure: OperationFailureConvertible {
    /// Itself.
    public var operationFailure: OperationFailure { self }

    /// The failure to record for any error.
    init(recording error: any Error) {
        if let known = error as? any OperationFailureConvertible {
            self = known.operationFailure
            message = message.bounded(toBytes: 4000)
        } else {
            let text = String(describing: error).bounded(toBytes: 1000).withoutURLSecrets
            self.init(.providerError, "\(type(of: error)): \(text)")
        }
    }
}
