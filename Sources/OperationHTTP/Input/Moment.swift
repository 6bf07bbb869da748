#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif
import OperationTracking

extension APIParameters {
    /// A moment as RFC 3339 has it, such as `2026-01-31T23:59:59.5Z`, or a day, which begins in UTC.
    package func moment(_ name: String) throws(APIProblem) -> Date? {
        guard let text = try text(name, limit: 64) else { return nil }
        guard let date = MomentReader.read(text) else {
            throw .invalid("\(name) is not a moment: send one such as 2026-01-31T23:59:59Z, or a day.")
        }
        return date
    }
}

/// Reads a moment as RFC 3339 has it.
struct MomentReader {
    private var rest: Substring.UTF8View

    static func read(_ text: String) -> Date? {
        var reader = MomentReader(rest: text[...].utf8)
        return reader.moment().map { Date(timeIntervalSince1970: $0) }
    }

    private mutating func moment() -> Double? {
        guard let year = number(4), take("-"), let month = number(2), take("-"), let day = number(2),
            (1...12).contains(month), (1...Self.days(in: month, of: year)).contains(day)
        else { return nil }
        let days = Double(Self.daysSince1970(year, month, day)) * 86_400
        if rest.isEmpty { return days }
        guard take("T") || take("t") || take(" "), let hour = number(2), take(":"), let minute = number(2), take(":"),
            // 60 is a leap second.
            let second = number(2), hour < 24, minute < 60, second <= 60, let fraction = fraction(),
            let offset = offset(),
            rest.isEmpty
        else { return nil }
        return days + Double(hour * 3600 + minute * 60 + second - offset) + fraction
    }

    private mutating func fraction() -> Double? {
        guard take(".") else { return 0 }
        var value = 0.0
        var scale = 0.1
        var count = 0
        while let byte = rest.first, Self.isDigit(byte) {
            value += Double(byte - UInt8(ascii: "0")) * scale
            scale /= 10
            count += 1
            rest = rest.dropFirst()
        }
        return count > 0 ? value : nil
    }

    /// Seconds that local time is ahead of UTC.
    private mutating func offset() -> Int? {
        if take("Z") || take("z") { return 0 }
        let isAhead = take("+")
        guard isAhead || take("-"), let hours = number(2), take(":"), let minutes = number(2), hours < 24, minutes < 60
        else { return nil }
        return (isAhead ? 1 : -1) * (hours * 3600 + minutes * 60)
    }

    private mutating func number(_ width: Int) -> Int? {
        let digits = rest.prefix(width)
        guard digits.count == width, digits.allSatisfy(Self.isDigit) else { return nil }
        rest = rest.dropFirst(width)
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func days(in month: Int, of year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    /// Counts from March, so that the leap day comes last (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
