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
        if lowercased.hasPrefix("[") {
            guard let bracket = lowercased.firstIndex(of: "]"),
                lowercased[..<bracket].dropFirst().utf8.allSatisfy(Self.isOfAddress)
            else { return nil }
            end = lowercased.index(after: bracket)
        } else {
            end = lowercased.firstIndex(of: ":") ?? lowercased.endIndex
        }
        let port = lowercased[end...]
        guard port.isEmpty || (port.first == ":" && port.dropFirst().allSatisfy(\.isASCIIDigit)) else { return nil }
        guard lowercased.startIndex < end else { return nil }
        text = String(lowercased[..<end])
    }

    /// Whether it is an address: no name can be rebound to one.
    var isAddress: Bool {
        if text.hasPrefix("[") { return true }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil && $0.allSatisfy(\.isASCIIDigit) }
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

extension Character {
    fileprivate var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}
