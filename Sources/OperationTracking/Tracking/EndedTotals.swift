/// What has ended since a tracker was made, by type, for metrics: counts, a histogram of durations, bytes.
///
/// Types come from outside, so only so many are kept apart.
package struct EndedTotals: Sendable {
    /// The figures of one type.
    package struct Figures: Sendable {
        package var completed = 0
        package var failed = 0
        package var cancelled = 0
        /// How many completed operations took at most so many seconds as ``EndedTotals/bounds`` say, each of them in its own
        /// bucket only; the last is of those that took longer.
        package var buckets = [Int](repeating: 0, count: EndedTotals.bounds.count + 1)
        /// Active seconds of completed operations.
        package var seconds = 0.0
        /// Bytes that ended operations have transferred.
        package var bytes: Int64 = 0
        /// How the times remaining of completed operations have held.
        package var accuracy = EstimateAccuracy()

        fileprivate mutating func add(
            _ status: OperationStatus,
            seconds: Double?,
            bytes: Int64,
            accuracy: EstimateAccuracy?
        ) {
            switch status {
            case .completed:
                let seconds = seconds ?? 0
                completed += 1
                buckets[EndedTotals.bounds.firstIndex { seconds <= $0 } ?? EndedTotals.bounds.count] += 1
                self.seconds += seconds
            case .failed: failed += 1
            case .cancelled: cancelled += 1
            case .pending, .inProgress, .paused: break
            }
            if let accuracy { self.accuracy += accuracy }
            if bytes > 0 { self.bytes += bytes }
        }
    }

    /// The upper bounds of the buckets in seconds.
    package static let bounds: [Double] = [0.1, 1, 5, 15, 60, 300, 900, 3600, 14_400]
    /// What stands for all types that came after so many others.
    package static let other = OperationType("other")
    static let mostTypes = 64

    package private(set) var byType: [OperationType: Figures] = [:]

    /// Types under their own names, as far as they are kept apart.
    ///
    /// - Parameter others: how many types are kept apart beside these.
    package func label(for type: OperationType, beside others: Int = 0) -> OperationType {
        byType[type] != nil || byType.count + others < Self.mostTypes ? type : Self.other
    }

    mutating func add(
        _ status: OperationStatus,
        of type: OperationType,
        seconds: Double?,
        bytes: Int64,
        accuracy: EstimateAccuracy?
    ) {
        guard status.isTerminal else { return }
        byType[label(for: type), default: Figures()].add(status, seconds: seconds, bytes: bytes, accuracy: accuracy)
    }
}
