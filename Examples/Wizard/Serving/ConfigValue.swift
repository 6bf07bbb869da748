#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

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

extension ConfigValue: Decodable {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }

        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        if let object = try? decoder.container(keyedBy: Key.self) {
            let pairs = try object.allKeys.map { ($0.stringValue, try object.decode(ConfigValue.self, forKey: $0)) }
            self = .object(Dictionary(pairs, uniquingKeysWith: { $1 }))
        } else if var list = try? decoder.unkeyedContainer() {
            var values: [ConfigValue] = []
            while !list.isAtEnd { values.append(try list.decode(ConfigValue.self)) }
            self = .list(values)
        } else {
            let single = try decoder.singleValueContainer()
            if single.decodeNil() {
                self = .null
            } else if let flag = try? single.decode(Bool.self) {
                self = .flag(flag)
            } else if let number = try? single.decode(Double.self) {
                self = .number(number)
            } else {
                self = .text(try single.decode(String.self))
            }
        }
    }
}

extension Double {
    /// Without a fraction where there is none.
    var formattedAsWhole: String {
        Int(exactly: self).map(String.init) ?? "\(self)"
    }
}
