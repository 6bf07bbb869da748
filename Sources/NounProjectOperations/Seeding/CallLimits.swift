import OperationTracking

/// How often the API may be called.
public struct CallLimits: Sendable, Hashable {
    /// The most calls within any 60 seconds; at least 1.
    public var perMinute: Int
    /// The most calls within a day in UTC; at least 1.
    public var perDay: Int

    /// Makes limits; values below 1 are taken as 1.
    public init(perMinute: Int = 100, perDay: Int = 5000) {
        self.perMinute = max(1, perMinute)
        self.perDay = max(1, perDay)
    }
}

/// Which calls were made, as far as the limits need it: a pure value. Times are milliseconds since 1970.
struct CallLog: Hashable {
    /// When the day of `today` began.
    private(set) var day: Int64 = 0
    /// The calls of that day.
    private(set) var today = 0
    /// When the calls of the last minute were made, oldest first.
    private(set) var recent: [Int64] = []

    /// What may be done now.
    enum Verdict: Hashable {
        case go
        /// So many milliseconds to wait.
        case wait(Int64)
        /// There is no call left before that moment.
        case exhausted(until: Int64)
    }

    init() {}

    init(day: Int64, today: Int, recent: [Int64]) {
        self.day = day
        self.today = max(0, today)
        self.recent = recent.sorted()
    }

    /// Forgets what no longer counts. What lies in the future was written under a clock that was wrong.
    mutating func advance(to now: Int64) {
        if day != Moments.startOfDay(now) {
            day = Moments.startOfDay(now)
            today = 0
        }
        recent.removeAll { $0 <= now - 60_000 || $0 > now }
    }

    /// What is to be said of the last of so many calls, made one after the other from now on.
    func verdict(onCall number: Int, _ limits: CallLimits, at now: Int64) -> Verdict {
        guard number <= limits.perDay - today else { return .exhausted(until: day + Moments.millisecondsOfDay) }
        let free = max(0, limits.perMinute - recent.count)
        guard number > free else { return .go }
        // Each call waits for the one that was made a full minute's number of calls before it.
        let places = Array(recent.suffix(limits.perMinute)) + Array(repeating: now, count: free)
        let (rounds, index) = (number - free - 1).quotientAndRemainder(dividingBy: limits.perMinute)
        return .wait(places[index] + 60_000 * Int64(rounds + 1) - now)
    }

    mutating func record(at now: Int64) {
        today += 1
        recent.append(now)
    }
}
