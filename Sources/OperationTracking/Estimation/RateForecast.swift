#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What is believed about the time remaining before the rate is looked at: a log-normal distribution.
struct RemainingPrior: Sendable {
    /// The logarithm of the median, in seconds.
    var logMedian: Double
    /// The variance of the logarithm.
    var variance: Double

    /// What is believed of an operation of which no runs are known: as long again as a fifth of what has passed, and half a
    /// minute; less where the rate says that it is one of seconds.
    static func unknown(after elapsed: Double, byRate: Double) -> RemainingPrior {
        let brevity = RateForecast.short / (elapsed + byRate)
        let scale = RateForecast.horizon / (1 + brevity * brevity)
        return RemainingPrior(logMedian: log(0.2 * elapsed + scale), variance: RateForecast.unknownVariance)
    }
}

/// Reads the time remaining off a rate, and says how much that is to be believed.
///
/// The method and where its constants come from are written up in the documentation, under "Time remaining".
struct RateForecast: Sendable {
    /// The logarithm of the expected seconds.
    private(set) var logExpected: Double
    /// Beyond which change, as a logarithm, a person should be told.
    private(set) var deadBand: Double
    /// The spread of the logarithm: what lies ahead is as uneven as what was, and what was may have been untypical.
    private(set) var spread: Double
    /// By how much sooner it may be done than the spread says, as a logarithm: if all that may have been waiting at first was.
    private(set) var lead = 0.0
    /// How far the forecast rests on the rate, 0 to 1; the rest is past runs'.
    private(set) var weightOfRate: Double

    /// The time scale of the network in seconds: nearer than this the recent rate counts, farther the average; and so long
    /// it takes until an average is worth believing.
    static let horizon = 33.0
    /// The whole length in seconds under which that is no measure for an operation.
    static let short = 20.0
    static let unknownVariance = 0.55

    /// Makes a forecast from a rate.
    ///
    /// - Parameters:
    ///   - rate: with some work done.
    ///   - units: what is left to do, more than 0.
    ///   - waiting: how much of the time may have been waiting for the work to begin; less than that which has passed.
    ///   - prior: `nil` for ``RemainingPrior/unknown(after:)``.
    init(rate: RateStatistics, units: Double, waiting: Double, prior: RemainingPrior?) {
        let elapsed = rate.elapsed
        let unevenness = rate.unevenness
        let byAverage = units * elapsed / rate.done
        // If the work was waited for at first it is quicker than that: by nothing up to twice this, as a logarithm.
        let doubt = log(elapsed / (elapsed - waiting)) / 2
        // Near ends follow the recent rate, far ones the average. The floor keeps a standstill from meaning "never".
        let nearness = 1 / (1 + pow(byAverage / Self.horizon, 1.3))
        let byRate = log(byAverage) - nearness * log((rate.recentRatio + 0.05) / 1.05) - doubt

        // How little an average over so short and uneven a time says, relative to what the unknown prior does.
        // How even it is shows only after some seconds.
        let floor = 0.03 * min(1, unevenness / 0.01 + 1 / elapsed)
        var ignorance = (floor + 0.9 * unevenness) * pow(elapsed / Self.horizon, -0.7)
        ignorance += doubt * doubt / Self.unknownVariance
        // Rates have long tails: while bursts are still to come an average tells too little of them. It tells of more of them the less
        // they last.
        let bursts = -1.6 * unevenness * rate.persistence.squareRoot() * exp(-elapsed / 180)
        var believed = prior ?? RemainingPrior.unknown(after: elapsed, byRate: exp(byRate))
        if prior != nil {
            // Runs that this one contradicts, whatever the wait, have less to say about it.
            let contradiction = max(0, abs(byRate + bursts - believed.logMedian) - doubt)
            believed.variance += contradiction * contradiction / 4
        }
        let weight = 1 / (1 + ignorance * Self.unknownVariance / believed.variance)
        // Past e⁴ times the elapsed time, either way, distance from what is believed of any operation says no more against the rate.
        let held = prior != nil ? byRate : min(max(byRate, log(elapsed) - 4), log(elapsed) + 4)
        let center = believed.logMedian + (prior == nil ? bursts : 0)
        logExpected = byRate + bursts + (1 - weight) * (center - held - bursts)
        deadBand = 0.04 + 0.2 * unevenness
        spread = (unevenness + 0.010 + 0.73 * believed.variance * (1 - weight)).squareRoot()
        lead = doubt
        weightOfRate = prior == nil ? 1 : weight
    }

    /// The forecast when there is more to do after what it is about.
    func followed(by later: RemainingPrior?) -> RateForecast {
        guard let later else { return self }
        var whole = self
        let (first, second) = (exp(logExpected), exp(later.logMedian))
        let (firstSpread, secondSpread) = (spread * first, (0.73 * later.variance).squareRoot() * second)
        whole.logExpected = log(first + second)
        whole.spread = (firstSpread * firstSpread + secondSpread * secondSpread).squareRoot() / (first + second)
        whole.lead = lead * first / (first + second)
        whole.weightOfRate = weightOfRate * first / (first + second)
        return whole
    }

    /// Makes a forecast from what was believed before.
    init(prior: RemainingPrior) {
        logExpected = prior.logMedian
        deadBand = 0.05
        spread = (0.73 * prior.variance).squareRoot()
        weightOfRate = 0
    }
}
