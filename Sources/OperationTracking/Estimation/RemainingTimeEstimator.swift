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
    private var rate = RateStatistics()
    private var lastGained = 0.0
    private var progressed = Progressed()
    /// `nil` where nothing is known of past runs.
    private var past: PastOfType?
    /// How much had been done when the phase began.
    private var doneBeforePhase = 0.0
    private var finish = SteadyFinish()
    private var start: Double?
    /// Whether it has taken longer already than 95 % of the past runs most like it; `nil` where none are known.
    private(set) var isOverdue: Bool?
    private var beginsPhase = false
    private var shown: Shown?
    private var predictions = PredictionLog()

    /// The estimate as of the last report; `nil` while there is nothing to judge by: neither runs before, nor a total and
    /// some progress.
    public var estimate: RemainingTime? {
        shown.map { shown in
            RemainingTime(
                expected: shown.expected,
                low: shown.low,
                high: shown.high,
                basis: shown.basis,
                samples: shown.basis == .rate ? 0 : past?.samples ?? 0
            )
        }
    }

    /// An estimate without what the past says anyway.
    private struct Shown: Sendable {
        var expected, low, high: Double
        var basis: RemainingTime.Basis
    }

    /// When there was progress last, and the interval then.
    private struct Progressed: Sendable {
        var time = 0.0
        var low = 0.0
        var high = 0.0
    }

    /// From when on there is a rate, in seconds.
    private static let earliest = 0.5

    /// Makes an estimator that knows nothing.
    public init() {}

    /// Takes a report. The first one says where the work begins.
    ///
    /// - Parameters:
    ///   - seconds: active time, pauses left out; one that is less than before, or not finite, is ignored.
    ///   - completed: the amount done.
    ///   - present: how much of it was there before the work began.
    ///   - total: the whole amount; `nil` while unknown. It may change.
    public mutating func observe(at seconds: Double, completed: Int64, present: Int64, total: Int64?) {
        guard seconds.isFinite else { return }
        let gained = Double(completed) - Double(present)
        guard let start else {
            start = seconds
            lastGained = gained
            judge(left: total.map { Double($0) - Double(completed) }, secondEnded: true)
            return
        }
        let time = seconds - start
        guard time > rate.elapsed else { return }
        // What is found to have been there already, and what is taken back, is no work done in this time.
        let work = max(0, gained - lastGained)
        lastGained = gained
        let secondEnded = rate.add(work, until: time)
        if work > 0 { progressed.time = time }
        if beginsPhase {
            // What was done since the report before belongs to the phase before.
            (doneBeforePhase, beginsPhase) = (rate.done, false)
        }
        judge(left: total.map { Double($0) - Double(completed) }, secondEnded: secondEnded)
    }

    /// Takes what is known of runs like this one, which begins a new phase where that of another phase was known before.
    mutating func compare(with past: PastOfType) {
        if past.phase?.name != self.past?.phase?.name { beginsPhase = true }
        self.past = past.isNothing ? nil : past
    }

    /// Judges what was shown on the way, now that the end is known.
    ///
    /// - Parameter seconds: the active time at the end.
    func judged(endingAt seconds: Double) -> EstimateAccuracy { predictions.judged(endingAt: seconds - (start ?? 0)) }

    /// The same; `nil` where nothing was judged.
    func accuracy(endingAt seconds: Double) -> EstimateAccuracy? {
        let accuracy = judged(endingAt: seconds)
        return accuracy.count > 0 ? accuracy : nil
    }

    private mutating func judge(left units: Double?, secondEnded: Bool) {
        let time = rate.elapsed
        let elapsed = time + (start ?? 0)
        isOverdue = past?.durations.map { elapsed > $0.late }
        let prior = past?.prior(after: elapsed)
        guard let forecast = forecast(units, prior: prior) else {
            finish.forget()
            // With nothing left to do it is done.
            shown = units.map { $0 <= 0 } == true ? Shown(expected: 0, low: 0, high: 0, basis: .rate) : nil
            return
        }
        finish.take(forecast, at: time, mayMove: secondEnded || time < 1)
        var interval = interval(around: finish.remaining(at: time) ?? 0, forecast, units)
        if forecast.weightOfRate < 0.95, let past, past.samples > 0 {
            interval.basis = forecast.weightOfRate > 0.05 ? .blend : .history
        }
        shown = interval
        if let estimate, let units, units > 0 {
            predictions.note(estimate, at: time, share: rate.done / (rate.done + units))
        }
    }

    private func forecast(_ units: Double?, prior: RemainingPrior?) -> RateForecast? {
        let later = past?.phase?.later?.prior(after: 0)
        if let units, units > 0, rate.done > 0, rate.elapsed >= Self.earliest {
            return RateForecast(rate: rate, units: units, prior: prior).followed(by: later)
        }
        guard let units, units <= 0 else { return prior.map { RateForecast(prior: $0).followed(by: later) } }
        // All is done that was counted. That leaves what comes after this phase or, in a phase that counts nothing, its rest too.
        guard rate.done <= doneBeforePhase, past?.phase != nil else { return later.map { RateForecast(prior: $0) } }
        return prior.map { RateForecast(prior: $0).followed(by: later) }
    }

    private mutating func interval(around expected: Double, _ forecast: RateForecast, _ units: Double?) -> Shown {
        let time = rate.elapsed
        let widthFactor = past?.widthFactor ?? 1
        var low = expected * exp(-1.2 * widthFactor * forecast.spread)
        var high = expected * exp(1.85 * widthFactor * forecast.spread)
        if progressed.time == time {
            (progressed.low, progressed.high) = (low, high)
        } else if rate.done > 0, let units, units > 0 {
            // At a standstill the best case comes nearer, until it is what the best second so far would still need; the
            // worst does not.
            let best = rate.mostInASecond > 0 ? units / rate.mostInASecond : 0
            low = min(low, max(progressed.low - (time - progressed.time), min(best, progressed.low)))
            high = max(high, progressed.high)
        }
        return Shown(expected: expected, low: low, high: high, basis: .rate)
    }
}
