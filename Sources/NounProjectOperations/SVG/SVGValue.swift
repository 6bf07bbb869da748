/// What attributes and properties may say.
enum SVGValue {
    /// The value as it may be kept: of harmless characters, calling known functions only, referring to nothing but this file's own
    /// parts as `url(#name)`. There is no colon, no slash, no backslash and no quotation but `'`, so no address and no escape.
    ///
    /// - Returns: `nil` for any other value.
    static func cleaned(_ text: some StringProtocol) -> String? {
        // A reference in double quotes is the same as one in single ones, and the writer needs no care with those.
        var bytes = text.utf8.map { byte in
            byte == UInt8(ascii: "\"") ? UInt8(ascii: "'") : byte.isXMLSpace ? UInt8(ascii: " ") : byte
        }
        while bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
        bytes.removeFirst(bytes.prefix { $0 == UInt8(ascii: " ") }.count)
        guard !bytes.isEmpty, bytes.allSatisfy(isHarmless), bytes.count(where: { $0 == UInt8(ascii: "'") }) % 2 == 0
        else {
            return nil
        }
        guard bytes.contains(where: { $0 == UInt8(ascii: "(") || $0 == UInt8(ascii: ")") }) else {
            return String(decoding: bytes, as: UTF8.self)
        }
        return functionsAreKnown(bytes[...]) ? String(decoding: bytes, as: UTF8.self) : nil
    }

    /// The name in `#name`, for a part of this file; `nil` for any other address.
    static func localName(_ text: some StringProtocol) -> String? {
        let trimmed = text.drop { $0 == " " }
        guard trimmed.utf8.first == UInt8(ascii: "#") else { return nil }
        let rest = trimmed.utf8.dropFirst().reversed().drop { $0 == 0x20 }.reversed()
        return name(String(decoding: Array(rest), as: UTF8.self))
    }

    /// The names in all `url(#name)` of a cleaned value.
    static func references(in value: String) -> [String] {
        guard value.utf8.contains(UInt8(ascii: "(")) else { return [] }
        let parts = value.split(separator: "(", omittingEmptySubsequences: false)
        return zip(parts, parts.dropFirst()).compactMap { before, after in
            before.lowercased().hasSuffix("url")
                ? localName(String(after.prefix { $0 != ")" }.filter { $0 != "'" })) : nil
        }
    }

    /// The text when it can be an id or a class; `nil` otherwise.
    static func name(_ text: some StringProtocol) -> String? {
        let isName =
            !text.isEmpty && text.utf8.count <= 200
            && text.utf8.allSatisfy { isLetterOrDigit($0) || "_.-".utf8.contains($0) }
        return isName ? String(text) : nil
    }

    private static func functionsAreKnown(_ value: ArraySlice<UInt8>) -> Bool {
        var rest = value
        var references = 0
        while let open = rest.firstIndex(where: { $0 == UInt8(ascii: "(") || $0 == UInt8(ascii: ")") }) {
            guard rest[open] == UInt8(ascii: "("), let close = rest[open...].firstIndex(of: UInt8(ascii: ")")) else {
                return false
            }
            let inside = rest[(open + 1)..<close]
            guard !inside.contains(UInt8(ascii: "(")) else { return false }
            let word = rest[..<open].reversed().prefix {
                isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            }
            let function = String(decoding: word.reversed(), as: UTF8.self).lowercased()
            guard SVGAllowList.functions.contains(function) else { return false }
            if function == "url" {
                // None of the properties that are kept takes several.
                references += 1
                guard references == 1, let target = unquoted(inside), localName(target) != nil else { return false }
            }
            rest = rest[(close + 1)...]
        }
        return true
    }

    /// What stands in a pair of quotation marks, or in none.
    private static func unquoted(_ bytes: ArraySlice<UInt8>) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        let parts = text.split(separator: "'", omittingEmptySubsequences: false)
        if parts.count == 1 { return text }
        guard parts.count == 3, (parts[0] + parts[2]).allSatisfy({ $0 == " " }) else { return nil }
        return String(parts[1])
    }

    private static func isHarmless(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) || " ,.+-%#_'()".utf8.contains(byte)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
