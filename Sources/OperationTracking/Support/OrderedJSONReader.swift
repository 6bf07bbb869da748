/// Splits a text into its values, and finds every fault that RFC 8259 knows.
struct OrderedJSONReader {
    private static let deepest = 200

    private let bytes: [UInt8]
    private var index = 0
    private var depth = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// - Returns: `nil` for what is not one JSON text.
    static func read(_ bytes: [UInt8]) -> OrderedJSON? {
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        var reader = OrderedJSONReader(bytes)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.index = 3 }
        let value = reader.value()
        reader.skipSpace()
        return reader.index == bytes.count ? value : nil
    }

    /// - Returns: `nil` for what is not one string with its quotes.
    static func text(ofString bytes: [UInt8]) -> String? {
        var reader = OrderedJSONReader(bytes)
        let text = reader.string()
        return reader.index == bytes.count ? text : nil
    }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { index += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func takeSpaced(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        return take(character)
    }

    /// What has been read since `start`, as it was written.
    private func literal(from start: Int) -> String { String(decoding: bytes[start..<index], as: UTF8.self) }

    private mutating func value() -> OrderedJSON? {
        skipSpace()
        let start = index
        switch next {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard depth < Self.deepest else { return nil }
            depth += 1
            defer { depth -= 1 }
            return take("{") ? object() : array()
        case UInt8(ascii: "\""): return string().map { _ in .scalar(literal(from: start)) }
        case UInt8(ascii: "t"): return word("true")
        case UInt8(ascii: "f"): return word("false")
        case UInt8(ascii: "n"): return word("null")
        default: return number() ? .scalar(literal(from: start)) : nil
        }
    }

    private mutating func word(_ word: String) -> OrderedJSON? {
        guard bytes[index...].starts(with: word.utf8) else { return nil }
        index += word.utf8.count
        return .scalar(word)
    }

    /// The rest of an object whose bracket has been read.
    private mutating func object() -> OrderedJSON? {
        var members: [OrderedJSON.Member] = []
        if takeSpaced("}") { return .object([]) }
        repeat {
            skipSpace()
            let start = index
            guard string() != nil else { return nil }
            let key = literal(from: start)
            guard takeSpaced(":"), let value = value() else { return nil }
            members.append(OrderedJSON.Member(literal: key, value: value))
        } while takeSpaced(",")
        return take("}") ? .object(members) : nil
    }

    private mutating func array() -> OrderedJSON? {
        var elements: [OrderedJSON] = []
        guard take("[") else { return nil }
        if takeSpaced("]") { return .array([]) }
        repeat {
            guard let value = value() else { return nil }
            elements.append(value)
        } while takeSpaced(",")
        return take("]") ? .array(elements) : nil
    }

    /// Whether a number stands here, which then has been read.
    private mutating func number() -> Bool {
        _ = take("-")
        // Nothing may follow a zero at the start but a fraction or an exponent.
        guard take("0") || skipDigits() else { return false }
        if take("."), !skipDigits() { return false }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            return skipDigits()
        }
        return true
    }

    /// Whether there is a digit at least.
    private mutating func skipDigits() -> Bool {
        let start = index
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
        return index > start
    }

    /// What a string says, read with its quotes; `nil` when none stands here.
    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        var text: [UInt8] = []
        while let byte = next {
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let scalar = escape() else { return nil }
                text += String(scalar).utf8
            case 0..<0x20: return nil
            default: text.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        guard let byte = next else { return nil }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            guard let first = unit() else { return nil }
            guard (0xD800..<0xDC00).contains(first) else { return Unicode.Scalar(first) }
            // Characters beyond the first 65,536 are two units.
            guard take("\\"), take("u"), let second = unit(), (0xDC00..<0xE000).contains(second) else { return nil }
            return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        default: return nil
        }
    }

    private mutating func unit() -> UInt32? {
        let digits = bytes[index...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
        index += 4
        return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}
