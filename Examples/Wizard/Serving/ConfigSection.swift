import OperationHTTP

/// What is wrong with a configuration, all of it.
final class ConfigProblems {
    private(set) var all: [String] = []

    func add(_ problem: String) { all.append(problem) }
}

/// An object of a configuration, whose keys are taken one after the other. What nobody has taken at the end is a mistake.
///
/// A value that is wrong is noted, and left at its default: so that all mistakes can be told at once.
struct ConfigSection {
    /// Where it is, such as `overload.`; empty for the whole.
    private let path: String
    private let values: [String: JSONValue]
    private let problems: ConfigProblems
    private var known: [String] = []

    init(_ members: [(key: String, value: JSONValue)], path: String = "", problems: ConfigProblems) {
        // No key comes twice: the reader sees to that.
        values = Dictionary(uniqueKeysWithValues: members.map { ($0.key, $0.value) })
        self.path = path
        self.problems = problems
    }

    mutating func text(_ key: String) -> String? {
        take(key, "a text") { if case .string(let text) = $0, !text.isEmpty { text } else { nil } }
    }

    mutating func flag(_ key: String) -> Bool? {
        take(key, "true or false") { if case .bool(let flag) = $0 { flag } else { nil } }
    }

    mutating func number(_ key: String, in range: ClosedRange<Double>) -> Double? {
        take(key, "a number from \(range.lowerBound.formattedAsWhole) to \(range.upperBound.formattedAsWhole)") {
            $0.number.flatMap { range.contains($0) ? $0 : nil }
        }
    }

    mutating func whole(_ key: String, in range: ClosedRange<Int>) -> Int? {
        take(key, "a whole number from \(range.lowerBound) to \(range.upperBound)") {
            $0.number.flatMap { Int(exactly: $0) }.flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// A number, or `null` for none; the outer `nil` when the key isn't there.
    mutating func limit(_ key: String, in range: ClosedRange<Double>) -> Double?? {
        if case .null? = values[key] {
            known.append(key)
            return .some(nil)
        }
        return number(key, in: range)
    }

    mutating func texts(_ key: String) -> [String]? {
        let list = take(key, "a list of texts") { if case .array(let list) = $0 { list } else { nil } }
        return list.map { list in
            list.compactMap { element in
                if case .string(let text) = element { return text }
                refuse(key, "the list takes texts, and there is \(element.shown) in it.")
                return nil
            }
        }
    }

    /// One of some words.
    mutating func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, _: Choice.Type) -> Choice?
    where Choice.RawValue == String {
        let words = Choice.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        return take(key, "one of \(words)") { if case .string(let text) = $0 { Choice(rawValue: text) } else { nil } }
    }

    /// An object within this one.
    mutating func section(_ key: String, _ read: (inout ConfigSection) -> Void) {
        let values = take(key, "an object") { if case .object(let object) = $0 { object } else { nil } }
        guard let values else { return }
        var section = ConfigSection(values, path: path + key + ".", problems: problems)
        read(&section)
        section.finish()
    }

    /// The numbers of an object whose keys are names.
    mutating func wholesByName(_ key: String, in range: ClosedRange<Int>) -> [String: Int] {
        var found: [String: Int] = [:]
        let names = if case .object(let object)? = values[key] { object.map(\.key).sorted() } else { [String]() }
        section(key) { section in
            for name in names { found[name] = section.whole(name, in: range) }
        }
        return found
    }

    /// Notes a mistake in a value that has the right type.
    func refuse(_ key: String, _ why: String) { problems.add("\(path)\(key): \(why)") }

    /// Notes what nobody has taken.
    func finish() {
        for key in values.keys.sorted() where !known.contains(key) {
            let near = known.min { $0.editDistance(to: key) < $1.editDistance(to: key) }
                .flatMap { $0.editDistance(to: key) <= max(2, key.count / 3) ? $0 : nil }
            let shown = "\(path)\(key)".printable.truncated(to: 80)
            let all = known.sorted().joined(separator: ", ")
            problems.add(
                "\(shown) is no setting" + (near.map { ": did you mean \(path)\($0)?" } ?? "; here are \(all).")
            )
        }
    }

    private mutating func take<Value>(_ key: String, _ wanted: String, _ read: (JSONValue) -> Value?) -> Value? {
        known.append(key)
        guard let value = values[key] else { return nil }
        if let read = read(value) { return read }
        problems.add("\(path)\(key) takes \(wanted), not \(value.shown).")
        return nil
    }
}

extension JSONValue {
    fileprivate var number: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        case .null, .bool, .string, .array, .object: nil
        }
    }

    /// The value itself, in words that stand after "not".
    var shown: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "the number \(value)"
        case .number(let value): "the number \(value.formattedAsWhole)"
        case .string(let value): value.isEmpty ? "an empty text" : "'\(value.printable.truncated(to: 40))'"
        case .array: "a list"
        case .object: "an object"
        }
    }
}

extension Double {
    /// Without a fraction where there is none.
    fileprivate var formattedAsWhole: String { Int(exactly: self).map(String.init) ?? "\(self)" }
}

extension String {
    /// How many letters have to be put in, left out or changed to make another text of this one (V. Levenshtein, 1965).
    fileprivate func editDistance(to other: String) -> Int {
        let other = Array(other)
        var row = Array(0...other.count)
        for (index, letter) in enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in other.indices {
                let change = diagonal + (letter == other[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = Swift.min(change, row[column] + 1, row[column + 1] + 1)
            }
        }
        return row[other.count]
    }
}
