/// Why a server can't start, and what to do about it.
public struct ServerError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A short, stable name for a kind of trouble. New codes may appear.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The name.
        public let rawValue: String

        /// Takes a code's name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The host is no address of this machine, or no name for one.
        public static let invalidHost = Code(rawValue: "invalid_host")
        /// Others could reach the server, and there is no token to keep them out.
        public static let tokenRequired = Code(rawValue: "token_required")
        /// Somebody listens on the port already.
        public static let portInUse = Code(rawValue: "port_in_use")
        /// The system doesn't let this user listen there.
        public static let permissionDenied = Code(rawValue: "permission_denied")
        /// The system can't do it for another reason.
        public static let cannotListen = Code(rawValue: "cannot_listen")
    }

    /// The kind of trouble.
    public let code: Code
    /// What happened and what to do, in a sentence.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The sentence.
    public var description: String { message }
}
