import OperationHTTP

/// Any JSON, as a configuration file may hold it.
enum ConfigValue: Sendable, Equatable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([ConfigValue])
    case object([String: ConfigValue])

    /// What it is, in words that stand after "not".
    var kind: String {
        switch self {
        case .null: "null"
        case .flag(let value): "\(value)"
        case .number(let value): "the number \(value.formattedAsWhole)"
        case .text(let value): "'\(value.printable.truncated(to: 40))'"
        case .list: "a list"
        case .object: "an object"
        }
    }
}

extension ConfigValue {
    init(_ value: JSONValue) {
        switch value {
        case .null: self = .null
        case .bool(let flag): self = .flag(flag)
        case .integer(let number): self = .number(Double(number))
        case .number(let number): self = .number(number)
        case .string(let text): self = .text(text)
        case .array(let elements): self = .list(elements.map(ConfigValue.init))
        case .object(let members):
            // No key comes twice: the reader sees to that.
            self = .object(Dictionary(uniqueKeysWithValues: members.map { ($0.key, ConfigValue($0.value)) }))
        }
    }
}

extension Double {
    /// Without a fraction where there is none.
    var formattedAsWhole: String {
        Int(exactly: self).map(String.init) ?? "\(self)"
    }
}
