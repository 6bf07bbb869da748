/// The load above which outcomes are clearly worse than just below it.
struct LoadSplit: Sendable {
    /// The largest load on the good side.
    let level: Double
    /// The mean outcome just below, and above.
    let below: Double
    let above: Double
    /// How often the load went up from the good side to the other.
    private(set) var occasions: Int

    /// So many observations are needed on each side, and no more than so many just below are compared: far below, there may be
    /// so few operations that little gets done.
    private static let fewest = 20
    private static let most = 40
    /// Welch's t from which on a difference is believed. Far above the usual 2, since hundreds of splits are tried.
    private static let certainty = 5.0
    /// Loads that go up once may do so beside something else that slows things down.
    private static let fewestOccasions = 3

    /// Finds the split with the clearest difference; `nil` when no difference is clear.
    ///
    /// - Parameters:
    ///   - loads: in the order of time.
    ///   - outcomes: of the same observations; more is better.
    ///   - isWorse: whether a mean outcome below and one above differ by enough to matter.
    static func find(
        loads: [Double],
        outcomes: [Double],
        isWorse: (_ below: Double, _ above: Double) -> Bool
    ) -> LoadSplit? {
        let order = loads.indices.sorted { loads[$0] < loads[$1] }
        guard order.count >= 2 * fewest else { return nil }
        // One wild outcome shall not make or hide a difference.
        let ceiling = 3 * outcomes.sorted()[outcomes.count * 3 / 4]
        let sums = RunningSums(order.map { min(outcomes[$0], ceiling) })
        var best: (split: LoadSplit, certainty: Double)?
        for cut in fewest...(order.count - fewest) {
            let level = loads[order[cut - 1]]
            guard level < loads[order[cut]] else { continue }
            let below = sums.statistics(of: max(0, cut - most)..<cut)
            let above = sums.statistics(of: cut..<order.count)
            guard below.mean > above.mean, isWorse(below.mean, above.mean) else { continue }
            let error = (below.variance / below.count + above.variance / above.count).squareRoot()
            let certainty = error > 0 ? (below.mean - above.mean) / error : .infinity
            guard certainty >= Self.certainty, certainty > best?.certainty ?? 0 else { continue }
            best = (LoadSplit(level: level, below: below.mean, above: above.mean, occasions: 0), certainty)
        }
        guard var split = best?.split else { return nil }
        split.occasions = zip(loads, loads.dropFirst()).count { $0 <= split.level && $1 > split.level }
        // Asked of the clearest split only: a less clear one beside it may be crossed by chance all the time.
        return split.occasions >= fewestOccasions ? split : nil
    }
}

/// Sums of a series and of its squares up to each place, for the mean and the variance of any part of it.
private struct RunningSums {
    private var sums = [0.0]
    private var squares = [0.0]

    init(_ values: [Double]) {
        for value in values {
            sums.append(sums[sums.count - 1] + value)
            squares.append(squares[squares.count - 1] + value * value)
        }
    }

    func statistics(of range: Range<Int>) -> (mean: Double, variance: Double, count: Double) {
        let count = Double(range.count)
        let mean = (sums[range.upperBound] - sums[range.lowerBound]) / count
        let square = (squares[range.upperBound] - squares[range.lowerBound]) / count
        // Rounding can leave a small negative number.
        return (mean, max(0, square - mean * mean) * count / max(1, count - 1), count)
    }
}
