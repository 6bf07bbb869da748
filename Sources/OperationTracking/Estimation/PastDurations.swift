#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What is known of past runs that are like the one at hand: found once, and shared by all operations that are alike.
final class PastRuns: Sendable {
    /// How long they took; `nil` where there are too few.
    let durations: PastDurations?
    /// Whether they are of the operation's own type, so that their times are usual for it.
    let areOfItsType: Bool
    /// What they say of the phase that the one at hand is in; `nil` where they say nothing.
    let phase: PastPhase?
    /// What the interval's usual width on a logarithmic scale is multiplied with.
    let widthFactor: Double

    init(
        durations: PastDurations? = nil,
        areOfItsType: Bool = true,
        phase: PastPhase? = nil,
        widthFactor: Double = 1
    ) {
        self.durations = durations
        self.areOfItsType = areOfItsType
        self.phase = phase
        self.widthFactor = widthFactor
    }

    /// How many runs it rests on.
    var samples: Int { (phase?.own ?? durations)?.samples ?? 0 }

    /// What they say of the time until the phase's end, or the work's where they know no phases.
    ///
    /// - Parameters:
    ///   - elapsed: active seconds.
    ///   - began: after how many active seconds the phase began.
    func prior(after elapsed: Double, phaseBegan began: Double) -> RemainingPrior? {
        if let phase { return phase.own.prior(after: elapsed - began) }
        return durations?.prior(after: elapsed)
    }
}

/// What past runs say of one phase.
struct PastPhase: Sendable {
    var name: String
    /// How long it took them.
    var own: PastDurations
    /// How long they took from its end to theirs; `nil` where it was the last.
    var later: PastDurations?
}

/// How long past runs took that are like the one at hand.
struct PastDurations: Sendable, Hashable {
    /// The active seconds that no run, 5 %, 10 % … and all of the runs did not exceed. Between two of them lies a twentieth of
    /// the runs, evenly.
    private let edges: [Double]
    /// Up to where the next run may be slower than all of them, which of n + 1 alike one is: by the spread of their logarithms.
    private let farthest: Double
    /// How many runs there were.
    let samples: Int

    /// Takes the active seconds of runs; `nil` when there are none that can be reckoned with.
    init?(_ seconds: some Sequence<Double>) {
        let sorted = seconds.filter { $0 >= 0 && $0 < RemainingTimeEstimator.longest }.sorted()
        guard !sorted.isEmpty else { return nil }
        samples = sorted.count
        edges = (0...20).map { Self.level(Double($0) / 20, of: sorted) }
        farthest = edges[20] * exp(Self.spread(of: sorted.map { log(max($0, 0.001)) }))
    }

    /// The active seconds that 95 % of the runs did not exceed.
    var late: Double { edges[19] }

    /// What the runs that took longer than `elapsed` say of what remains; `nil` when hardly any did, or the runs were too
    /// short to be told from nothing.
    func prior(after elapsed: Double) -> RemainingPrior? {
        let elapsed = max(0, elapsed)
        guard elapsed < late, late > 0.001 else { return nil }
        var (mass, sum, squares) = (0.0, 0.0, 0.0)
        for (share, from, to) in parts(after: elapsed) {
            let left = log(max((from + to) / 2 - elapsed, 0.001))
            mass += share
            sum += share * left
            squares += share * left * left
        }
        var half = mass / 2
        var median = late
        for (share, from, to) in parts(after: elapsed) {
            median = from + (to - from) * min(half / share, 1)
            half -= share
            if half <= 0 { break }
        }
        let spread = max(0, squares / mass - sum * sum / mass / mass)
        // Runs that were alike so far promise no more than a tenth, and few of them less.
        let variance = spread * uncertainty + 0.01 + 0.5 / Double(samples)
        return RemainingPrior(logMedian: log(max(median - elapsed, 0.001)), variance: variance)
    }

    /// What lies after `elapsed`, which is before the slowest: of the twentieth that it falls in, what is left of it; and what is slower
    /// than all of the runs.
    private func parts(after elapsed: Double) -> [(share: Double, from: Double, to: Double)] {
        let parts = zip(edges, edges.dropFirst()).filter { $1 > elapsed }.map { from, to in
            from < elapsed ? ((to - elapsed) / (to - from), elapsed, to) : (1, from, to)
        }
        return parts + [(20 / Double(samples), edges[20], farthest)]
    }

    /// By how much the next run's variance is larger than that of so few: it is divided by their number, their mean is uncertain, and so
    /// is the variance itself (the quantile of Student's t over the normal one, to the first order).
    private var uncertainty: Double {
        let others = Double(max(samples - 1, 1))
        return (others + 2) / others * (1 + 1.32 / others)
    }

    /// The standard deviation, as of a sample.
    private static func spread(of values: [Double]) -> Double {
        let mean = values.reduce(0, +) / Double(values.count)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(max(values.count - 1, 1))).squareRoot()
    }

    /// Linear between order statistics.
    private static func level(_ share: Double, of sorted: [Double]) -> Double {
        let place = share * Double(sorted.count - 1)
        let below = Int(place)
        let above = min(below + 1, sorted.count - 1)
        return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
    }
}
