/// A JSON text whose objects keep their order, and whose numbers and strings stay as they were written: what is changed in a
/// file that people edit is only what had to be.
package enum OrderedJSON: Equatable, Sendable {
    /// A number, `true`, `false`, `null`, or a string with its quotes and escapes.
    case scalar(String)
    case array([OrderedJSON])
    case object([Member])

    package struct Member: Equatable, Sendable {
        /// The key with its quotes and escapes.
        package var literal: String
        package var value: OrderedJSON

        package init(literal: String, value: OrderedJSON) {
            self.literal = literal
            self.value = value
        }

        /// The key.
        package var key: String? { OrderedJSON.text(of: literal) }
    }

    package static let emptyObject = OrderedJSON.object([])
    package static let null = OrderedJSON.scalar("null")

    /// What a text has to keep to beside being JSON.
    package struct Rules: Sendable {
        /// How many brackets may stand within one another.
        package var deepest: Int
        /// Whether an object may have several members with one key.
        package var keysMayRepeat: Bool
        /// Whether every number has to be one that a `Double` can hold.
        package var numbersFitDouble: Bool
        /// Whether a byte order mark before it, which some editors write, is passed over.
        package var takesByteOrderMark: Bool

        package init(
            deepest: Int = 200,
            keysMayRepeat: Bool = true,
            numbersFitDouble: Bool = false,
            takesByteOrderMark: Bool = true
        ) {
            self.deepest = deepest
            self.keysMayRepeat = keysMayRepeat
            self.numbersFitDouble = numbersFitDouble
            self.takesByteOrderMark = takesByteOrderMark
        }
    }

    /// Reads one JSON text (RFC 8259) in UTF-8.
    package static func read(_ bytes: [UInt8], _ rules: Rules = Rules()) throws(JSONFault) -> OrderedJSON {
        try OrderedJSONReader.read(bytes, rules)
    }

    /// `nil` for what is not one JSON text, or is nested more than 200 levels deep.
    package init?(_ bytes: [UInt8]) {
        guard let value = try? OrderedJSON.read(bytes) else { return nil }
        self = value
    }

    package static func string(_ text: String) -> OrderedJSON { .scalar(literal(text)) }

    package static func strings(_ texts: [String]) -> OrderedJSON { .array(texts.map(string)) }

    /// The text of a string; `nil` for anything else.
    package var text: String? {
        // By bytes: to a `Character` a mark that combines belongs to the quotation mark before it.
        guard case .scalar(let literal) = self, literal.utf8.first == UInt8(ascii: "\"") else { return nil }
        return Self.text(of: literal)
    }

    package var members: [Member]? {
        if case .object(let members) = self { members } else { nil }
    }

    package var elements: [OrderedJSON]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// The value of a key of an object; a new key comes last, `nil` takes the key out, and nothing is changed in what is no object.
    package subscript(key: String) -> OrderedJSON? {
        get { members?.last { $0.key == key }?.value }
        set {
            guard var members else { return }
            guard let newValue else {
                members.removeAll { $0.key == key }
                self = .object(members)
                return
            }
            if let index = members.lastIndex(where: { $0.key == key }) {
                members[index].value = newValue
            } else {
                members.append(Member(literal: Self.literal(key), value: newValue))
            }
            self = .object(members)
        }
    }

    /// The value of a key of an object; `nil` where that is absent or `null`.
    package func member(_ key: String) -> OrderedJSON? { self[key].flatMap { $0 == .null ? nil : $0 } }

    /// The same with every string in it shown as by ``String/withoutURLSecrets``.
    package var withoutURLSecrets: OrderedJSON {
        switch self {
        case .scalar: text.map { .string($0.withoutURLSecrets) } ?? self
        case .array(let elements): .array(elements.map(\.withoutURLSecrets))
        case .object(let members):
            .object(members.map { Member(literal: $0.literal, value: $0.value.withoutURLSecrets) })
        }
    }

    /// The text without white space.
    package var compactText: String {
        switch self {
        case .scalar(let literal): literal
        case .array(let elements): "[" + elements.map(\.compactText).joined(separator: ",") + "]"
        case .object(let members):
            "{" + members.map { "\($0.literal):\($0.value.compactText)" }.joined(separator: ",") + "}"
        }
    }

    /// The text, two spaces to a level, with a newline at its end.
    package var bytes: [UInt8] { Array((written(at: 0) + "\n").utf8) }

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

    package static func literal(_ text: String) -> String {
        var writer = JSONWriter(capacity: text.utf8.count + 2)
        writer.value(text)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// What a string's literal says; `nil` when it is none.
    private static func text(of literal: String) -> String? { OrderedJSONReader.text(ofString: literal) }
}
