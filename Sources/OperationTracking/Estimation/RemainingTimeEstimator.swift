#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Estimates how long an operation may still take from what it has reported so far.
///
/// A pure value of constant size: no clock inside, no dependence on how often it is told. It mixes the rate over the whole
/// run with a recent one (an average whose weights fall by half every ten seconds) on a logarithmic scale, and takes the
/// interval's width from how much the recent rate has moved.
public struct RemainingTimeEstimator: Sendable {
    private var isStarted = false
    private var lastTime = 0.0
    private var lastGained: Int64 = 0
    /// Work done and time spent since the start, without what was there before.
    private var workDone = 0.0
    private var timeSpent = 0.0
    /// Exponentially weighted amounts and times; their ratio is the recent rate.
    private var recentWork = 0.0
    private var recentTime = 0.0
    /// Weighted squared movement of the logarithm of the recent rate, per second.
    private var volatility = 0.0

    private static let halfLife = 10.0

    /// Makes an estimator that knows nothing.
    public init() {}

    /// Takes a report.
    ///
    /// - Parameters:
    ///   - seconds: active time since the start, pauses left out; never less than before.
    ///   - completed: the amount done.
    ///   - present: how much of it was there before the work began.
    public mutating func observe(at seconds: Double, completed: Int64, present: Int64) {
        guard isStarted else {
            isStarted = true
            lastTime = seconds
            lastGained = completed - present
            return
        }
        let elapsed = seconds - lastTime
        guard elapsed > 0 else { return }
        // What is found to have been there already, and what is taken back, is no work done in this time.
        let gained = Double(max(0, completed - present - lastGained))
        let before = recentRate
        let keep = exp2(-elapsed / Self.halfLife)
        recentWork = recentWork * keep + gained
        recentTime = recentTime * keep + elapsed
        workDone += gained
        timeSpent += elapsed
        lastTime = seconds
        lastGained = completed - present
        guard before > 0, recentRate > 0 else { return }
        let movement = log(recentRate / before)
        volatility = volatility * keep + movement * movement
    }

    /// The estimate for an amount that is still to do.
    ///
    /// - Parameter units: what is left, at least 0.
    /// - Returns: `nil` while there has been no progress to judge by.
    public func estimate(remaining units: Int64) -> RemainingTime? {
        guard units > 0 else { return RemainingTime(expected: 0, low: 0, high: 0, basis: .rate) }
        guard workDone > 0, timeSpent >= 0.5 else { return nil }
        let overall = workDone / timeSpent
        let recent = max(recentRate, overall / 100)
        let rate = exp(0.5 * log(overall) + 0.5 * log(recent))
        let expected = Double(units) / rate
        let sigma = min(2.0, 0.1 + volatility.squareRoot() + 0.5 * abs(log(recent / overall)))
        // 1.28 standard deviations on either side hold 80 % of a normal distribution.
        let spread = exp(1.28 * sigma)
        return RemainingTime(expected: expected, low: expected / spread, high: expected * spread, basis: .rate)
    }

    private var recentRate: Double { recentTime > 0 ? recentWork / recentTime : 0 }
}
