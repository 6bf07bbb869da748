#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Estimates how long an operation may still take from what it has reported so far.
///
/// A pure value of constant size: no clock inside, no dependence on how often it is told. The expectation is steady: it
/// counts down to a finish that moves only when there is reason to, at most once a second. The method is written up in the
/// documentation, under "Time remaining".
public struct RemainingTimeEstimator: Sendable {
    private var rate = RateStatistics()
    private var finish = SteadyFinish()
    private var start: Double?
    private var lastGained = 0.0
    private var progressed = Progressed()

    /// The estimate as of the last report; `nil` while there is nothing to judge by: no total, or no progress yet.
    public private(set) var estimate: RemainingTime?

    /// When there was progress last, and the interval then.
    private struct Progressed: Sendable {
        var time = 0.0
        var low = 0.0
        var high = 0.0
    }

    /// From when on there is an estimate, in seconds.
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
            return
        }
        let time = seconds - start
        guard time > rate.elapsed else { return }
        // What is found to have been there already, and what is taken back, is no work done in this time.
        let work = max(0, gained - lastGained)
        lastGained = gained
        let secondEnded = rate.add(work, until: time)
        if work > 0 { progressed.time = time }
        guard let total else {
            finish.forget()
            estimate = nil
            return
        }
        let units = Double(total) - Double(completed)
        estimate = units > 0 ? judge(units, secondEnded: secondEnded) : .done
    }

    private mutating func judge(_ units: Double, secondEnded: Bool) -> RemainingTime? {
        let time = rate.elapsed
        guard rate.done > 0, time >= Self.earliest else { return nil }
        let forecast = RateForecast(rate: rate, units: units, prior: nil)
        finish.take(forecast, at: time, mayMove: secondEnded || time < 1)
        let expected = finish.remaining(at: time) ?? 0
        var low = expected * exp(-1.2 * forecast.spread)
        var high = expected * exp(1.85 * forecast.spread)
        if progressed.time == time {
            (progressed.low, progressed.high) = (low, high)
        } else {
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
