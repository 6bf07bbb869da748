/// A moment split into the fields of the Gregorian calendar in UTC.
///
/// The day is found by Howard Hinnant's `civil_from_days`, which counts years from March so that the leap day comes last.
package struct CalendarMoment {
    package let year, month, day, hour, minute, second, millisecond: Int64

    /// The milliseconds since 1970 whose text is not held at its end.
    static let textRange: Range<Int64> = 0..<253_402_300_800_000

    /// - Parameter milliseconds: since 1970-01-01T00:00:00Z; held within years 0 to 9999, which is what the text form can say.
    package init(milliseconds: Int64) {
        let clamped = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
        let days = (clamped >= 0 ? clamped : clamped - 86_399_999) / 86_400_000
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
