#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What the reports so far say of an operation's rate: the whole average, a recent one, and how uneven it has been.
///
/// Between two reports the rate is taken as constant. Every figure here is an integral over that, so it comes out the same
/// however often the same course is reported.
struct RateStatistics: Sendable {
    /// Active time in seconds since the first report.
    private(set) var elapsed = 0.0
    /// Work done in that time, in the operation's unit.
    private(set) var done = 0.0
    /// An exponentially weighted rate, which begins at 0.
    private var recent = 0.0
    /// The sum of the squares of what was done in each whole second.
    private var squares = 0.0
    private var doneInWholeSeconds = 0.0
    private var most: Float = 0
    /// What was done in the last whole second, and the sum of the products of what was done in two that follow each other.
    private var latest: Float = 0
    private var products: Float = 0

    /// How long the recent rate remembers, in seconds.
    private static let memory = 4.0

    /// Adds work that was done evenly from ``elapsed`` to `time`.
    mutating func add(_ work: Double, until time: Double) {
        let duration = time - elapsed
        let rate = work / duration
        let keep = exp(-duration / Self.memory)
        recent = recent * keep + rate * (1 - keep)

        let ended = time.rounded(.down) - wholeSeconds
        if ended >= 1 {
            let inFirst = done + rate * (wholeSeconds + 1 - elapsed) - doneInWholeSeconds
            squares += inFirst * inFirst + (ended - 1) * rate * rate
            most = max(most, Float(inFirst), ended > 1 ? Float(rate) : 0)
            products += latest * Float(inFirst) + (ended > 1 ? Float(inFirst * rate + (ended - 2) * rate * rate) : 0)
            latest = Float(ended > 1 ? rate : inFirst)
            doneInWholeSeconds = done + rate * (time.rounded(.down) - elapsed)
        }
        elapsed = time
        done += work
    }

    private var wholeSeconds: Double { elapsed.rounded(.down) }

    /// The most that was done in one of the whole seconds.
    var mostInASecond: Double { Double(most) }

    /// The recent rate as a multiple of the average rate.
    var recentRatio: Double {
        guard done > 0 else { return 1 }
        // The sum of the weights corrects for the beginning at 0.
        return recent / -expm1(-elapsed / Self.memory) / (done / elapsed)
    }

    /// How far a second is like the one before it: the autocorrelation of whole seconds, 0 to 1. It begins as if four pairs alike had
    /// been seen.
    var persistence: Double {
        let pairs = wholeSeconds - 1
        guard pairs > 1 else { return 1 }
        let mean = doneInWholeSeconds / wholeSeconds
        let variance = squares / wholeSeconds - mean * mean
        // Single precision tells no more of seconds that are nearly equal.
        guard variance > 1e-4 * mean * mean else { return 1 }
        let correlation = min(max((Double(products) / pairs - mean * mean) / variance, 0), 1)
        return (correlation * pairs + 4) / (pairs + 4)
    }

    /// How uneven the rate has been: the logarithm of the quadratic over the arithmetic mean of what was done in each
    /// second. 0 for a constant rate, 0.35 when the standard deviation is as large as the mean.
    var unevenness: Double {
        guard done > 0 else { return 0 }
        let inSecond = done - doneInWholeSeconds
        let lengthOfSecond = elapsed - wholeSeconds
        let sum = squares + (lengthOfSecond > 1e-9 ? inSecond * inSecond / lengthOfSecond : 0)
        return 0.5 * log(max(1, sum * elapsed / (done * done)))
    }
}
