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
    private var finish = SteadyFinish()
    private var start: Double?
    private var lastGained = 0.0
    private var progressed = Progressed()
    private var predictions = PredictionLog()

    /// How long runs like this one took.
    var past: PastDurations?
    /// What the interval's width, on a logarithmic scale, is multiplied with.
    var widthFactor = 1.0

    /// The estimate as of the last report; `nil` while there is nothing to judge by: neither runs before, nor a total and
    /// some progress.
    public private(set) var estimate: RemainingTime?

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
        judge(left: total.map { Double($0) - Double(completed) }, secondEnded: secondEnded)
    }

    /// Judges what was shown on the way, now that the end is known.
    ///
    /// - Parameter seconds: the active time at the end.
    func score(endingAt seconds: Double) -> PredictionScore { predictions.score(endingAt: seconds - (start ?? 0)) }

    private mutating func judge(left units: Double?, secondEnded: Bool) {
        if let units, units <= 0 {
            estimate = .done
            return
        }
        let time = rate.elapsed
        let prior = past?.prior(after: time + (start ?? 0))
        guard let forecast = forecast(units, prior: prior) else {
            finish.forget()
            estimate = nil
            return
        }
        finish.take(forecast, at: time, mayMove: secondEnded || time < 1)
        var remaining = interval(around: finish.remaining(at: time) ?? 0, forecast, units)
        if prior != nil, forecast.weightOfRate < 0.95 {
            remaining.basis = forecast.weightOfRate > 0.05 ? .blend : .history
            remaining.samples = past?.samples ?? 0
        }
        remaining.isOverdue = past.map { time + (start ?? 0) > $0.late } ?? false
        estimate = remaining
        if let units { predictions.note(remaining, at: time, share: rate.done / (rate.done + units)) }
    }

    private func forecast(_ units: Double?, prior: RemainingPrior?) -> RateForecast? {
        if let units, rate.done > 0, rate.elapsed >= Self.earliest {
            return RateForecast(rate: rate, units: units, prior: prior)
        }
        return prior.map { RateForecast(prior: $0) }
    }

    private mutating func interval(around expected: Double, _ forecast: RateForecast, _ units: Double?) -> RemainingTime
    {
        let time = rate.elapsed
        var low = expected * exp(-1.2 * widthFactor * forecast.spread)
        var high = expected * exp(1.85 * widthFactor * forecast.spread)
        if progressed.time == time {
            (progressed.low, progressed.high) = (low, high)
        } else if rate.done > 0, let units {
            // At a standstill the best case comes nearer, until it is what the best second so far would still need; the
            // worst does not.
            let best = rate.mostInASecond > 0 ? units / rate.mostInASecond : 0
            low = min(low, max(progressed.low - (time - progressed.time), min(best, progressed.low)))
            high = max(high, progressed.high)
        }
        return RemainingTime(expected: expected, low: low, high: high, basis: .rate)
    }
}

extension RemainingTime {
    /// There is nothing left to do.
    static let done = RemainingTime(expected: 0, low: 0, high: 0, basis: .rate)
}
