#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Estimates how long an operation may still take from what it has reported so far, and from how long runs like it took.
///
/// A pure value of small, constant size: no clock inside, no dependence on how often it is told. The expectation is steady: it
/// counts down to a finish that moves only when there is reason to, at most once a second. The method is written up in the
/// documentation, under "Time remaining".
public struct RemainingTimeEstimator: Sendable {
    private var work = ReportedWork()
    private var beginsPhase = false
    /// Whether all that was counted is done and nothing says what comes after it.
    private var isDone = false
    /// Whether the last report ended a second: then that is decided on anew when its moment is told of anew.
    private var endedSecond = false
    private var finish = SteadyFinish()
    /// Active time at the first report, in seconds; not a number before.
    private var start = Double.nan
    /// When it was told something last, in seconds since the first report.
    private var now = 0.0
    private var lastGained = 0.0
    /// What was left at the last report.
    private var unitsLeft = 0.0
    /// The ends of the interval that is shown. Seven digits are more than it has, and every active operation keeps them.
    private var shown: (low: Float, high: Float) = (0, 0)

    private var past: PastRuns?
    /// Where the phase began that they speak of; most work has none.
    private var phase = LazyBox<PhaseStart>()
    private var predictions = PredictionLog()

    /// The estimate as of the last report; `nil` while there is nothing to judge by: neither runs before, nor a total and
    /// some progress.
    public var estimate: RemainingTime? {
        guard let expected = finish.remaining(at: now) else { return isDone ? .done : nil }
        var remaining = RemainingTime(
            expected: expected,
            low: min(expected, Double(shown.low)),
            high: max(expected, Double(shown.high)),
            basis: .rate
        )
        if finish.weightOfRate < 0.95, let past, past.samples > 0 {
            remaining.basis = finish.weightOfRate > 0.05 ? .blend : .history
            remaining.samples = past.samples
        }
        return remaining
    }

    /// Whether it has taken longer already than 95 % of the past runs of its type most like it; `nil` where too few are known.
    var isOverdue: Bool? {
        guard let past, past.areOfItsType else { return nil }
        return past.durations.map { activeSeconds > $0.late }
    }

    /// Active time, as of the last report.
    private var activeSeconds: Double { start.isNaN ? 0 : now + start }

    private struct PhaseStart: Sendable {
        /// In active seconds.
        var began = 0.0
        /// How much had been done then.
        var done = 0.0
    }

    /// Of a report that tells of more whole seconds than that, only the last so many are decided on.
    private static let mostSeconds = 4.0
    /// Reports that follow closer are taken as one, in seconds.
    private static let shortest = 1e-6
    /// Times beyond that are none, in seconds: they can't be reckoned with.
    static let longest = 1e12

    /// Makes an estimator that knows nothing.
    public init() {}

    /// Takes a report, or a look at work that has reported nothing new. The first one says where the work begins.
    ///
    /// - Parameters:
    ///   - seconds: active time, pauses left out; one that is less than before, or not finite, is ignored. The same again says only
    ///     how much is left by now.
    ///   - completed: the amount done.
    ///   - present: how much of it was there before the work began.
    ///   - total: the whole amount; `nil` while unknown. It may change.
    public mutating func observe(at seconds: Double, completed: Int64, present: Int64, total: Int64?) {
        observe(at: seconds, completed: completed, present: present, total: total, notBefore: 0)
    }

    /// Takes a report of work that is held back.
    ///
    /// - Parameter hold: for how many seconds more it can't be done, whatever its rate, so that the estimate is shown as held for that
    ///   long and judged so.
    mutating func observe(at seconds: Double, completed: Int64, present: Int64, total: Int64?, notBefore hold: Double) {
        guard abs(seconds) < Self.longest else { return }
        let gained = Double(completed) - Double(present)
        let left = total.map { Double($0) - Double(completed) }
        if start.isNaN {
            start = seconds
            lastGained = gained
            return judge(left: left, since: 0, known: 0, isDue: true, hold: hold)
        }
        let time = seconds - start
        guard time - now > Self.shortest else {
            guard time >= now else { return }
            // The same moment, told of anew: what is left may be another, but no time has passed in which work could be done. What
            // was gained counts with the next report.
            lastGained = min(lastGained, gained)
            if endedSecond, let left, left > 0 { decideOnLatest(left: left) }
            return judge(left: left, since: now, known: work.known(at: now), isDue: now < 1, hold: hold)
        }
        var (before, known) = (now, work.known(at: now))
        now = time
        endedSecond = false
        // What is found to have been there already, and what is taken back, is no work done in this time.
        if gained > lastGained {
            let waited = work.add(gained - lastGained, at: time, lookedAt: before)
            // The wait comes once: from here on it is as if the first report had come after it.
            start += waited
            now -= waited
            before = max(0, before - waited)
            known = max(0, known - waited)
            finish.comes(earlier: waited)
        }
        lastGained = gained
        let hasBegunPhase = beginsPhase
        if beginsPhase {
            // What was done since the report before belongs to the phase before.
            phase.write(PhaseStart(), unless: work.done == 0) { $0.done = work.done }
            beginsPhase = false
        }
        judge(left: left, since: before, known: known, isDue: hasBegunPhase || now < 1, hold: hold)
    }

    /// Takes what is known of runs like this one, which begins a new phase where that of another phase was known before.
    ///
    /// - Parameter began: after how many active seconds the phase began that they speak of.
    mutating func compare(with past: PastRuns, phaseBegan began: Double = 0) {
        if past.phase?.name != self.past?.phase?.name { beginsPhase = true }
        self.past = past
        phase.write(PhaseStart(), unless: began == 0) { $0.began = began }
    }

    /// What the interval's usual width is multiplied with; `nil` while past runs have not been asked, which means by 1.
    var widthFactor: Double? { past?.widthFactor }

    /// Judges what was shown on the way, now that the end is known; `nil` where nothing was judged.
    ///
    /// - Parameter seconds: the active time at the end.
    func accuracy(endingAt seconds: Double) -> EstimateAccuracy? {
        let accuracy = predictions.judged(endingAt: seconds)
        return accuracy.count > 0 ? accuracy : nil
    }

    /// - Parameters:
    ///   - before: when it was told something before this.
    ///   - known: up to when it was known then how the work went.
    ///   - isDue: whether what is shown may move now. It does in any case once its finish lies in the past.
    private mutating func judge(left units: Double?, since before: Double, known: Double, isDue: Bool, hold: Double) {
        let isCounting = (units ?? 0) > 0
        if isCounting, let units { decideEachSecond(left: units, since: before, known: known) }
        if isDue || !isCounting || finish.remaining(at: now) ?? 0 <= 0 { renew(left: units, isCounting: isCounting) }
        isDone = (units ?? 1) <= 0
        renewInterval(left: units, since: before)
        // That nothing counted is left is shown to nobody while the work goes on, and so isn't judged.
        let estimate = finish.remaining(at: now) == nil ? nil : estimate
        guard let shown = estimate.held(for: hold) else { return }
        // Where nothing is counted, the share of the time has to do.
        let share = isCounting ? work.done / (work.done + (units ?? 0)) : now / max(now + shown.expected, 1e-9)
        predictions.note(shown, at: activeSeconds, share: share)
    }

    /// Lets the finish move at the end of each whole second that has become known, as of that second: so what is shown does not
    /// depend on when, and how often, the seconds are told of.
    private mutating func decideEachSecond(left units: Double, since before: Double, known knownBefore: Double) {
        let known = work.known(at: now)
        let last = known.rounded(.down)
        var second = max(max(knownBefore, work.beginning).rounded(.down) + 1, last - Self.mostSeconds + 1)
        while second <= last {
            decide(left: units, asOf: second)
            endedSecond = true
            second += 1
        }
        // In silence too: what is left, or what the last report brings, may have become another.
        if known < now, now.rounded(.down) > before.rounded(.down) {
            decideOnLatest(left: units)
            endedSecond = true
        }
    }

    private mutating func decideOnLatest(left units: Double) {
        let known = work.known(at: now)
        let last = known.rounded(.down)
        decide(left: units, asOf: last > work.beginning ? last : known)
    }

    private mutating func decide(left units: Double, asOf time: Double) {
        guard let forecast = forecast(left: units + work.done(after: time), at: time) else { return finish.forget() }
        finish.take(forecast, for: time, at: time)
    }

    private mutating func renew(left units: Double?, isCounting: Bool) {
        let known = isCounting ? work.known(at: now) : now
        guard let first = forecast(left: units, at: known) else { return finish.forget() }
        // Work that should be done by now is not: that is what its silence says.
        if known < now, known + exp(first.logExpected) <= now, let second = forecast(left: units, at: now) {
            finish.take(second, for: now, at: now)
        } else {
            finish.take(first, for: known, at: now)
        }
    }

    private func forecast(left units: Double?, at time: Double) -> RateForecast? {
        let prior = past?.prior(after: time + (start.isNaN ? 0 : start), phaseBegan: phase.read(or: 0, \.began))
        let later = past?.phase?.later?.prior(after: 0)
        guard let units, units <= 0 else {
            if let units, work.hasRate(at: now) {
                return RateForecast(
                    rate: work.rate(until: time),
                    units: units,
                    waiting: work.waiting(until: time, at: now),
                    prior: prior
                ).followed(by: later)
            }
            return prior.map { RateForecast(prior: $0).followed(by: later) }
        }
        // All is done that was counted. That leaves what comes after this phase or, in a phase that counts nothing, its rest too.
        guard work.done <= phase.read(or: 0, \.done), past?.phase != nil else {
            return later.map { RateForecast(prior: $0) }
        }
        return prior.map { RateForecast(prior: $0).followed(by: later) }
    }

    private mutating func renewInterval(left units: Double?, since before: Double) {
        guard let expected = finish.remaining(at: now) else { return }
        let spread = (widthFactor ?? 1) * finish.spread
        var low = expected * exp(-SteadyFinish.below * spread - finish.lead)
        var high = expected * exp(SteadyFinish.above * spread)
        if work.done > 0, work.latest < now, let units, units > 0, units == unitsLeft {
            // While nothing is reported the best case comes nearer, as time does while it is far, and ever more slowly once it is
            // less than the best second so far would still need for what is left; the worst does not.
            let most = work.rate(until: work.latest).mostInASecond
            let best = most > 0 ? units / most : 0
            let lowest = Double(shown.low)
            low = min(low, lowest * exp(-(now - before) / max(lowest + best, Self.shortest)))
            high = max(high, Double(shown.high))
        }
        unitsLeft = units ?? 0
        shown = (Float(low), min(Float(high), .greatestFiniteMagnitude))
    }
}

extension RemainingTime {
    /// There is nothing left to do.
    static let done = RemainingTime(expected: 0, low: 0, high: 0, basis: .rate)
}
