/// Why a file is not kept, for people.
struct FileRefusal: Error, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Reads the part of XML that an icon needs, and refuses the rest: UTF-8 alone, no declarations in a document type, no entities but
/// XML's own five and characters by number. Comments and processing instructions are left out.
///
/// It is written here and not taken from a C library because it faces whatever the network sends: memory-safe, without a feature
/// that would have to be turned off, and what it doesn't know it refuses. What is written out again comes from the parts that were
/// understood, never from the text that came.
struct XMLReader {
    struct Attribute: Hashable {
        var name: String
        var value: String
    }

    enum Token: Hashable {
        case start(String, [Attribute])
        case end(String)
        case text(String)
    }

    private let bytes: [UInt8]
    private var position = 0
    private var open: [String] = []
    private var hasRoot = false
    /// The end of an element that was written as `<a/>`.
    private var pendingEnd: String?
    private var elements = 0

    static let maximumDepth = 100
    static let maximumElements = 20_000

    init(_ bytes: [UInt8]) throws(FileRefusal) {
        if bytes.starts(with: [0xFE, 0xFF]) || bytes.starts(with: [0xFF, 0xFE]) || bytes.prefix(4).contains(0) {
            throw FileRefusal("it is not in UTF-8")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw FileRefusal("it is not in UTF-8") }
        guard text.unicodeScalars.allSatisfy(\.isXMLCharacter) else {
            throw FileRefusal("it holds a control character, which XML doesn't allow")
        }
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        if startsWith("<?xml"), let byte = byte(at: position + 5), byte.isXMLSpace { try readDeclaration() }
    }

    /// The next token; `nil` at the end of a whole document.
    mutating func next() throws(FileRefusal) -> Token? {
        if let name = pendingEnd {
            pendingEnd = nil
            return .end(name)
        }
        while position < bytes.count {
            if startsWith("<!--") {
                try skip(to: "-->")
            } else if startsWith("<?") {
                try skip(to: "?>")
            } else if startsWith("<![CDATA[") {
                return try readCharacterData()
            } else if startsWith("<!") {
                try skipDocumentType()
            } else if startsWith("</") {
                return try readEnd()
            } else if bytes[position] == UInt8(ascii: "<") {
                return try readStart()
            } else if let text = try readText() {
                return text
            }
        }
        guard hasRoot, open.isEmpty else { throw FileRefusal("it ends before its XML does") }
        return nil
    }

    private mutating func readDeclaration() throws(FileRefusal) {
        let start = position
        try skip(to: "?>")
        let text = string(start..<position).lowercased()
        guard let mark = text.firstRange(of: "encoding") else { return }
        let quoted = text[mark.upperBound...].drop { $0 != "\"" && $0 != "'" }.dropFirst()
        let name = quoted.prefix { $0 != "\"" && $0 != "'" }
        guard ["utf-8", "utf8", "us-ascii", "ascii"].contains(name) else { throw FileRefusal("it is not in UTF-8") }
    }

    /// A document type without declarations of its own says nothing that is needed here; with them it could define entities.
    private mutating func skipDocumentType() throws(FileRefusal) {
        guard startsWith("<!DOCTYPE"), !hasRoot else { throw FileRefusal("it holds a declaration where none belongs") }
        var quote: UInt8?
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: "[") {
                throw FileRefusal("its document type holds declarations, such as entities")
            } else if byte == UInt8(ascii: ">") {
                return
            }
        }
        throw FileRefusal("it ends before its XML does")
    }

    private mutating func readCharacterData() throws(FileRefusal) -> Token {
        guard !open.isEmpty else { throw FileRefusal("it holds text outside its root element") }
        position += 9
        let start = position
        try skip(to: "]]>")
        return .text(string(start..<(position - 3)).withXMLLineEnds)
    }

    /// Text between tags; `nil` for white space outside the root element.
    private mutating func readText() throws(FileRefusal) -> Token? {
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "<") { position += 1 }
        if open.isEmpty {
            guard bytes[start..<position].allSatisfy(\.isXMLSpace) else {
                throw FileRefusal("it holds text outside its root element")
            }
            return nil
        }
        return .text(try decoded(start..<position).withXMLLineEnds)
    }

    private mutating func readEnd() throws(FileRefusal) -> Token {
        position += 2
        let name = try readName()
        skipSpace()
        guard take(">"), open.popLast() == name else { throw FileRefusal("its tags don't match") }
        return .end(name)
    }

    private mutating func readStart() throws(FileRefusal) -> Token {
        guard !open.isEmpty || !hasRoot else { throw FileRefusal("it has more than one root element") }
        position += 1
        let name = try readName()
        hasRoot = true
        elements += 1
        guard elements <= Self.maximumElements else {
            throw FileRefusal("it has more than \(Self.maximumElements) elements")
        }
        guard open.count < Self.maximumDepth else {
            throw FileRefusal("its elements are nested more than \(Self.maximumDepth) deep")
        }
        var attributes: [Attribute] = []
        var names: Set<String> = []
        while true {
            let hasSpace = skipSpace()
            if take("/>") {
                pendingEnd = name
                return .start(name, attributes)
            }
            if take(">") {
                open.append(name)
                return .start(name, attributes)
            }
            guard hasSpace else { throw FileRefusal("it is no well-formed XML") }
            let attribute = try readAttribute()
            guard names.insert(attribute.name).inserted else { throw FileRefusal("it gives one attribute twice") }
            attributes.append(attribute)
        }
    }

    private mutating func readAttribute() throws(FileRefusal) -> Attribute {
        let name = try readName()
        skipSpace()
        guard take("=") else { throw FileRefusal("it is no well-formed XML") }
        skipSpace()
        guard let quote = byte(at: position), quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            throw FileRefusal("it is no well-formed XML")
        }
        position += 1
        let start = position
        while let byte = byte(at: position), byte != quote {
            guard byte != UInt8(ascii: "<") else { throw FileRefusal("it is no well-formed XML") }
            position += 1
        }
        guard position < bytes.count else { throw FileRefusal("it ends before its XML does") }
        let value = try decoded(start..<position)
        position += 1
        return Attribute(name: name, value: value.withXMLSpacesOnly)
    }

    private mutating func readName() throws(FileRefusal) -> String {
        let start = position
        while let byte = byte(at: position), byte.isXMLNameByte { position += 1 }
        guard position > start, !bytes[start].isXMLNameContinuation else {
            throw FileRefusal("it is no well-formed XML")
        }
        return string(start..<position)
    }

    /// Works on bytes: a combining mark makes another character of the sign before it.
    private func decoded(_ range: Range<Int>) throws(FileRefusal) -> String {
        guard bytes[range].contains(UInt8(ascii: "&")) else { return string(range) }
        var result: [UInt8] = []
        var index = range.lowerBound
        while index < range.upperBound {
            guard bytes[index] == UInt8(ascii: "&") else {
                result.append(bytes[index])
                index += 1
                continue
            }
            let rest = bytes[(index + 1)..<min(index + 13, range.upperBound)]
            guard let end = rest.firstIndex(of: UInt8(ascii: ";")) else {
                throw FileRefusal("it holds an & that begins nothing")
            }
            result += String(try Self.scalar(String(decoding: rest[..<end], as: UTF8.self)[...])).utf8
            index = end + 1
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func scalar(_ name: Substring) throws(FileRefusal) -> Unicode.Scalar {
        switch name {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default: break
        }
        let digits = name.dropFirst(name.hasPrefix("#x") ? 2 : 1)
        guard name.hasPrefix("#"), let first = digits.first, first.isHexDigit,
            let value = UInt32(digits, radix: name.hasPrefix("#x") ? 16 : 10),
            let scalar = Unicode.Scalar(value), scalar.isXMLCharacter
        else { throw FileRefusal("it uses an entity that is none of XML's own") }
        return scalar
    }

    // MARK: Places

    private func byte(at index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

    private func string(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    private func startsWith(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { bytes[position...].starts(with: $0) }
    }

    private mutating func take(_ text: StaticString) -> Bool {
        guard startsWith(text) else { return false }
        position += text.utf8CodeUnitCount
        return true
    }

    @discardableResult
    private mutating func skipSpace() -> Bool {
        let start = position
        while let byte = byte(at: position), byte.isXMLSpace { position += 1 }
        return position > start
    }

    private mutating func skip(to mark: StaticString) throws(FileRefusal) {
        while position < bytes.count {
            if take(mark) { return }
            position += 1
        }
        throw FileRefusal("it ends before its XML does")
    }
}

extension UInt8 {
    var isXMLSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D }

    /// Letters, digits, `.`, `-`, `_`, `:` and everything beyond ASCII, which is more than XML allows: names that mean something here
    /// are ASCII.
    fileprivate var isXMLNameByte: Bool {
        isXMLNameContinuation || self == UInt8(ascii: "_") || self == UInt8(ascii: ":") || self >= 0x80
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
    }

    /// What a name can't begin with.
    fileprivate var isXMLNameContinuation: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) || self == UInt8(ascii: "-") || self == UInt8(ascii: ".")
    }
}

extension Unicode.Scalar {
    /// XML 1.0, section 2.2.
    fileprivate var isXMLCharacter: Bool {
        switch value {
        case 0x09, 0x0A, 0x0D, 0x20...0xD7FF, 0xE000...0xFFFD, 0x1_0000...0x10_FFFF: true
        default: false
        }
    }
}

extension String {
    /// Line ends as XML has them (section 2.11), also those given by number: what is written is then read as the same again.
    fileprivate var withXMLLineEnds: String {
        guard utf8.contains(0x0D) else { return self }
        var result = ""
        var last: Unicode.Scalar?
        for scalar in unicodeScalars {
            if scalar == "\r" {
                result.unicodeScalars.append("\n")
            } else if scalar != "\n" || last != "\r" {
                result.unicodeScalars.append(scalar)
            }
            last = scalar
        }
        return result
    }

    /// White space in an attribute is spaces (section 3.3.3), also where it is given by number.
    fileprivate var withXMLSpacesOnly: String {
        guard utf8.contains(where: { $0 < 0x20 }) else { return self }
        return String(decoding: utf8.map { $0.isXMLSpace ? 0x20 : $0 }, as: UTF8.self)
    }
}
