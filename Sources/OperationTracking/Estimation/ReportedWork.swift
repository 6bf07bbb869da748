#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Work as it is told of, at any spacing, and what silence says of it.
///
/// Whoever looks more often than the work reports sees nothing happen between two reports. That is no standstill: what a report
/// brings was done evenly since the one before. Only a silence far longer than this work's reports usually leave is one, and
/// only for what it is longer. So the rate comes out the same whether it is looked at four times a second or at the reports alone.
struct ReportedWork: Sendable {
    /// The rate up to where the newest interval begins.
    private var before = RateStatistics()

    /// The lengths of the gaps between reports, and their squares, summed with the same fading weights. The quotient is the
    /// length of the gap in which a moment chosen at random lies, which bursts of reports change little. It begins with a guess.
    private var gaps: Float = Self.guessed

    /// What was done in the newest interval.
    private var newest = 0.0
    /// When it ended: when work was reported last, in seconds since the first report.
    private(set) var latest = 0.0
    private var squaresOfGaps: Float = Self.guessed * Float(Self.guess)
    /// When work was reported for the first time, and how much.
    private var first: (time: Float, work: Float) = (0, 0)
    /// Until when, before that, it was seen that nothing was reported; 0 once the second report has shown what that means.
    private var idle: Float = 0

    /// For how many seconds of gaps the guess of the usual gap stands, and what it is: as long as the first gap, if that is longer.
    private static let (guessed, guess): (Float, Double) = (0.5, 10.0 / 3)

    /// Until then there is no rate, and all there was is taken as evenly done: a shorter time says nothing.
    private static let earliest = 0.5
    /// A silence of that many usual gaps is no standstill yet.
    private static let patience = 3.0
    /// How many usual gaps long the lengths of gaps are remembered.
    private static let memory = 10.0
    /// A report that follows after less than this part of the usual gap belongs to the one before.
    private static let burst = 0.1

    /// All work done so far.
    var done: Double { before.done + newest }

    private var usualGap: Double { Double(squaresOfGaps / gaps) }

    /// Takes work that is told of at `time`, which is later than any before.
    ///
    /// - Parameter before: when it was looked at last before.
    /// - Returns: how much later the work began than was thought, which the second report shows: all times are from then on now.
    mutating func add(_ work: Double, at time: Double, lookedAt before: Double) -> Double {
        if done == 0 { idle = Float(before) }
        guard idle > 0, done > 0 else {
            take(work, at: time)
            return 0
        }
        // What the first report brought took as long as it would now, and no less than a gap.
        let taken = (time - latest) * max(1, newest / work)
        let waited = max(0, min(Double(idle), latest - taken))
        idle = 0
        latest -= waited
        first.time = Float(latest)
        squaresOfGaps = gaps * Float(max(Self.guess, latest))
        take(work, at: time - waited)
        return waited
    }

    private mutating func take(_ work: Double, at time: Double) {
        let gap = time - latest
        // A burst's reports are one interval, but no longer than that takes: a source that has become quicker isn't a burst.
        if gap >= Self.burst * usualGap || time - before.elapsed > 1.5 * usualGap {
            before = rate(until: known(at: time))
            newest = 0
        }
        let isFirst = done == 0
        newest += work
        latest = time
        if isFirst {
            // Whether it took so long to begin, or comes so seldom, the second report shows.
            first = (Float(time), Float(work))
            squaresOfGaps = gaps * Float(max(Self.guess, gap))
            return
        }
        let counted = min(gap, Self.patience * usualGap)
        let keep = exp(-counted / (Self.memory * usualGap))
        gaps = Float(Double(gaps) * keep + counted)
        squaresOfGaps = Float(Double(squaresOfGaps) * keep + counted * counted)
    }

    /// Up to when it is known at `time` how the work went; the time since is silence that means nothing yet.
    func known(at time: Double) -> Double {
        guard done > 0 else { return time }
        return max(latest, time - Self.patience * usualGap, min(time, Self.earliest))
    }

    /// Where the newest interval begins, up to which alone the past is known in detail.
    var beginning: Double { before.elapsed }

    /// What was done after `time`, which is not before ``beginning``.
    func done(after time: Double) -> Double {
        guard time < latest else { return 0 }
        return newest * (latest - time) / (latest - before.elapsed)
    }

    /// For how long at first the work may not have begun, while there is only one report: until the second it is not known whether it
    /// began late or reports as seldom. If it began after the look before, it would not stand still at once: silence says that it is seldom.
    func possibleWait(at now: Double) -> Double {
        let begun = min(Double(idle), 0.999 * latest)
        return now - latest <= Self.patience * (latest - begun) ? begun : 0
    }

    /// Whether there is a rate at `now`: some work, done in half a second at least, whenever it began.
    func hasRate(at now: Double) -> Bool {
        let wait = possibleWait(at: now)
        return done > 0 && (wait > 0 ? latest - wait : now) >= Self.earliest
    }

    /// How much of the time until `time` may have been waiting for the work to begin: the time until the first report, less what
    /// it brought would have taken at the pace since.
    func waiting(until time: Double, at now: Double) -> Double {
        guard idle == 0 else { return possibleWait(at: now) * min(1, time / latest) }
        let first = (time: Double(first.time), work: Double(first.work))
        let since = done - done(after: time) - first.work
        guard since > 0, time > first.time else { return 0 }
        return max(0, first.time - first.work * (time - first.time) / since)
    }

    /// The rate up to `time`, from when work was reported last on a standstill; without any work, nothing.
    func rate(until time: Double) -> RateStatistics {
        var rate = before
        guard done > 0 else { return rate }
        if latest > rate.elapsed, time > rate.elapsed { rate.add(newest - done(after: time), until: min(time, latest)) }
        if time > rate.elapsed { rate.add(0, until: time) }
        return rate
    }
}
