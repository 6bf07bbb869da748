#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What one ended operation adds to statistics, or several that ended alike.
package struct EndingSums: Sendable, Hashable {
    package var count = 0
    /// Active seconds.
    package var seconds = 0.0
    /// Bytes that were transferred; what was there at the start doesn't count.
    package var bytes: Int64 = 0
    /// Active seconds of those that transferred bytes.
    package var byteSeconds = 0.0
    /// How the times remaining have held.
    package var accuracy = EstimateAccuracy()

    package init(
        count: Int = 0,
        seconds: Double = 0,
        bytes: Int64 = 0,
        byteSeconds: Double = 0,
        accuracy: EstimateAccuracy = EstimateAccuracy()
    ) {
        self.count = count
        self.seconds = seconds
        self.bytes = bytes
        self.byteSeconds = byteSeconds
        self.accuracy = accuracy
    }

    package static func += (sums: inout EndingSums, more: EndingSums) {
        sums.count += more.count
        sums.seconds += more.seconds
        sums.bytes += more.bytes
        sums.byteSeconds += more.byteSeconds
        sums.accuracy += more.accuracy
    }
}

/// How an operation ended, as far as statistics tell endings apart.
package struct EndingKind: Sendable, Hashable {
    package let status: OperationStatus
    /// The bucket of its duration (see ``DurationHistogram``); 0 unless it was completed.
    package let bucket: Int

    package init(status: OperationStatus, bucket: Int) {
        self.status = status
        self.bucket = bucket
    }
}

extension OperationRecord {
    /// The day on which it ended, in UTC, counted from 1970.
    package var dayOfEnd: Int64 { Self.day(of: operation.finishedAt ?? operation.updatedAt) }

    fileprivate static func day(of moment: Date) -> Int64 {
        Int64((Double(moment.milliseconds) / 86_400_000).rounded(.down))
    }

    /// What this operation adds to statistics; `nil` while it is active. Of what was not completed only the number counts.
    package var ending: (kind: EndingKind, sums: EndingSums)? {
        guard operation.status.isTerminal else { return nil }
        guard operation.status == .completed else {
            return (EndingKind(status: operation.status, bucket: 0), EndingSums(count: 1))
        }
        let (seconds, progress) = (operation.durationForStatistics, operation.progress)
        let transferred = progress.unit == .bytes ? max(progress.completedUnits - progress.presentUnits, 0) : 0
        let sums = EndingSums(
            count: 1,
            seconds: seconds,
            bytes: transferred,
            byteSeconds: transferred > 0 ? seconds : 0,
            accuracy: accuracy ?? EstimateAccuracy()
        )
        return (EndingKind(status: .completed, bucket: DurationHistogram.bucket(ofSeconds: seconds)), sums)
    }
}

extension BackgroundOperation {
    /// The time in progress; where nobody measured it, the time from start to end by the wall clock.
    fileprivate var durationForStatistics: Double {
        if let activeSeconds { return max(activeSeconds, 0) }
        guard let startedAt, let finishedAt else { return 0 }
        return max(finishedAt.timeIntervalSince(startedAt), 0)
    }
}

/// What operations of a type need at their highest, in bytes: of memory, or of disk space. An old height counts less with each
/// that follows, so that one that was out of the ordinary is forgotten.
package struct LearnedPeak: Sendable, Hashable {
    /// `nil` while none was measured.
    package private(set) var bytes: Int64?
    /// Whether what was measured before this program began is in it.
    var knowsHistory = false

    package init() {}

    /// Takes the peak of one that has ended. A store does the same in its own language.
    package mutating func add(_ peak: Int64) {
        bytes = max(peak, (bytes ?? 0) / 10 * 9)
    }
}

/// The statistics of one type, as sums: they are only ever added to, so that nothing is counted twice or again.
package struct OperationTally: Sendable, Hashable {
    private var counts: [OperationStatus: Int] = [:]
    private var completed = EndingSums()
    private var durations = DurationHistogram()
    private var memory = LearnedPeak()
    /// How estimates have held, by the day on which the operations ended.
    private var accuracyByDay: [Int64: EstimateAccuracy] = [:]

    package init() {}

    /// Takes an operation that has ended.
    package mutating func add(_ ended: OperationRecord) {
        guard let ending = ended.ending else { return }
        add(ending.sums, of: ending.kind)
        if let accuracy = ended.accuracy { add(accuracy, onDay: ended.dayOfEnd) }
        if let peak = ended.peakMemoryBytes { add(peakMemoryBytes: peak) }
    }

    /// Takes the memory peak of an operation that ended.
    package mutating func add(peakMemoryBytes: Int64) {
        memory.add(peakMemoryBytes)
    }

    /// Takes how the estimates of operations have held that ended on a day.
    package mutating func add(_ accuracy: EstimateAccuracy, onDay day: Int64) {
        accuracyByDay[day, default: EstimateAccuracy()] += accuracy
        guard accuracyByDay.count > 2 * HistoryStatistics.recentDays, let oldest = accuracyByDay.keys.min() else {
            return
        }
        accuracyByDay[oldest] = nil
    }

    package mutating func add(_ sums: EndingSums, of kind: EndingKind) {
        counts[kind.status, default: 0] += sums.count
        guard kind.status == .completed else { return }
        completed += sums
        durations.add(sums.count, toBucket: kind.bucket)
    }

    /// The figures that the sums come to.
    package func statistics(of type: OperationType) -> HistoryStatistics {
        var figures = HistoryStatistics(
            type: type,
            completed: counts[.completed] ?? 0,
            failed: counts[.failed] ?? 0,
            cancelled: counts[.cancelled] ?? 0
        )
        figures.p50Seconds = durations.percentile(0.5)
        figures.p90Seconds = durations.percentile(0.9)
        figures.p99Seconds = durations.percentile(0.99)
        figures.meanBytesPerSecond = completed.byteSeconds > 0 ? Double(completed.bytes) / completed.byteSeconds : nil
        figures.peakMemoryBytes = memory.bytes
        figures.accuracy = completed.accuracy
        let today = OperationRecord.day(of: .now)
        for (day, accuracy) in accuracyByDay where day > today - Int64(HistoryStatistics.recentDays) {
            figures.recentAccuracy += accuracy
        }
        return figures
    }
}
