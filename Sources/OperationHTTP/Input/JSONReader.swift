/// What is wrong with a JSON text, and where.
package struct JSONFault: Error {
    package let what: String
    /// The byte, counted from 0.
    package let offset: Int
}

/// Reads JSON text (RFC 8259) strictly: nothing may follow it, no key may come twice, nesting is bounded, every number must
/// be one that a `Double` can hold.
///
/// The toolchain's decoder takes the last of two equal keys and nests as deep as the stack goes; both are ways to make two
/// readers disagree, or one of them crash.
package struct JSONReader {
    private static let deepest = 32

    private let bytes: [UInt8]
    private var index = 0
    private var depth = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads the body of a request.
    ///
    /// - Throws: ``APIProblem`` (400) that says what is wrong and where.
    package static func read(_ bytes: [UInt8]) throws(APIProblem) -> JSONValue {
        do throws(JSONFault) {
            return try parse(bytes)
        } catch {
            throw .malformed("The body is not JSON that can be taken: \(error.what), at byte \(error.offset).")
        }
    }

    /// Reads any JSON text.
    package static func parse(_ bytes: [UInt8]) throws(JSONFault) -> JSONValue {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw JSONFault(what: "it is not UTF-8, as JSON has to be", offset: 0)
        }
        var reader = JSONReader(bytes)
        let value = try reader.value()
        reader.skipSpace()
        guard reader.index == bytes.count else { throw reader.problem("something follows the end of the JSON text") }
        return value
    }

    private func problem(_ what: String) -> JSONFault { JSONFault(what: what, offset: index) }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { index += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func value() throws(JSONFault) -> JSONValue {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case .some(let byte) where byte == UInt8(ascii: "-") || Self.isDigit(byte): return try number()
        case nil: throw problem("it ends too early")
        default: throw problem("a value was expected")
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONFault) -> JSONValue {
        let text = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard bytes[index...].starts(with: text) else { throw problem("a value was expected") }
        index += text.count
        return value
    }

    private mutating func enter() throws(JSONFault) {
        depth += 1
        guard depth <= Self.deepest else { throw problem("it is nested more than \(Self.deepest) levels deep") }
        index += 1
        skipSpace()
    }

    private mutating func object() throws(JSONFault) -> JSONValue {
        try enter()
        defer { depth -= 1 }
        var members: [(key: String, value: JSONValue)] = []
        var keys: Set<String> = []
        if take("}") { return .object([]) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw problem("a key was expected") }
            let key = try string()
            guard keys.insert(key).inserted else { throw problem("a key comes twice in one object") }
            skipSpace()
            guard take(":") else { throw problem("a colon was expected") }
            members.append((key, try value()))
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw problem("a comma or the end of an object was expected") }
        }
    }

    private mutating func array() throws(JSONFault) -> JSONValue {
        try enter()
        defer { depth -= 1 }
        var elements: [JSONValue] = []
        if take("]") { return .array([]) }
        while true {
            elements.append(try value())
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw problem("a comma or the end of an array was expected") }
        }
    }

    private mutating func number() throws(JSONFault) -> JSONValue {
        let start = index
        _ = take("-")
        if !take("0") { try digits() }
        var isWhole = true
        if take(".") {
            isWhole = false
            try digits()
        }
        if take("e") || take("E") {
            isWhole = false
            if !take("-") { _ = take("+") }
            try digits()
        }
        if let byte = next, Self.isDigit(byte) {
            throw problem("a number begins with 0")
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if isWhole, let whole = Int64(text) { return .integer(whole) }
        guard let number = Double(text), number.isFinite else { throw problem("a number is too large") }
        return .number(number)
    }

    private mutating func digits() throws(JSONFault) {
        let start = index
        while let byte = next, Self.isDigit(byte) { index += 1 }
        guard index > start else { throw problem("a digit was expected") }
    }

    private mutating func string() throws(JSONFault) -> String {
        index += 1
        var text: [UInt8] = []
        var plainStart = index
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                text += bytes[plainStart..<index]
                index += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                text += bytes[plainStart..<index]
                index += 1
                text += try escaped()
                plainStart = index
            case 0..<0x20:
                throw problem("a control character stands in a string and has to be escaped")
            default:
                index += 1
            }
        }
        throw problem("a string has no end")
    }

    private mutating func escaped() throws(JSONFault) -> [UInt8] {
        guard let byte = next else { throw problem("a string has no end") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return try escapedScalar()
        default: throw problem("a string has an escape that JSON doesn't know")
        }
    }

    private mutating func escapedScalar() throws(JSONFault) -> [UInt8] {
        var value = try fourDigits()
        if (0xD800..<0xDC00).contains(value), take("\\"), take("u") {
            let low = try fourDigits()
            guard (0xDC00..<0xE000).contains(low) else { throw problem("half of a character is escaped in a string") }
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw problem("half of a character is escaped in a string") }
        return Array(String(scalar).utf8)
    }

    private mutating func fourDigits() throws(JSONFault) -> UInt32 {
        guard index + 4 <= bytes.count else { throw problem("a string has no end") }
        var value: UInt32 = 0
        for byte in bytes[index..<index + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw problem("\\u is not followed by four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
        }
        index += 4
        return value
    }
}
