/// Why a transfer failed.
public struct TransferError: Error, Sendable, Hashable {
    /// What kind of failure it is.
    public let code: Code
    /// A sentence a person can act on. It names the host and port, and never credentials, a query string or a header's value.
    public let message: String

    /// A failure.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// A kind of failure. There may be more of them in a later version.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The name on the wire, in snake_case.
        public let rawValue: String

        /// The kind named `rawValue`.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The URL can't be understood, or holds a character that has no place in one.
        public static let invalidURL = Code(rawValue: "invalid_url")
        /// The method or a header can't be sent as it is.
        public static let invalidRequest = Code(rawValue: "invalid_request")
        /// The URL, or one it redirects to, is neither `http` nor `https`.
        public static let unsupportedScheme = Code(rawValue: "unsupported_scheme")
        /// The host, or the proxy's, has no address.
        public static let hostNotFound = Code(rawValue: "host_not_found")
        /// The host is there, and nothing listens on the port.
        public static let connectionRefused = Code(rawValue: "connection_refused")
        /// The connection could not be made for another reason.
        public static let connectionFailed = Code(rawValue: "connection_failed")
        /// The connection ended before the answer did.
        public static let connectionLost = Code(rawValue: "connection_lost")
        /// No connection within ``HTTPTimeouts/connect``.
        public static let timeoutConnect = Code(rawValue: "timeout_connect")
        /// Slower than ``HTTPTimeouts/lowSpeed``.
        public static let timeoutStalled = Code(rawValue: "timeout_stalled")
        /// Not done within ``HTTPTimeouts/total``.
        public static let timeoutTotal = Code(rawValue: "timeout_total")
        /// No secure connection: the handshake failed, or the certificate is not trusted.
        public static let tlsFailed = Code(rawValue: "tls_failed")
        /// More redirects than ``HTTPRequest/maximumRedirects``.
        public static let tooManyRedirects = Code(rawValue: "too_many_redirects")
        /// A line longer than the limit given to the reader of lines.
        public static let lineTooLong = Code(rawValue: "line_too_long")
        /// A body larger than the limit given to ``HTTPBody/collect(upTo:)``.
        public static let bodyTooLarge = Code(rawValue: "body_too_large")
        /// Anything else, the shut-down of the transport included.
        public static let transportFailed = Code(rawValue: "transport_failed")
    }
}

extension TransferError: CustomStringConvertible {
    /// The message.
    public var description: String { message }
}
