public import OperationTracking

/// Where the Noun Project's API is, as a base URL without a slash at its end.
public struct NounProjectAddress: Sendable, Hashable, CustomStringConvertible {
    /// The base URL in the form that is signed (RFC 5849, section 3.4.1.2).
    public let url: String
    /// Scheme, host and port.
    let origin: String

    /// `https://api.thenounproject.com`.
    public static let `default` = NounProjectAddress(origin: "https://api.thenounproject.com", path: "")

    /// Reads an address.
    ///
    /// - Throws: `OperationFailure` (`invalid_request`) when the text is no `http` or `https` URL of a host, with or without a
    ///   port and a path. It can't have a user, a query or a fragment.
    public init(_ text: String) throws(OperationFailure) {
        guard let address = Self.parse(text) else {
            let shown = text.utf8.contains(UInt8(ascii: "@")) ? "That" : "'\(text.bounded(toBytes: 200))'"
            throw OperationFailure(
                .invalidRequest,
                "\(shown) is no address of the Noun Project's API: NOUNPROJECT_API_BASE takes an http(s) URL such as \(Self.default)."
            )
        }
        self = address
    }

    /// The address in `NOUNPROJECT_API_BASE`, or the default where that isn't set.
    ///
    /// - Throws: `OperationFailure` (`invalid_request`) when the variable holds no address.
    public init(environment: [String: String]) throws(OperationFailure) {
        guard let text = environment["NOUNPROJECT_API_BASE"], !text.isEmpty else {
            self = .default
            return
        }
        try self.init(text)
    }

    /// The base URL.
    public var description: String { url }

    private init(origin: String, path: String) {
        self.origin = origin
        url = origin + path
    }

    /// Whether a link to an icon leads where icons come from: the address itself, or the Noun Project's own hosts. An answer
    /// must not make this machine ask others.
    func mayLead(to link: String) -> Bool {
        guard let (origin, _) = Self.split(link[...], atQuery: true) else { return false }
        if origin == self.origin { return true }
        let host = origin.dropFirst("https://".count)
        return origin.hasPrefix("https://") && (host == "thenounproject.com" || host.hasSuffix(".thenounproject.com"))
    }

    private static func parse(_ text: String) -> NounProjectAddress? {
        guard let (origin, rest) = split(text[...], atQuery: false) else { return nil }
        var path = rest
        while path.hasSuffix("/") { path = path.dropLast() }
        guard path.utf8.allSatisfy({ isLetterOrDigit($0) || "/-._~".utf8.contains($0) }) else { return nil }
        return NounProjectAddress(origin: origin, path: String(path))
    }

    private static func split(_ text: Substring, atQuery: Bool) -> (origin: String, rest: Substring)? {
        guard let mark = text.firstRange(of: "://") else { return nil }
        let scheme = text[..<mark.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        let authority = text[mark.upperBound...].prefix { $0 != "/" && !(atQuery && $0 == "?") }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        let isHost = parts[0].utf8.allSatisfy {
            isLetterOrDigit($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-")
        }
        guard parts.count <= 2, !parts[0].isEmpty, isHost else { return nil }
        var origin = "\(scheme)://\(parts[0].lowercased())"
        if parts.count == 2 {
            guard let port = Int(parts[1]), (1...65_535).contains(port), parts[1].first?.isNumber == true else {
                return nil
            }
            // The scheme's own port is left out of what is signed.
            if port != (scheme == "https" ? 443 : 80) { origin += ":\(port)" }
        }
        return (origin, text[authority.endIndex...])
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            false
        }
    }
}
