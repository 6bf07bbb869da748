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

    /// A thousand years in milliseconds, after which no one waits.
    static let longest: Int64 = 1000 * 366 * millisecondsOfDay

    private static func modulo(_ value: Int64, _ divisor: Int64) -> Int64 {
        let rest = value % divisor
        return rest < 0 ? rest + divisor : rest
    }

    private static func padded(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
