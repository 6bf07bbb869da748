#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What is known of past runs that are like the one at hand. It never changes, and those that it is known of share it.
final class PastOfType: Sendable {
    /// How long they took.
    let durations: PastDurations?
    /// What they say of the phase that the one at hand is in; `nil` where they say nothing.
    let phase: PastPhase?
    /// What the interval's usual width on a logarithmic scale is multiplied with.
    let widthFactor: Double

    init(durations: PastDurations? = nil, phase: PastPhase? = nil, widthFactor: Double = 1) {
        self.durations = durations
        self.phase = phase
        self.widthFactor = widthFactor
    }

    /// Whether it says no more than one that was never asked for.
    var isNothing: Bool { durations == nil && phase == nil && widthFactor == 1 }

    /// How many runs it rests on.
    var samples: Int { (phase?.ends ?? durations)?.samples ?? 0 }

    /// What they say of the time until the phase's end, or the work's where they know no phases.
    func prior(after elapsed: Double) -> RemainingPrior? { (phase?.ends ?? durations)?.prior(after: elapsed) }
}

/// What past runs say of one phase.
struct PastPhase: Sendable {
    var name: String
    /// When it ends, counted from the start of the run at hand, if it takes as long as it did for them.
    var ends: PastDurations
    /// How long they took from its end to theirs; `nil` where it was the last.
    var later: PastDurations?
}

/// How long past runs took that are like the one at hand.
struct PastDurations: Sendable, Hashable {
    /// The active seconds that 2.5 %, 7.5 % … 97.5 % of the runs did not exceed: each stands for a twentieth of them.
    private let levels: [Double]
    /// How many runs there were.
    let samples: Int
    /// The active seconds that 95 % of the runs did not exceed.
    let late: Double

    /// Takes the active seconds of runs; `nil` when there are none.
    init?(_ seconds: some Sequence<Double>) {
        let sorted = seconds.filter { $0.isFinite && $0 >= 0 }.sorted()
        guard !sorted.isEmpty else { return nil }
        samples = sorted.count
        late = Self.level(0.95, of: sorted)
        levels = (0..<20).map { Self.level((Double($0) + 0.5) / 20, of: sorted) }
    }

    /// What the runs that took longer than `elapsed` say of what remains; `nil` when hardly any did, or the runs were too
    /// short to be told from nothing.
    func prior(after elapsed: Double) -> RemainingPrior? {
        guard elapsed < late, late > 0.001, let first = levels.firstIndex(where: { $0 > elapsed }) else { return nil }
        var (sum, squares) = (0.0, 0.0)
        for level in levels[first...] {
            let left = log(max(level - elapsed, 0.001))
            sum += left
            squares += left * left
        }
        let count = Double(levels.count - first)
        let middle = max(levels[first + (levels.count - first) / 2] - elapsed, 0.001)
        // Runs that were alike so far promise no more than a tenth, and few of them less.
        let variance = max(0, squares / count - sum * sum / count / count) + 0.01 + 0.5 / Double(samples)
        return RemainingPrior(logMedian: log(middle), variance: variance)
    }

    /// Linear between order statistics.
    private static func level(_ share: Double, of sorted: [Double]) -> Double {
        let place = share * Double(sorted.count - 1)
        let below = Int(place)
        let above = min(below + 1, sorted.count - 1)
        return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
    }
}
