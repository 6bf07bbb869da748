public import OperationTracking

/// One HTTP request, with its body in memory.
///
/// The description names the method and the host alone: a URL and a header may carry credentials.
public struct HTTPRequest: Sendable {
    /// The method.
    public var method: HTTPMethod
    /// The absolute URL, `http` or `https`. A user and password in it are sent as basic authentication.
    public var url: String
    /// The fields to send beside those the transport adds (`Host`, `Accept`, `User-Agent`, `Content-Length`); a field given here
    /// takes the place of the transport's own. `Content-Length` and `Transfer-Encoding` follow from the body and are refused.
    ///
    /// A redirect to another host is not given `Authorization` and `Cookie`, but is given all others.
    public var headers: HTTPHeaders
    /// The body, sent with its length. Empty for none.
    public var body: [UInt8]
    /// How long the parts of the transfer may take.
    public var timeouts: HTTPTimeouts
    /// How many redirects to follow, within `http` and `https`; one more is ``TransferError/Code/tooManyRedirects``.
    /// With 0 a redirect is an answer like any other.
    public var maximumRedirects: Int
    /// What the answer's body may be read at; `nil` for no limit. The sender is held to it too, since no more than a quarter of a
    /// second's worth is received ahead (but at least some 32 KiB, and what the system's buffers hold).
    public var limiter: BandwidthLimiter?

    /// A request. Nothing is checked before it is sent.
    public init(
        _ method: HTTPMethod = .get,
        url: String,
        headers: HTTPHeaders = [:],
        body: [UInt8] = [],
        timeouts: HTTPTimeouts = .default,
        maximumRedirects: Int = 0,
        limiter: BandwidthLimiter? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeouts = timeouts
        self.maximumRedirects = maximumRedirects
        self.limiter = limiter
    }
}

extension HTTPRequest: CustomStringConvertible {
    /// The method, and the host and port.
    public var description: String {
        let endpoint = (try? Endpoint(url: url).description) ?? "an invalid URL"
        return "\(method.rawValue) \(endpoint)"
    }
}
