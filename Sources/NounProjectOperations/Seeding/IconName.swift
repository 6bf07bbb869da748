/// Names of folders and files, made of what comes from outside. Whatever that is, a name is letters, digits, `-` and `_`.
enum IconName {
    /// The folder of a category: its name in lower case, with `-` for spaces.
    ///
    /// - Returns: `nil` unless the name is 1 to 64 ASCII letters, digits, spaces, `-` and `_`, of which the first is a letter or digit.
    static func folder(ofCategory name: String) -> String? {
        guard (1...64).contains(name.utf8.count), name.utf8.first.map(isLetterOrDigit) == true else { return nil }
        guard name.utf8.allSatisfy({ isLetterOrDigit($0) || " -_".utf8.contains($0) }) else { return nil }
        return String(decoding: name.lowercased().utf8.map { $0 == 0x20 ? UInt8(ascii: "-") : $0 }, as: UTF8.self)
    }

    /// A term as part of a file's name: in lower case, with `-` for all that is no ASCII letter or digit, at most 60 bytes. A term
    /// without any gets a number of its own.
    static func slug(_ term: String) -> String {
        let words = term.lowercased().utf8.split { !isLetterOrDigit($0) }.map {
            String(decoding: Array($0), as: UTF8.self)
        }
        let slug = words.joined(separator: "-").utf8.prefix(60)
        guard !slug.isEmpty else { return "term-" + String(fingerprint(term), radix: 16) }
        return String(decoding: Array(slug), as: UTF8.self)
    }

    /// Whether an id has the form of the API's ids: 1 to 18 digits.
    static func isID(_ id: String) -> Bool {
        (1...18).contains(id.utf8.count) && id.utf8.allSatisfy { (48...57).contains($0) }
    }

    /// The file of an icon. The id tells apart what the slug doesn't.
    static func file(term: String, id: String, format: IconFormat) -> String {
        "\(slug(term))-\(id).\(format.rawValue)"
    }

    /// FNV-1a, 64 bits (draft-eastlake-fnv).
    private static func fingerprint(_ text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || (48...57).contains(byte)
    }
}
