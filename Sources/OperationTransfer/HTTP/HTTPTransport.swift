/// What sends HTTP requests: ``CurlTransport``, or a stand-in under test.
public protocol HTTPTransport: Sendable {
    /// Sends `request`, and returns once the head of the final answer is there. The body streams after that.
    ///
    /// Any status is an answer, not an error. Cancelling the task closes the connection.
    /// - Throws: ``TransferError``, or `CancellationError` when the task was cancelled.
    func send(_ request: HTTPRequest) async throws -> HTTPResponse
}

/// The answer to an ``HTTPRequest``.
public struct HTTPResponse: Sendable {
    /// The status code, 200 to 599.
    public let status: Int
    /// The fields of the answer's head, trailers not included.
    public let headers: HTTPHeaders
    /// The body, which is still arriving.
    public let body: HTTPBody

    /// An answer.
    public init(status: Int, headers: HTTPHeaders = [:], body: HTTPBody) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
