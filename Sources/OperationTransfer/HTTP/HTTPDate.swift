/// A time as HTTP writes it, such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7). The two obsolete forms, which
/// nobody has sent for decades, are not read.
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Seconds since 1970; `nil` where the text is no such time.
    static func seconds(_ text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let day = number(parts[1], 1...31),
            let month = months.firstIndex(of: String(parts[2])), let year = number(parts[3], 1970...9999)
        else { return nil }
        let clock = parts[4].split(separator: ":")
        guard clock.count == 3, let hour = number(clock[0], 0...23), let minute = number(clock[1], 0...59),
            let second = number(clock[2], 0...60)
        else { return nil }
        return ((days(year, Int64(month) + 1, day) * 24 + hour) * 60 + minute) * 60 + second
    }

    /// Days since 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the leap day comes last (H. Hinnant,
    /// "chrono-Compatible Low-Level Date Algorithms").
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month > 2 ? year : year - 1
        let era = year / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func number(_ text: Substring, _ range: ClosedRange<Int64>) -> Int64? {
        guard text.utf8.allSatisfy({ (48...57).contains($0) }), let value = Int64(text) else { return nil }
        return range.contains(value) ? value : nil
    }
}

extension HTTPHeaders {
    /// How long the server asks to be left alone (`Retry-After`, RFC 9110, section 10.2.3), as a number of seconds or as a time,
    /// which is compared with the answer's own `Date` where there is one, since the two clocks may differ.
    ///
    /// - Parameter wallMilliseconds: the time now, in milliseconds since 1970.
    /// - Returns: at least zero; `nil` when the answer doesn't say.
    public func retryAfter(at wallMilliseconds: Int64) -> Duration? {
        guard let value = self["Retry-After"] else { return nil }
        if !value.isEmpty, value.utf8.allSatisfy({ (48...57).contains($0) }) {
            // More than fits is as good as for ever.
            return .seconds(Swift.min(Int64(value) ?? .max, 1 << 40))
        }
        guard let time = HTTPDate.seconds(value) else { return nil }
        let now = self["Date"].flatMap(HTTPDate.seconds) ?? wallMilliseconds / 1000
        return .seconds(Swift.max(0, time - now))
    }
}
