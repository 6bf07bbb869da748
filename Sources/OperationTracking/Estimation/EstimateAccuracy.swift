/// How the times remaining that were shown have held, of one run or of many. A completed run is judged at 10, 25, 50, 75 and
/// 90 % of its work.
public struct EstimateAccuracy: Sendable, Hashable {
    /// How many estimates were judged.
    public var count: Int
    /// In how many of them the truth lay in the 80 % interval.
    public var covered: Int
    /// The sum of |ln(expected/true)|.
    public var logErrorSum: Double

    /// Makes figures; without arguments those of what was never judged.
    ///
    /// - Parameters:
    ///   - count: how many estimates were judged.
    ///   - covered: in how many of them the truth lay in the interval.
    ///   - logErrorSum: the sum of |ln(expected/true)|.
    public init(count: Int = 0, covered: Int = 0, logErrorSum: Double = 0) {
        self.count = count
        self.covered = covered
        self.logErrorSum = logErrorSum
    }

    /// The share of judged estimates whose interval held the truth; `nil` without any. The aim is 0.8.
    public var coverage: Double? { count > 0 ? Double(covered) / Double(count) : nil }

    /// The mean of |ln(expected/true)|; `nil` without any. 0.1 is an error of about a tenth.
    public var meanLogError: Double? { count > 0 ? logErrorSum / Double(count) : nil }

    /// Takes in what others came to.
    package static func += (sums: inout EstimateAccuracy, more: EstimateAccuracy) {
        sums.count += more.count
        sums.covered += more.covered
        sums.logErrorSum += more.logErrorSum
    }
}
