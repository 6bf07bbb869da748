/// Splits a text into its values, and finds every fault that RFC 8259 knows.
struct OrderedJSONReader {
    private let bytes: [UInt8]
    private let rules: OrderedJSON.Rules
    private var index = 0
    private var depth = 0

    private init(_ bytes: [UInt8], _ rules: OrderedJSON.Rules) {
        self.bytes = bytes
        self.rules = rules
    }

    static func read(_ bytes: [UInt8], _ rules: OrderedJSON.Rules) throws(JSONFault) -> OrderedJSON {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw JSONFault(what: "it is not UTF-8, as JSON has to be", offset: 0)
        }
        var reader = OrderedJSONReader(bytes, rules)
        if rules.takesByteOrderMark, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.index = 3 }
        let value = try reader.value()
        reader.skipSpace()
        guard reader.index == bytes.count else { throw reader.fault("something follows the end of the JSON text") }
        return value
    }

    /// - Returns: `nil` for what is not one string with its quotes.
    static func text(ofString literal: String) -> String? {
        var reader = OrderedJSONReader(Array(literal.utf8), OrderedJSON.Rules())
        guard let text = try? reader.string(), reader.index == reader.bytes.count else { return nil }
        return text
    }

    private func fault(_ what: String) -> JSONFault { JSONFault(what: what, offset: index) }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

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

    private mutating func value() throws(JSONFault) -> OrderedJSON {
        skipSpace()
        let start = index
        switch next {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard depth < rules.deepest else { throw fault("it is nested more than \(rules.deepest) levels deep") }
            depth += 1
            defer { depth -= 1 }
            return take("{") ? try object() : try array()
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        case let byte? where byte == UInt8(ascii: "-") || Self.isDigit(byte): try number()
        case nil: throw fault("it ends too early")
        default: throw fault("a value was expected; texts stand in quotation marks")
        }
        return .scalar(literal(from: start))
    }

    private mutating func word(_ word: String) throws(JSONFault) {
        guard bytes[index...].starts(with: word.utf8) else {
            throw fault("a value was expected; texts stand in quotation marks")
        }
        index += word.utf8.count
    }

    /// The rest of an object whose bracket has been read.
    private mutating func object() throws(JSONFault) -> OrderedJSON {
        var members: [OrderedJSON.Member] = []
        var keys: Set<String> = []
        if takeSpaced("}") { return .object([]) }
        repeat {
            skipSpace()
            let start = index
            let key = try string("a key in quotation marks was expected")
            guard rules.keysMayRepeat || keys.insert(key).inserted else {
                throw fault("the key \"\(key.bounded(toBytes: 60))\" comes twice in one object")
            }
            let written = literal(from: start)
            guard takeSpaced(":") else { throw fault("a colon was expected") }
            members.append(OrderedJSON.Member(literal: written, value: try value()))
        } while takeSpaced(",")
        guard take("}") else { throw fault("a comma or the end of an object was expected") }
        return .object(members)
    }

    private mutating func array() throws(JSONFault) -> OrderedJSON {
        var elements: [OrderedJSON] = []
        index += 1
        if takeSpaced("]") { return .array([]) }
        repeat { elements.append(try value()) } while takeSpaced(",")
        guard take("]") else { throw fault("a comma or the end of an array was expected") }
        return .array(elements)
    }

    private mutating func number() throws(JSONFault) {
        let start = index
        _ = take("-")
        if take("0") {
            if let byte = next, Self.isDigit(byte) { throw fault("a number begins with 0") }
        } else {
            try digits()
        }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        if rules.numbersFitDouble, Double(literal(from: start))?.isFinite != true {
            throw fault("a number is too large")
        }
    }

    private mutating func digits() throws(JSONFault) {
        let start = index
        while let byte = next, Self.isDigit(byte) { index += 1 }
        guard index > start else { throw fault("a digit was expected") }
    }

    /// What a string says, read with its quotes.
    private mutating func string(_ missing: String = "a string was expected") throws(JSONFault) -> String {
        guard take("\"") else { throw fault(missing) }
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
                text += String(try escape()).utf8
                plainStart = index
            case 0..<0x20: throw fault("a control character stands in a string and has to be escaped")
            default: index += 1
            }
        }
        throw fault("a string has no end")
    }

    private mutating func escape() throws(JSONFault) -> Unicode.Scalar {
        guard let byte = next else { throw fault("a string has no end") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try escapedScalar()
        default: throw fault("a string has an escape that JSON doesn't know")
        }
    }

    private mutating func escapedScalar() throws(JSONFault) -> Unicode.Scalar {
        var value = try unit()
        // Characters beyond the first 65,536 are two units.
        if (0xD800..<0xDC00).contains(value), take("\\"), take("u") {
            let low = try unit()
            guard (0xDC00..<0xE000).contains(low) else { throw fault("half of a character is escaped in a string") }
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw fault("half of a character is escaped in a string") }
        return scalar
    }

    private mutating func unit() throws(JSONFault) -> UInt32 {
        let digits = bytes[index...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw fault("\\u is not followed by four hexadecimal digits") }
        index += 4
        return unit
    }
}
