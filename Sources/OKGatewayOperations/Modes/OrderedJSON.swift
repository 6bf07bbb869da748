#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A JSON text whose objects keep their order, and whose numbers and strings stay as they were written: what is changed in a
/// file that people edit is only what had to be.
enum OrderedJSON: Equatable, Sendable {
    /// A number, `true`, `false`, `null`, or a string with its quotes and escapes.
    case scalar(String)
    case array([OrderedJSON])
    case object([Member])

    struct Member: Equatable, Sendable {
        /// The key with its quotes and escapes.
        var literal: String
        var value: OrderedJSON
    }

    static let emptyObject = OrderedJSON.object([])

    /// `nil` for what is not one JSON text in UTF-8.
    init?(_ bytes: [UInt8]) {
        struct Anything: Decodable {
            init(from decoder: any Decoder) {}
        }
        // The decoder finds every fault of structure, numbers and words; it looks into strings only when they are asked for.
        guard String(validating: bytes, as: UTF8.self) != nil,
            (try? JSONDecoder().decode(Anything.self, from: Data(bytes))) != nil
        else { return nil }
        var reader = Reader(bytes: bytes)
        guard let value = reader.value() else { return nil }
        self = value
    }

    static func string(_ text: String) -> OrderedJSON { .scalar(literal(text)) }

    static func strings(_ texts: [String]) -> OrderedJSON { .array(texts.map(string)) }

    /// The text of a string; `nil` for anything else.
    var text: String? {
        guard case .scalar(let literal) = self, literal.hasPrefix("\"") else { return nil }
        return Self.text(of: literal)
    }

    var members: [Member]? {
        if case .object(let members) = self { members } else { nil }
    }

    var elements: [OrderedJSON]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// The value of a key of an object; a new key comes last, and nothing is changed in what is no object.
    subscript(key: String) -> OrderedJSON? {
        get { members?.last { Self.text(of: $0.literal) == key }?.value }
        set {
            guard var members, let newValue else { return }
            if let index = members.lastIndex(where: { Self.text(of: $0.literal) == key }) {
                members[index].value = newValue
            } else {
                members.append(Member(literal: Self.literal(key), value: newValue))
            }
            self = .object(members)
        }
    }

    /// The value of a key of an object; `nil` where that is absent or `null`.
    func member(_ key: String) -> OrderedJSON? { self[key].flatMap { $0 == .scalar("null") ? nil : $0 } }

    /// The text, two spaces to a level, with a newline at its end.
    var bytes: [UInt8] { Array((written(at: 0) + "\n").utf8) }

    private func written(at level: Int) -> String {
        let (outer, inner) = (String(repeating: "  ", count: level), String(repeating: "  ", count: level + 1))
        switch self {
        case .scalar(let literal): return literal
        case .array([]): return "[]"
        case .object([]): return "{}"
        case .array(let elements):
            let lines = elements.map { inner + $0.written(at: level + 1) }
            return "[\n" + lines.joined(separator: ",\n") + "\n\(outer)]"
        case .object(let members):
            let lines = members.map { "\(inner)\($0.literal): \($0.value.written(at: level + 1))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(outer)}"
        }
    }

    private static func literal(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }

    fileprivate static func text(of literal: String) -> String? {
        try? JSONDecoder().decode(String.self, from: Data(literal.utf8))
    }
}

extension OrderedJSON {
    /// Splits a text that is known to be JSON.
    private struct Reader {
        let bytes: [UInt8]
        var index = 0

        mutating func value() -> OrderedJSON? {
            skipSpace()
            switch next {
            case UInt8(ascii: "{"): return object()
            case UInt8(ascii: "["): return array()
            case UInt8(ascii: "\""): return string().map(OrderedJSON.scalar)
            case nil: return nil
            default: return word()
            }
        }

        private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

        private mutating func skipSpace() {
            while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { index += 1 }
        }

        private mutating func take(_ character: Unicode.Scalar) -> Bool {
            skipSpace()
            guard next == UInt8(ascii: character) else { return false }
            index += 1
            return true
        }

        private mutating func object() -> OrderedJSON? {
            guard take("{") else { return nil }
            var members: [Member] = []
            if take("}") { return .object(members) }
            repeat {
                skipSpace()
                guard let literal = string(), take(":"), let value = value() else { return nil }
                members.append(Member(literal: literal, value: value))
            } while take(",")
            return take("}") ? .object(members) : nil
        }

        private mutating func array() -> OrderedJSON? {
            guard take("[") else { return nil }
            var elements: [OrderedJSON] = []
            if take("]") { return .array(elements) }
            repeat {
                guard let value = value() else { return nil }
                elements.append(value)
            } while take(",")
            return take("]") ? .array(elements) : nil
        }

        private mutating func string() -> String? {
            let start = index
            guard take("\"") else { return nil }
            var isPlain = true
            while let byte = next, byte != UInt8(ascii: "\"") {
                guard byte >= 0x20 else { return nil }
                let isEscape = byte == UInt8(ascii: "\\")
                isPlain = isPlain && !isEscape
                index += isEscape ? 2 : 1
            }
            // Not `take`: it passes over space, which would be the string's own.
            guard next == UInt8(ascii: "\"") else { return nil }
            index += 1
            let literal = String(decoding: bytes[start..<index], as: UTF8.self)
            return isPlain || OrderedJSON.text(of: literal) != nil ? literal : nil
        }

        private mutating func word() -> OrderedJSON? {
            let start = index
            while let byte = next, !",]} \t\n\r".utf8.contains(byte) { index += 1 }
            return index > start ? .scalar(String(decoding: bytes[start..<index], as: UTF8.self)) : nil
        }
    }
}
