/// Reads a JSON text (RFC 8259), and says in which line it is none.
struct JSONReader {
    struct Problem: Error, Hashable {
        var line: Int
        var message: String
    }

    private let bytes: [UInt8]
    private var offset = 0
    private var depth = 0
    private static let deepest = 64

    /// Reads the whole of a text.
    static func value(_ bytes: [UInt8]) throws(Problem) -> JSONValue {
        var reader = JSONReader(bytes)
        let value = try reader.value()
        reader.skipBlanks()
        guard reader.next == nil else { throw reader.problem("something follows where the text should end") }
        return value
    }

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
        // The mark that some editors put at the start of a text.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
    }

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private func problem(_ message: String) -> Problem {
        Problem(line: 1 + bytes.prefix(offset).count { $0 == UInt8(ascii: "\n") }, message: message)
    }

    private mutating func skipBlanks() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { offset += 1 }
    }

    private mutating func skip(_ byte: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard next == UInt8(ascii: byte) else { return false }
        offset += 1
        return true
    }

    private mutating func value() throws(Problem) -> JSONValue {
        skipBlanks()
        switch next {
        case UInt8(ascii: "{"): return try nested { reader throws(Problem) in try reader.object() }
        case UInt8(ascii: "["): return try nested { reader throws(Problem) in try reader.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case nil: throw problem("the text ends where a value should stand")
        case UInt8(ascii: "-")?: return try number()
        case let byte? where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte): return try number()
        default: return try word()
        }
    }

    private mutating func nested(
        _ body: (inout JSONReader) throws(Problem) -> JSONValue
    ) throws(Problem) -> JSONValue {
        guard depth < Self.deepest else { throw problem("there are more than \(Self.deepest) brackets within another") }
        depth += 1
        offset += 1
        let value = try body(&self)
        depth -= 1
        return value
    }

    private mutating func object() throws(Problem) -> JSONValue {
        var members: [JSONValue.Member] = []
        if skip("}") { return .object([]) }
        repeat {
            skipBlanks()
            guard next == UInt8(ascii: "\"") else { throw problem("a key in quotation marks should stand here") }
            let key = try string()
            guard !members.contains(where: { $0.key == key }) else {
                throw problem("the key \"\(key)\" stands here twice")
            }
            guard skip(":") else { throw problem("a colon is missing after the key \"\(key)\"") }
            members.append(JSONValue.Member(key: key, value: try value()))
        } while skip(",")
        guard skip("}") else { throw problem("a comma or } is missing") }
        return .object(members)
    }

    private mutating func array() throws(Problem) -> JSONValue {
        var values: [JSONValue] = []
        if skip("]") { return .array([]) }
        repeat { values.append(try value()) } while skip(",")
        guard skip("]") else { throw problem("a comma or ] is missing") }
        return .array(values)
    }

    private mutating func word() throws(Problem) -> JSONValue {
        for (word, value) in [("true", JSONValue.bool(true)), ("false", .bool(false)), ("null", .null)]
        where bytes[offset...].starts(with: word.utf8) {
            offset += word.utf8.count
            return value
        }
        throw problem("a value should stand here; texts stand in quotation marks")
    }

    private mutating func number() throws(Problem) -> JSONValue {
        let start = offset
        if next == UInt8(ascii: "-") { offset += 1 }
        let whole = skipDigits()
        guard whole == 1 || whole > 1 && bytes[offset - whole] != UInt8(ascii: "0") else {
            throw problem("this is no number")
        }
        if next == UInt8(ascii: ".") {
            offset += 1
            guard skipDigits() > 0 else { throw problem("this is no number") }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            offset += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { offset += 1 }
            guard skipDigits() > 0 else { throw problem("this is no number") }
        }
        return .number(String(decoding: bytes[start..<offset], as: UTF8.self))
    }

    private mutating func skipDigits() -> Int {
        let start = offset
        while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { offset += 1 }
        return offset - start
    }

    private mutating func string() throws(Problem) -> String {
        offset += 1
        var text: [UInt8] = []
        while let byte = next {
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw problem("this text is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"): text += try escape()
            case 0..<0x20: throw problem("a text ends in the line in which it begins: write \\n for a line feed")
            default: text.append(byte)
            }
        }
        throw problem("a text has no quotation mark at its end")
    }

    private mutating func escape() throws(Problem) -> [UInt8] {
        guard let byte = next else { throw problem("a text has no quotation mark at its end") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return Array(String(try scalar()).utf8)
        default: throw problem("this is no escape: write \\\\ for a backslash")
        }
    }

    private mutating func scalar() throws(Problem) -> Character {
        let first = try unit()
        if let scalar = Unicode.Scalar(first) { return Character(scalar) }
        // Characters beyond the first 65,536 are two units.
        guard (0xD800..<0xDC00).contains(first), skipLiterally("\\u") else { throw problem("half a character") }
        let second = try unit()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + UInt32(first - 0xD800) << 10 + UInt32(second - 0xDC00))
        else { throw problem("half a character") }
        return Character(scalar)
    }

    private mutating func skipLiterally(_ text: String) -> Bool {
        guard bytes[offset...].starts(with: text.utf8) else { return false }
        offset += text.utf8.count
        return true
    }

    private mutating func unit() throws(Problem) -> UInt16 {
        let digits = bytes[offset...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw problem("four hexadecimal digits should follow \\u") }
        offset += 4
        return unit
    }
}
