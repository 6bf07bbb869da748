package import OperationTracking

/// An answer, for a server to send.
public struct APIResponse: Sendable {
    /// What is sent after the header.
    public enum Body: Sendable {
        /// All of it. A server sends its length as `Content-Length`, and in answer to `HEAD` the length alone.
        case bytes([UInt8])
        /// Pieces that come as things happen, until the stream ends.
        case stream(APIStream)
    }

    /// The status code.
    public var status: Int
    /// The header fields, without those that belong to the connection or say the length.
    public var headers: [APIHeader]
    /// The body.
    public var body: Body
    /// What is not sent though the head tells of it: the body of which a 304 says that the client has it, or that of an answer to
    /// `HEAD` that isn't even made.
    package var unsentBody: UnsentBody?

    package enum UnsentBody: Sendable {
        case length(Int)
        /// Nobody knows how long it would be.
        case stream
    }

    /// Makes an answer.
    public init(status: Int = 200, headers: [APIHeader] = [], body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The value of a header field; `nil` when there is none.
    package func header(_ name: String) -> String? {
        headers.first { $0.isNamed(name) }?.value
    }
}

extension APIResponse {
    static let jsonHeaders = [
        APIHeader("Content-Type", "application/json"), APIHeader("Cache-Control", "no-store"),
    ]

    /// JSON that is to be asked for anew each time.
    package static func json(_ bytes: [UInt8], status: Int = 200) -> APIResponse {
        APIResponse(status: status, headers: jsonHeaders, body: .bytes(bytes))
    }

    /// A JSON object, written by `fields`.
    package static func json(
        status: Int = 200,
        capacity: Int = 256,
        _ fields: (inout JSONWriter) throws -> Void
    ) rethrows -> APIResponse {
        let bytes = try JSONWriter.bytes(capacity: capacity) { json in
            json.beginObject()
            try fields(&json)
            json.endObject()
        }
        return .json(bytes, status: status)
    }
}
