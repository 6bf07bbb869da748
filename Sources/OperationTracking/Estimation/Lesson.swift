extension RunHistory {
    /// What one completed run teaches.
    struct Lesson: Sendable {
        /// Whose, so that no run teaches twice.
        var id: OperationID
        var type: OperationType
        var run: Run
        /// Bytes that it has written to the data directory's file system; 0 where its amounts count something else.
        var bytes: Int64 = 0
        /// How its estimates have held; `nil` where none were judged.
        var accuracy: EstimateAccuracy?
        /// What its interval's usual width was multiplied with; `nil` where that is not known.
        var width: Double?
    }
}

extension RunHistory.Lesson {
    /// `nil` for one that was not completed, or that nobody timed.
    init?(_ record: OperationRecord) {
        let operation = record.operation
        guard operation.status == .completed, let seconds = operation.activeSeconds else { return nil }
        let progress = operation.progress
        let run = RunHistory.Run(
            seconds: seconds,
            work: progress.totalUnits.map { max(0, $0 - progress.presentUnits) },
            unit: progress.unit,
            phases: record.phases,
            feature: record.estimateFeature
        )
        self.init(
            id: operation.id,
            type: operation.type,
            run: run,
            bytes: progress.unit == .bytes && record.writesToDataDirectory
                ? progress.completedUnits - progress.presentUnits : 0,
            accuracy: record.accuracy,
            width: record.estimateWidth
        )
    }
}
