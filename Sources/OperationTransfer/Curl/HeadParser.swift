/// The status and fields of an answer.
struct ResponseHead: Sendable, Hashable {
    var status: Int
    var headers = HTTPHeaders()
}

/// Puts the head of the final answer together from the header lines that curl reports, one call a line.
///
/// curl reports every head there is: those of 1xx answers, of redirects it follows, and, after the body, a chunked body's trailers.
struct HeadParser {
    private let followsRedirects: Bool
    private var name = ""
    private var value = ""
    /// The head being put together; `nil` between heads.
    private var head: ResponseHead?
    private var isDone = false
    /// The status of the last head begun; `nil` before there was one.
    private(set) var lastStatus: Int?

    init(followsRedirects: Bool) {
        self.followsRedirects = followsRedirects
    }

    /// Takes in a line, its ending included.
    /// - Returns: the final answer's head, once, with the empty line that ends it.
    mutating func parse(_ line: UnsafeRawBufferPointer) -> ResponseHead? {
        guard !isDone else { return nil }
        let text = String(decoding: line, as: UTF8.self)
        if text.hasPrefix("HTTP/") {
            begin(statusLine: text)
        } else if text.utf8.allSatisfy({ $0.isHTTPWhitespace }) {
            return end()
        } else if let first = text.utf8.first, first.isHTTPWhitespace {
            // A folded line (RFC 9112, section 5.2) goes on with the value before it.
            value += " " + text.trimmingHTTPWhitespace()
        } else {
            endField()
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            name = String(parts[0]).trimmingHTTPWhitespace()
            value = parts.count > 1 ? String(parts[1]).trimmingHTTPWhitespace() : ""
        }
        return nil
    }

    private mutating func begin(statusLine: String) {
        let status = statusLine.split(separator: " ").dropFirst().first.flatMap { Int($0.prefix(3)) }
        lastStatus = status
        head = ResponseHead(status: status ?? 0)
        name = ""
    }

    private mutating func endField() {
        guard !name.isEmpty else { return }
        head?.headers.append(name: name, value: value)
        name = ""
    }

    private mutating func end() -> ResponseHead? {
        endField()
        guard let head, !isInterim(head) else { return nil }
        isDone = true
        return head
    }

    /// Whether another head will follow. What curl takes for a redirect is any 3xx with a `Location` that is not empty.
    private func isInterim(_ head: ResponseHead) -> Bool {
        switch head.status {
        case 100..<200: true
        case 300..<400: followsRedirects && head.headers["Location"]?.isEmpty == false
        default: false
        }
    }
}

extension UInt8 {
    fileprivate var isHTTPWhitespace: Bool {
        self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") || self == UInt8(ascii: "\r")
            || self == UInt8(ascii: "\n")
    }
}

extension String {
    fileprivate func trimmingHTTPWhitespace() -> String {
        let start = utf8.drop(while: \.isHTTPWhitespace)
        let end = start.lastIndex { !$0.isHTTPWhitespace }
        return end.flatMap { String(start[...$0]) } ?? ""
    }
}
