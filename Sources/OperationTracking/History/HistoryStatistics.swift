#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Figures over all operations of one type that ever ended.
public struct HistoryStatistics: Sendable, Hashable {
    /// The type.
    public var type: OperationType
    /// How many were completed.
    public var completed: Int
    /// How many failed.
    public var failed: Int
    /// How many were cancelled.
    public var cancelled: Int
    /// Active seconds of completed operations at the 50th, 90th and 99th percentile, within 2 %; `nil` while none was completed.
    public var p50Seconds, p90Seconds, p99Seconds: Double?
    /// Bytes transferred by completed operations, over the seconds they took; `nil` where none counted bytes.
    public var meanBytesPerSecond: Double?

    /// Resident memory in bytes that operations of the type need at their highest, as measured: the highest of all that ended,
    /// where with each later one that was measured a tenth of it is forgotten. `nil` where none was measured.
    public var peakMemoryBytes: Int64?

    /// How the times remaining of completed operations have held.
    public var accuracy = EstimateAccuracy()
    /// The same of those that ended on the last ``recentDays`` days (UTC), today among them: what this version does now.
    public var recentAccuracy = EstimateAccuracy()

    /// How many days ``recentAccuracy`` is about.
    public static let recentDays = 30

    /// Makes figures.
    public init(type: OperationType, completed: Int, failed: Int, cancelled: Int) {
        self.type = type
        self.completed = completed
        self.failed = failed
        self.cancelled = cancelled
    }

    /// How many ended.
    public var count: Int { completed + failed + cancelled }

    /// The share of completed among completed and failed, 0 to 1; `nil` when there is neither. Cancelled ones say nothing
    /// about success.
    public var successShare: Double? {
        let judged = completed + failed
        return judged > 0 ? Double(completed) / Double(judged) : nil
    }
}

/// A histogram of durations with buckets that grow by a constant factor, so that any percentile is at most 2 % off.
///
/// Bucket `i` holds durations in milliseconds from g^(i-1) to g^i with g = 1.02/0.98; a percentile is read as the point of
/// its bucket whose relative distance to both ends is the same, 2 g^i / (g + 1). (C. Masson, J. Rim, H. Lee: DDSketch,
/// VLDB 2019.)
public struct DurationHistogram: Sendable, Hashable {
    /// How many durations each bucket holds.
    public private(set) var counts: [Int: Int] = [:]
    /// How many durations there are.
    public private(set) var total = 0

    /// Makes an empty histogram.
    public init() {}

    /// The bucket of a duration in seconds. What is under a millisecond shares bucket 0.
    public static func bucket(ofSeconds seconds: Double) -> Int {
        let milliseconds = seconds * 1000
        guard milliseconds > 1 else { return 0 }
        return Int((log(min(milliseconds, 1e15)) / logGrowth).rounded(.up))
    }

    /// Adds `count` durations to a bucket.
    public mutating func add(_ count: Int = 1, toBucket bucket: Int) {
        counts[bucket, default: 0] += count
        total += count
    }

    /// The duration in seconds that a share of all durations don't exceed; `nil` when there are none.
    ///
    /// - Parameter share: 0 to 1.
    public func percentile(_ share: Double) -> Double? {
        guard total > 0 else { return nil }
        let rank = max(1, Int((share * Double(total)).rounded(.up)))
        var seen = 0
        for (bucket, count) in counts.sorted(by: { $0.key < $1.key }) {
            seen += count
            if seen >= rank { return Self.seconds(ofBucket: bucket) }
        }
        return nil
    }

    private static let growth = 1.02 / 0.98
    private static let logGrowth = log(growth)

    private static func seconds(ofBucket bucket: Int) -> Double {
        2 * exp(Double(bucket) * logGrowth) / (growth + 1) / 1000
    }
}
