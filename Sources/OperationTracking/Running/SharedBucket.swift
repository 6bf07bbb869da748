/// A token bucket whose waiters are all served at the same speed, whatever the size of what each asks for.
///
/// Handing out whole amounts in turn would give more to whoever asks for more at a time. So the rate is thought of as shared
/// out evenly at every moment ("processor sharing"): ``served`` is what each of those who wait has had since it began to count,
/// and a waiter is done when that has grown by what it asked for. Pure: the time comes from outside.
struct SharedBucket {
    /// How much of what idle time has left can be used at once, in seconds of the rate: enough for a timer that is late, and
    /// little enough for the mean over ten seconds to stay within a percent.
    private static let burstSeconds = 0.1

    /// Bytes a second; `nil` for no limit.
    private(set) var rate: Double?
    /// What idle time has left, in bytes.
    private var credit = 0.0
    private var served = 0.0
    /// The value of ``served`` at which each is done.
    private var goals: [UInt64: Double] = [:]
    private var time: Int64 = 0

    /// Changes the rate from `now` on.
    mutating func setRate(_ newRate: Double?, at now: Int64) {
        // What has finished stays among the goals, at or below `served`: the next `finished(at:)` finds it.
        advance(to: now)
        credit = rate == nil ? 0 : min(credit, (newRate ?? 0) * Self.burstSeconds)
        rate = newRate
    }

    /// Asks for an amount.
    ///
    /// - Returns: whether it is granted at once, and no waiting is needed.
    mutating func ask(_ bytes: Double, as ticket: UInt64, at now: Int64) -> Bool {
        guard rate != nil else { return true }
        advance(to: now)
        var bytes = bytes
        if goals.isEmpty {
            let used = min(credit, bytes)
            credit -= used
            bytes -= used
        }
        guard bytes > 0 else { return true }
        goals[ticket] = served + bytes
        return false
    }

    /// Takes back a request that nobody waits for any more.
    mutating func withdraw(_ ticket: UInt64, at now: Int64) {
        advance(to: now)
        goals[ticket] = nil
    }

    /// Those who have got what they asked for.
    mutating func finished(at now: Int64) -> [UInt64] {
        advance(to: now)
        let done = rate == nil ? Array(goals.keys) : goals.filter { $0.value <= served }.map(\.key)
        for ticket in done { goals[ticket] = nil }
        return done
    }

    /// Nanoseconds until the next one has; `nil` when nobody waits.
    var nanosecondsToNext: Int64? {
        guard let rate, let next = goals.values.min() else { return nil }
        let seconds = (next - served) * Double(goals.count) / rate
        // Rounded up, so that waking then is not too early; a year is as good as for ever.
        return max(1, Int64((min(seconds, 31_536_000) * 1e9).rounded(.up)))
    }

    /// Shares out what the rate has yielded since the last look.
    private mutating func advance(to now: Int64) {
        let elapsed = max(0, now - time)
        time = max(time, now)
        guard let rate else { return }
        var yield = rate * Double(elapsed) / 1e9
        var waiting = goals.values.filter { $0 > served }.sorted()[...]
        while let next = waiting.first {
            let wanted = (next - served) * Double(waiting.count)
            guard wanted <= yield else {
                served += yield / Double(waiting.count)
                // Nothing, and not what rounding would leave, on which this could go round for ever.
                yield = 0
                break
            }
            yield -= wanted
            served = next
            waiting = waiting.drop { $0 <= served }
        }
        if goals.isEmpty || waiting.isEmpty { credit = min(credit + yield, rate * Self.burstSeconds) }
        if goals.isEmpty { served = 0 }
    }
}
