import OperationTracking

/// The times at which quotas begin anew, and how they are said. All are in UTC.
enum Moments {
    static let millisecondsOfDay: Int64 = 86_400_000

    /// When a window that contains `now` ends.
    static func end(of window: NounProjectUsage.Window, at now: Int64) -> Int64 {
        switch window {
        case .hourly: return now - modulo(now, 3_600_000) + 3_600_000
        case .daily: return startOfDay(now) + millisecondsOfDay
        case .monthly:
            let month = CalendarMoment(milliseconds: now).month
            var day = startOfDay(now)
            repeat { day += millisecondsOfDay } while CalendarMoment(milliseconds: day).month == month
            return day
        }
    }

    static func startOfDay(_ moment: Int64) -> Int64 { moment - modulo(moment, millisecondsOfDay) }

    /// Date and time as `2026-08-01 00:00 UTC`.
    static func text(_ moment: Int64) -> String {
        let time = CalendarMoment(milliseconds: moment)
        return "\(time.year)-\(padded(time.month))-\(padded(time.day)) \(padded(time.hour)):\(padded(time.minute)) UTC"
    }

    /// How long to wait as a `Retry-After` field says it: seconds, or a date (RFC 9110, sections 10.2.3 and 5.6.7).
    ///
    /// - Returns: at least zero; `nil` for a text that is neither.
    static func retryAfter(_ text: String, at now: Int64) -> Duration? {
        if text.utf8.allSatisfy({ (48...57).contains($0) }), let seconds = Int64(text), seconds < 1 << 40 {
            return .seconds(seconds)
        }
        guard let moment = httpDate(text) else { return nil }
        return .milliseconds(max(0, moment - now))
    }

    /// Reads `Sun, 06 Nov 1994 08:49:37 GMT`.
    private static func httpDate(_ text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: parts[2]) else { return nil }
        let time = parts[4].split(separator: ":").compactMap { Int64($0) }
        guard let day = Int64(parts[1]), let year = Int64(parts[3]), time.count == 3 else { return nil }
        guard (1...31).contains(day), (1970...9999).contains(year) else { return nil }
        guard (0...23).contains(time[0]), (0...59).contains(time[1]), (0...60).contains(time[2]) else { return nil }
        return 1000 * (86_400 * days(year, Int64(month) + 1, day) + 3600 * time[0] + 60 * time[1] + time[2])
    }

    /// Days since 1970-01-01 (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`), from year 0 on.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = shifted.quotientAndRemainder(dividingBy: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static let months: [Substring] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func modulo(_ value: Int64, _ divisor: Int64) -> Int64 {
        let rest = value % divisor
        return rest < 0 ? rest + divisor : rest
    }

    private static func padded(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
