/// The value of a `Host` header, without its port.
package struct HostName {
    /// In lower case; an IPv6 address stands in brackets.
    package let text: String

    /// - Returns: `nil` when it isn't a host, or the port isn't one.
    package init?(_ header: String) {
        let lowercased = header.lowercased()
        guard !lowercased.isEmpty, lowercased.utf8.count <= 255, lowercased.utf8.allSatisfy(Self.isAllowed) else {
            return nil
        }
        let end: String.Index
        let bytes = lowercased.utf8
        if bytes.first == UInt8(ascii: "[") {
            guard let bracket = bytes.firstIndex(of: UInt8(ascii: "]")),
                bytes[..<bracket].dropFirst().allSatisfy(Self.isOfAddress)
            else { return nil }
            end = bytes.index(after: bracket)
        } else {
            end = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.endIndex
        }
        let port = bytes[end...]
        guard port.isEmpty || (port.first == UInt8(ascii: ":") && port.dropFirst().allSatisfy(Self.isDigit)) else {
            return nil
        }
        guard lowercased.startIndex < end else { return nil }
        text = String(lowercased[..<end])
    }

    /// Whether it is an address: no name can be rebound to one.
    var isAddress: Bool {
        if text.utf8.first == UInt8(ascii: "[") { return true }
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8(Substring($0)) != nil && $0.allSatisfy(Self.isDigit) }
    }

    /// Whether it is a name that means this machine and nothing else (RFC 6761).
    var isLocal: Bool { text == "localhost" || text.hasSuffix(".localhost") }

    /// Whether it may stand in an IPv6 address.
    private static func isOfAddress(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
            UInt8(ascii: ":"):
            true
        default: false
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
            UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"):
            true
        default:
            false
        }
    }
}
