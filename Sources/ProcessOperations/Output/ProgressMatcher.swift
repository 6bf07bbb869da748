/// Recognises what tells progress in a row of tokens: `45 %`, `12/345`, `1.2 MB / 3 GB`, `1.2/3 GB`.
struct ProgressMatcher {
    /// The forms of progress, the one that is least often meant otherwise last.
    enum Form: Comparable {
        case fraction, bytes, percent
    }

    struct Reading {
        let form: Form
        /// 0 to 1.
        let share: Double
    }

    private enum State {
        case idle
        case first(Amount)
        case firstWithUnit(Amount, UInt64)
        case slash(Amount, unit: UInt64?)
        case second(Amount, unit: UInt64?, Amount)
        /// Within something that only looks like progress, such as a path, a date or a negative number.
        case other
    }

    private var state = State.idle

    /// Forgets what it has seen: what follows is not what it looks like.
    mutating func giveUp() {
        state = .other
    }

    mutating func take(number: Amount?) {
        guard let number else {
            state = .other
            return
        }
        switch state {
        case .slash(let first, let unit): state = .second(first, unit: unit, number)
        case .other: break
        default: state = .first(number)
        }
    }

    mutating func take(word: [UInt8]) -> Reading? {
        guard let unit = Self.unit(word) else {
            state = .other
            return nil
        }
        switch state {
        case .first(let first):
            state = .firstWithUnit(first, unit)
            return nil
        case .second(let first, let firstUnit, let second):
            state = .other
            return reading(.bytes, first.value * Double(firstUnit ?? unit), of: second.value * Double(unit))
        default:
            state = .other
            return nil
        }
    }

    mutating func take(punctuation byte: UInt8) -> Reading? {
        switch (byte, state) {
        case (UInt8(ascii: " "), .other), (UInt8(ascii: "\t"), .other):
            state = .idle
            return nil
        case (UInt8(ascii: " "), .second(let first, nil, let second)):
            // The state stays: a unit may follow.
            return fraction(first, second)
        case (UInt8(ascii: " "), _):
            return nil
        case (UInt8(ascii: "%"), .first(let number)):
            state = .idle
            return reading(.percent, number.value, of: 100)
        case (UInt8(ascii: "/"), .first(let first)):
            state = .slash(first, unit: nil)
            return nil
        case (UInt8(ascii: "/"), .firstWithUnit(let first, let unit)):
            state = .slash(first, unit: unit)
            return nil
        case (UInt8(ascii: "/"), _), (UInt8(ascii: "-"), _), (UInt8(ascii: "%"), _):
            state = .other
            return nil
        case (_, .second(let first, nil, let second)):
            state = .idle
            return fraction(first, second)
        default:
            state = .idle
            return nil
        }
    }

    private func fraction(_ first: Amount, _ second: Amount) -> Reading? {
        guard first.isWhole, second.isWhole else { return nil }
        return reading(.fraction, first.value, of: second.value)
    }

    private func reading(_ form: Form, _ part: Double, of whole: Double) -> Reading? {
        guard whole > 0, (0...whole).contains(part) else { return nil }
        return Reading(form: form, share: part / whole)
    }

    /// How many bytes a unit has. Only the relation of two amounts counts, so it is enough that `MB` is always the same.
    private static func unit(_ word: [UInt8]) -> UInt64? {
        let name = word.map { $0 | 0x20 }
        switch name {
        case [UInt8(ascii: "b")], Array("byte".utf8), Array("bytes".utf8): return 1
        default: break
        }
        let prefixes = Array("kmgt".utf8)
        guard let first = name.first, let power = prefixes.firstIndex(of: first) else { return nil }
        let base: UInt64
        switch name.dropFirst() {
        case [], [UInt8(ascii: "b")]: base = 1000
        case [UInt8(ascii: "i")], [UInt8(ascii: "i"), UInt8(ascii: "b")]: base = 1024
        default: return nil
        }
        return (0..<power).reduce(base) { unit, _ in unit * base }
    }
}

/// A number as outputs have them: `1234`, `12.5`, `1,234,567`, or `12,5` where a comma is the decimal mark.
struct Amount: Equatable {
    let value: Double
    let isWhole: Bool

    /// `nil` when the text is no such number, such as `1.2.3`, or has more digits than any real amount.
    init?(_ text: [UInt8]) {
        // A full stop or a comma after a number is the sentence's.
        let text = text[...(text.lastIndex { !Self.isMark($0) } ?? 0)]
        let parts = text.split(omittingEmptySubsequences: false, whereSeparator: Self.isMark)
        let marks = text.filter(Self.isMark)
        let isGrouped = !marks.isEmpty && parts.dropFirst().dropLast().allSatisfy { $0.count == 3 }
        let commas = marks.prefix { $0 == UInt8(ascii: ",") }.count
        let digits = parts.reduce(0) { $0 + $1.count }
        guard digits <= 18, parts.allSatisfy({ !$0.isEmpty }) else { return nil }

        let wholeParts: Int
        switch marks.count - commas {
        case 0 where commas == 1 && parts[1].count != 3: wholeParts = 1
        case 0 where commas == 0 || isGrouped && parts[commas].count == 3: wholeParts = parts.count
        case 1 where marks.last == UInt8(ascii: ".") && (commas == 0 || isGrouped): wholeParts = parts.count - 1
        default: return nil
        }
        let decimals = parts.dropFirst(wholeParts).first?.count ?? 0
        let all = parts.joined().reduce(0.0) { $0 * 10 + Double($1 - UInt8(ascii: "0")) }
        value = (0..<decimals).reduce(all) { number, _ in number / 10 }
        isWhole = decimals == 0
    }

    private static func isMark(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ".") || byte == UInt8(ascii: ",")
    }
}
