public import OperationTracking

/// Where an Ollama server listens, as a base URL without a slash at its end.
///
/// The forms are those of Ollama's own `OLLAMA_HOST` (envconfig/config.go): a host, a host and port, or a URL, with or
/// without a path. Without a scheme it is `http`, without a port 11434; with a scheme the port is the scheme's own. An
/// address that means "all interfaces" to a server means this machine to a client.
public struct OllamaAddress: Sendable, Hashable, CustomStringConvertible {
    /// The base URL, such as `http://127.0.0.1:11434`.
    public let url: String

    /// This machine, port 11434.
    public static let `default` = OllamaAddress(trusted: "http://127.0.0.1:11434")

    /// Reads an address.
    ///
    /// - Throws: `OperationFailure` (`invalid_request`) when the text is no address in one of the forms.
    public init(_ text: String) throws(OperationFailure) {
        let trimmed = text.trimming(while: { $0 == " " || $0 == "\t" || $0 == "\"" || $0 == "'" })
        guard !trimmed.isEmpty else {
            self = .default
            return
        }
        guard let address = Self.parse(trimmed) else {
            let shown = text.utf8.contains(UInt8(ascii: "@")) ? "That" : "'\(text.bounded(toBytes: 200))'"
            throw OperationFailure(
                .invalidRequest,
                "\(shown) is no address of an Ollama server: give a host, host:port or http(s) URL, such as 127.0.0.1:11434."
            )
        }
        self = address
    }

    /// The address in `OLLAMA_HOST`, or the default where that isn't set.
    ///
    /// - Throws: `OperationFailure` (`invalid_request`) when the variable holds no address.
    public init(environment: [String: String]) throws(OperationFailure) {
        try self.init(environment["OLLAMA_HOST"] ?? "")
    }

    /// The base URL.
    public var description: String { url }

    private init(trusted: String) {
        url = trusted
    }

    private static func parse(_ text: Substring) -> OllamaAddress? {
        var rest = text
        var scheme = "http"
        var defaultPort = 11434
        if let mark = rest.firstRange(of: "://") {
            scheme = rest[..<mark.lowerBound].lowercased()
            guard scheme == "http" || scheme == "https" else { return nil }
            defaultPort = scheme == "https" ? 443 : 80
            rest = rest[mark.upperBound...]
        }
        let authority = rest.prefix { $0 != "/" }
        let path = rest[authority.endIndex...].trimming(while: { $0 == "/" })
        guard let (host, port) = splitAuthority(authority), isPlain(path, allowing: "/-._~%") else { return nil }
        let base = "\(scheme)://\(connectable(host)):\(port ?? defaultPort)"
        return OllamaAddress(trusted: path.isEmpty ? base : "\(base)/\(path)")
    }

    private static func splitAuthority(_ text: Substring) -> (host: Substring, port: Int?)? {
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let host = text[...end]
            guard isPlain(host.dropFirst().dropLast(), allowing: ":.%-"), host.count > 2 else { return nil }
            let after = text[text.index(after: end)...]
            if after.isEmpty { return (host, nil) }
            guard after.first == ":", let port = port(after.dropFirst()) else { return nil }
            return (host, port)
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        // An IPv6 address without brackets has no room for a port.
        if parts.count > 2, text.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) { return ("[\(text)]", nil) }
        guard parts.count <= 2, isPlain(parts[0], allowing: ".-_") else { return nil }
        let host = parts[0].isEmpty ? "127.0.0.1" : parts[0]
        if parts.count == 1 { return (host, nil) }
        guard let port = port(parts[1]) else { return nil }
        return (host, port)
    }

    private static func port(_ text: Substring) -> Int? {
        guard let port = Int(text), (1...65_535).contains(port), text.first?.isNumber == true else { return nil }
        return port
    }

    private static func connectable(_ host: Substring) -> String {
        switch host {
        case "0.0.0.0": "127.0.0.1"
        case "[::]": "[::1]"
        default: String(host)
        }
    }

    private static func isPlain(_ text: Substring, allowing others: String) -> Bool {
        text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || others.contains($0)) }
    }
}

extension StringProtocol {
    fileprivate func trimming(while isTrimmed: (Character) -> Bool) -> Substring {
        let start = drop(while: isTrimmed)
        guard let last = start.lastIndex(where: { !isTrimmed($0) }) else { return "" }
        return Substring(start[...last])
    }
}
