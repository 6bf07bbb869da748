import OperationTracking

/// A refusal, sent as `application/problem+json` (RFC 9457) with `detail` as the original system's errors had it, and `code`
/// for programs.
package struct APIProblem: Error, Sendable {
    package var status: Int
    package var code: String
    package var detail: String
    package var headers: [APIHeader]

    package init(_ status: Int, _ code: String, _ detail: String, headers: [APIHeader] = []) {
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers
    }

    package var response: APIResponse {
        var json = JSONWriter(capacity: 256)
        json.beginObject()
        json.key("type")
        json.value("about:blank")
        json.key("title")
        json.value(Self.title(of: status))
        json.key("status")
        json.value(status)
        json.key("detail")
        json.value(detail)
        json.key("code")
        json.value(code)
        json.endObject()
        let type = [
            APIHeader("Content-Type", "application/problem+json"), APIHeader("Cache-Control", "no-store"),
        ]
        return APIResponse(status: status, headers: type + headers, body: .bytes(json.bytes))
    }

    /// What a status is called.
    package static func title(of status: Int) -> String { titles[status] ?? "Error" }

    private static let titles = [
        400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
        409: "Conflict", 413: "Content Too Large", 414: "URI Too Long", 415: "Unsupported Media Type",
        422: "Unprocessable Content", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
        500: "Internal Server Error", 503: "Service Unavailable",
    ]
}

extension APIProblem {
    package static func malformed(_ detail: String) -> APIProblem { APIProblem(400, "malformed", detail) }
    package static func invalid(_ detail: String) -> APIProblem { APIProblem(422, "invalid_value", detail) }
    static let stopping = APIProblem(
        503,
        "closed",
        "The server is stopping: ask again when it is back.",
        headers: [APIHeader("Retry-After", "5")]
    )
    package static func notFound(_ detail: String) -> APIProblem { APIProblem(404, "not_found", detail) }

    /// What any error of a handler becomes.
    package init(_ error: any Error) {
        switch error {
        case let problem as APIProblem: self = problem
        case let error as OperationError: self.init(error)
        case let error as HistoryError: self.init(error)
        case is CancellationError: self = .stopping
        // What the error says may tell of the inside.
        default:
            self.init(
                500,
                "internal",
                "Something went wrong inside the server: look whether it was done before you ask again."
            )
        }
    }

    private init(_ error: OperationError) {
        let status =
            switch error.code {
            case .unknownOperation, .unknownProvider: 404
            case .invalidTransition, .duplicateOperation, .cannotPause, .cannotThrottle: 409
            case .queueFull: 429
            case .closed, .overloaded: 503
            default: 422
            }
        let later = status == 429 || status == 503
        self.init(status, error.code.rawValue, error.message, headers: later ? [APIHeader("Retry-After", "5")] : [])
    }

    private init(_ error: HistoryError) {
        if error.code == .invalidCursor {
            self.init(422, error.code.rawValue, error.message)
        } else if error.code == .busy {
            self.init(429, error.code.rawValue, error.message, headers: [APIHeader("Retry-After", "5")])
        } else {
            let detail = "The history can't be read now: ask again later, and see /health for the reason."
            self.init(503, error.code.rawValue, detail, headers: [APIHeader("Retry-After", "5")])
        }
    }
}
