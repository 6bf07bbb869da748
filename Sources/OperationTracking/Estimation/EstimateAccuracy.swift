#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How the times remaining that were shown for one type of operation have held. Each completed run is judged at 10, 25, 50,
/// 75 and 90 % of its work.
public struct EstimateAccuracy: Sendable, Hashable {
    /// How many estimates were judged.
    public private(set) var count: Int
    /// In how many of them the truth lay in the 80 % interval.
    public private(set) var covered: Int
    /// The sum of |ln(expected/true)|.
    public private(set) var logErrorSum: Double
    /// The logarithm of what the usual width of the interval, on a logarithmic scale, is multiplied with.
    public private(set) var logWidthFactor: Double

    /// Makes figures; without arguments those of a type that was never judged.
    ///
    /// - Parameters:
    ///   - count: how many estimates were judged.
    ///   - covered: in how many of them the truth lay in the interval.
    ///   - logErrorSum: the sum of |ln(expected/true)|.
    ///   - logWidthFactor: the logarithm of what the interval's usual width is multiplied with.
    public init(count: Int = 0, covered: Int = 0, logErrorSum: Double = 0, logWidthFactor: Double = 0) {
        self.count = count
        self.covered = covered
        self.logErrorSum = logErrorSum
        self.logWidthFactor = logWidthFactor
    }

    /// The share of judged estimates whose interval held the truth; `nil` without any. The aim is 0.8.
    public var coverage: Double? { count > 0 ? Double(covered) / Double(count) : nil }

    /// The mean of |ln(expected/true)|; `nil` without any. 0.1 is an error of about a tenth.
    public var meanLogError: Double? { count > 0 ? logErrorSum / Double(count) : nil }

    /// What the interval's width is multiplied with.
    var widthFactor: Double { exp(logWidthFactor) }

    /// Takes what a run came to. The interval of later runs becomes wider by every miss and narrower by every hit, in the
    /// proportion that keeps four in five inside whatever the runs do (I. Gibbs, E. Candès: Adaptive conformal inference
    /// under distribution shift, NeurIPS 2021), within bounds.
    package mutating func add(_ score: PredictionScore) {
        guard score.count > 0 else { return }
        count += score.count
        covered += score.covered
        logErrorSum += score.logErrorSum
        let missed = Double(score.count - score.covered) / Double(score.count)
        let step = logWidthFactor + Self.learningRate * (missed - Self.allowedMisses)
        logWidthFactor = min(max(step, -Self.largestLogFactor), Self.largestLogFactor)
    }

    package static let learningRate = 0.1
    package static let allowedMisses = 0.2
    /// A factor of two, either way: far enough for any network seen, and near enough that a wild day is soon forgotten.
    package static let largestLogFactor = 0.693
}

/// What the estimates of one run came to.
package struct PredictionScore: Sendable, Hashable {
    package var count = 0
    package var covered = 0
    package var logErrorSum = 0.0

    package init() {}

    package init(count: Int, covered: Int, logErrorSum: Double) {
        self.count = count
        self.covered = covered
        self.logErrorSum = logErrorSum
    }
}

/// The estimates that were shown when fixed shares of the work were done, kept until the truth is known.
struct PredictionLog: Sendable {
    private struct Prediction: Sendable {
        var time: Double
        var estimate: RemainingTime
    }

    private var predictions: [Prediction] = []
    private var next = 0

    private static let shares = [0.1, 0.25, 0.5, 0.75, 0.9]

    /// Keeps an estimate when the next of the shares has been passed.
    mutating func note(_ estimate: RemainingTime, at time: Double, share: Double) {
        guard next < Self.shares.count, share >= Self.shares[next] else { return }
        while next < Self.shares.count, share >= Self.shares[next] { next += 1 }
        predictions.append(Prediction(time: time, estimate: estimate))
    }

    /// Judges them against a run's end. What was shown less than half a second before says nothing.
    func score(endingAt end: Double) -> PredictionScore {
        var score = PredictionScore()
        for prediction in predictions where end - prediction.time > 0.5 {
            let truth = end - prediction.time
            score.count += 1
            if prediction.estimate.low <= truth, truth <= prediction.estimate.high { score.covered += 1 }
            score.logErrorSum += min(abs(log(max(prediction.estimate.expected, 0.01) / truth)), 10)
        }
        return score
    }
}
