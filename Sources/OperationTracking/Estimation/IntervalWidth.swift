#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How wide the intervals of one type of operation have to be to hold four truths in five.
///
/// With every run they become wider by misses and narrower by hits, in the proportion that keeps four in five inside whatever
/// the runs do (I. Gibbs, E. Candès: Adaptive conformal inference under distribution shift, NeurIPS 2021), within bounds.
struct IntervalWidth: Sendable {
    private var logFactor = 0.0

    /// What the usual width on a logarithmic scale is multiplied with.
    var factor: Double { exp(logFactor) }

    /// Takes what a run came to.
    mutating func learn(from run: EstimateAccuracy) {
        guard let coverage = run.coverage else { return }
        let step = logFactor + Self.learningRate * (1 - coverage - Self.allowedMisses)
        logFactor = min(max(step, -Self.largestLogFactor), Self.largestLogFactor)
    }

    private static let learningRate = 0.1
    private static let allowedMisses = 0.2
    /// A factor of two, either way: far enough for any network seen, and near enough that a wild day is soon forgotten.
    private static let largestLogFactor = 0.693
}
