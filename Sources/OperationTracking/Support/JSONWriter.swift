/// Writes JSON text into one growing buffer.
///
/// `JSONEncoder` needs about ten times as long for an operation, and the same operation is encoded for every tick of every
/// stream.
package struct JSONWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    package init(capacity: Int) {
        bytes.reserveCapacity(capacity)
    }

    package mutating func beginObject() {
        separate()
        bytes.append(UInt8(ascii: "{"))
        needsComma = false
    }

    package mutating func endObject() {
        bytes.append(UInt8(ascii: "}"))
        needsComma = true
    }

    package mutating func beginArray() {
        separate()
        bytes.append(UInt8(ascii: "["))
        needsComma = false
    }

    package mutating func endArray() {
        bytes.append(UInt8(ascii: "]"))
        needsComma = true
    }

    /// Writes what is JSON already.
    package mutating func embed(_ json: (some Collection<UInt8>)?) {
        guard let json else { return null() }
        separate()
        bytes.append(contentsOf: json)
        needsComma = true
    }

    /// Writes a key from outside.
    package mutating func outsideKey(_ name: String) {
        value(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes a key; it must need no escaping, as every key of ours.
    package mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func null() {
        literal("null")
    }

    package mutating func value(_ truth: Bool?) {
        guard let truth else { return null() }
        literal(truth ? "true" : "false")
    }

    package mutating func value(_ text: String?) {
        guard var text else { return null() }
        separate()
        bytes.append(UInt8(ascii: "\""))
        text.withUTF8 { appendEscaped($0) }
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    package mutating func value(_ number: (some FixedWidthInteger)?) {
        guard let number else { return null() }
        separate()
        appendInteger(Int64(number))
        needsComma = true
    }

    /// Writes a number rounded to `decimals` places; what is not finite is null, since JSON has no word for it.
    package mutating func value(_ number: Double?, decimals: Int = 3) {
        guard let number, number.isFinite else { return null() }
        separate()
        needsComma = true
        let scale = Self.powersOfTen[decimals]
        let scaled = (number * scale).rounded()
        guard abs(scaled) < 9e15 else {
            bytes.append(contentsOf: "\(number)".utf8)
            return
        }
        let whole = Int64(scaled)
        let (quotient, remainder) = abs(whole).quotientAndRemainder(dividingBy: Int64(scale))
        if whole < 0 { bytes.append(UInt8(ascii: "-")) }
        appendInteger(quotient)
        guard remainder > 0 else { return }
        bytes.append(UInt8(ascii: "."))
        appendDigits(remainder, width: decimals)
        while bytes.last == UInt8(ascii: "0") { bytes.removeLast() }
    }

    /// Writes a moment as ISO 8601 in UTC with milliseconds.
    package mutating func value(milliseconds: Int64?) {
        guard let milliseconds else { return null() }
        separate()
        bytes.append(UInt8(ascii: "\""))
        let moment = CalendarMoment(milliseconds: milliseconds)
        appendDigits(moment.year, width: 4)
        bytes.append(UInt8(ascii: "-"))
        appendDigits(moment.month, width: 2)
        bytes.append(UInt8(ascii: "-"))
        appendDigits(moment.day, width: 2)
        bytes.append(UInt8(ascii: "T"))
        appendDigits(moment.hour, width: 2)
        bytes.append(UInt8(ascii: ":"))
        appendDigits(moment.minute, width: 2)
        bytes.append(UInt8(ascii: ":"))
        appendDigits(moment.second, width: 2)
        bytes.append(UInt8(ascii: "."))
        appendDigits(moment.millisecond, width: 3)
        bytes.append(UInt8(ascii: "Z"))
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    private static let powersOfTen: [Double] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func literal(_ text: StaticString) {
        separate()
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        needsComma = true
    }

    private mutating func appendInteger(_ number: Int64) {
        var magnitude = number.magnitude
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var start = 20
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: magnitude % 10)
                magnitude /= 10
            } while magnitude > 0
            bytes.append(contentsOf: UnsafeMutableBufferPointer(rebasing: digits[start...]))
        }
    }

    private mutating func appendDigits(_ number: Int64, width: Int) {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: width))
        var rest = number
        var index = start + width - 1
        while rest > 0, index >= start {
            bytes[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
            index -= 1
        }
    }

    private mutating func appendEscaped(_ text: UnsafeBufferPointer<UInt8>) {
        var plainStart = 0
        for (index, byte) in text.enumerated()
        where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
            bytes.append(contentsOf: text[plainStart..<index])
            plainStart = index + 1
            bytes.append(UInt8(ascii: "\\"))
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
            case UInt8(ascii: "\n"): bytes.append(UInt8(ascii: "n"))
            case UInt8(ascii: "\r"): bytes.append(UInt8(ascii: "r"))
            case UInt8(ascii: "\t"): bytes.append(UInt8(ascii: "t"))
            default:
                bytes.append(contentsOf: "u00".utf8)
                bytes.append(Self.hexDigit(byte >> 4))
                bytes.append(Self.hexDigit(byte & 15))
            }
        }
        bytes.append(contentsOf: text[plainStart...])
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}

/// A moment split into the fields of the Gregorian calendar in UTC.
///
/// The day is found by Howard Hinnant's `civil_from_days`, which counts years from March so that the leap day comes last.
package struct CalendarMoment {
    package let year, month, day, hour, minute, second, millisecond: Int64

    /// - Parameter milliseconds: since 1970-01-01T00:00:00Z; held within years 0 to 9999, which is what the text form can say.
    package init(milliseconds: Int64) {
        let clamped = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
        let days = Int64((Double(clamped) / 86_400_000).rounded(.down))
        let inDay = clamped - days * 86_400_000
        millisecond = inDay % 1000
        second = inDay / 1000 % 60
        minute = inDay / 60_000 % 60
        hour = inDay / 3_600_000

        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }
}

extension CalendarMoment {
    /// The time of day in UTC as `HH:MM:SS`.
    package static func timeOfDay(milliseconds: Int64) -> String {
        let moment = CalendarMoment(milliseconds: milliseconds)
        let fields = [moment.hour, moment.minute, moment.second]
        return fields.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }
}
