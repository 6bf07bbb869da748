#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How wide the intervals of one type of operation have to be to hold four truths in five.
///
/// With every estimate that is judged they become wider by a miss and narrower by a hit, in the proportion that keeps four in
/// five inside as long as the bounds suffice (I. Gibbs, E. Candès: Adaptive conformal inference under distribution shift,
/// NeurIPS 2021).
struct IntervalWidth: Sendable {
    private var logFactor: Double

    /// Begins with what earlier runs have come to.
    init(factor: Double = 1) {
        logFactor = factor > 0 ? min(max(log(factor), -Self.largestLogFactor), Self.largestLogFactor) : 0
    }

    /// What the usual width on a logarithmic scale is multiplied with.
    var factor: Double { exp(logFactor) }

    /// Takes what a run came to.
    mutating func learn(from run: EstimateAccuracy) {
        guard let coverage = run.coverage else { return }
        let step = logFactor + Self.learningRate * Double(run.count) * (1 - coverage - Self.allowedMisses)
        logFactor = min(max(step, -Self.largestLogFactor), Self.largestLogFactor)
    }

    private static let learningRate = 0.02
    private static let allowedMisses = 0.2
    /// A factor of two, either way: far enough for any network seen, and near enough that a wild day is soon forgotten.
    private static let largestLogFactor = 0.693
}
