/// The path and the query of a request, decoded with care: what could be read in two ways is refused.
package struct RequestTarget: Sendable {
    /// The path as it came.
    package let path: String
    /// The host of a target in absolute form, which goes before the `Host` header (RFC 9112, 3.2.2); else `nil`.
    package let host: String?
    /// The query's names and values, decoded, in their order.
    package let query: [(name: String, value: String)]

    private static let limit = 8192
    private static let queryLimit = 64

    init(_ text: String) throws(APIProblem) {
        if let problem = Self.problem(withLengthOf: text) { throw problem }
        let (host, target) = Self.split(text)
        self.host = host
        guard target.utf8.first == UInt8(ascii: "/"), target.utf8.allSatisfy(Self.isAllowed) else {
            throw .malformed("The request's address is not a path of printable ASCII: percent-encode what it names.")
        }
        guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else {
            path = target
            query = []
            return
        }
        path = String(target[..<mark])
        query = try Self.query(target[target.utf8.index(after: mark)...])
    }

    /// The refusal of a target that is too long; `nil` for others.
    package static func problem(withLengthOf target: String) -> APIProblem? {
        guard target.utf8.count > limit else { return nil }
        return APIProblem(
            414,
            "target_too_long",
            "The request's address has more than \(limit) bytes: send long values in the body."
        )
    }

    /// Takes the host off a target in absolute form, as clients send it to a proxy and every server has to accept it.
    private static func split(_ target: String) -> (host: String?, rest: String) {
        guard target.utf8.first != UInt8(ascii: "/"), let scheme = target.firstRange(of: "://"),
            ["http", "https"].contains(target[..<scheme.lowerBound].lowercased())
        else { return (nil, target) }
        let rest = target[scheme.upperBound...]
        let path = rest.drop { $0 != "/" && $0 != "?" }
        let host = String(rest[..<path.startIndex])
        return (host, path.first == "/" ? String(path) : "/" + path)
    }

    /// The path's parts, decoded.
    func segments() throws(APIProblem) -> [String] {
        var segments: [String] = []
        for part in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            let segment = try Self.decoded(part.utf8, plusIsSpace: false)
            let isStep = segment == "." || segment == ".."
            guard !isStep, !segment.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }) else {
                throw .malformed("A part of the path is a step, or holds a slash: name what you mean directly.")
            }
            segments.append(segment)
        }
        return segments
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#")
    }

    private static func query(_ text: Substring) throws(APIProblem) -> [(name: String, value: String)] {
        var query: [(name: String, value: String)] = []
        for pair in text.utf8.split(separator: UInt8(ascii: "&")) {
            guard query.count < queryLimit else {
                throw .malformed("The query has more than \(queryLimit) parameters: send fewer.")
            }
            let end = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            let name = try decoded(pair[..<end], plusIsSpace: true)
            let value = end == pair.endIndex ? "" : try decoded(pair[pair.index(after: end)...], plusIsSpace: true)
            query.append((name, value))
        }
        return query
    }

    private static func decoded(_ text: Substring.UTF8View, plusIsSpace: Bool) throws(APIProblem) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            var byte = text[index]
            text.formIndex(after: &index)
            if byte == UInt8(ascii: "%") {
                guard let high = hexValue(text, &index), let low = hexValue(text, &index) else {
                    throw .malformed("A % in the address is not followed by two hexadecimal digits: write it as %25.")
                }
                byte = high << 4 | low
            } else if byte == UInt8(ascii: "+"), plusIsSpace {
                byte = UInt8(ascii: " ")
            }
            guard byte != 0 else { throw .malformed("The address holds the character NUL: leave it out.") }
            bytes.append(byte)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .malformed("The address is not UTF-8 once it is decoded: percent-encode the bytes of UTF-8.")
        }
        return text
    }

    private static func hexValue(_ text: Substring.UTF8View, _ index: inout Substring.UTF8View.Index) -> UInt8? {
        guard index < text.endIndex else { return nil }
        let byte = text[index]
        text.formIndex(after: &index)
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): return byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): return byte - UInt8(ascii: "A") + 10
        default: return nil
        }
    }
}
