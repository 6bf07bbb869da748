/// The latest completed runs of every type: where estimates begin before a run has a rate.
struct RunHistory: Sendable {
    struct Run: Sendable, Hashable {
        /// Active seconds.
        var seconds: Double
        /// How much there was to do, without what was there before; `nil` where that was never known.
        var work: Int64?
        var unit: OperationUnit

        init(seconds: Double, work: Int64?, unit: OperationUnit) {
            self.seconds = seconds
            self.work = work
            self.unit = unit
        }

        /// `nil` for one that was not completed, or that nobody timed.
        init?(_ operation: BackgroundOperation) {
            guard operation.status == .completed, let seconds = operation.activeSeconds else { return nil }
            let progress = operation.progress
            self.init(
                seconds: seconds,
                work: progress.totalUnits.map { max(0, $0 - progress.presentUnits) },
                unit: progress.unit
            )
        }
    }

    private var runs: [OperationType: RingBuffer<Run>] = [:]
    private var accuracies: [OperationType: EstimateAccuracy] = [:]

    /// How many runs of a type are looked at: what was long ago says little.
    static let keptRuns = 256
    /// From how many runs on a narrower comparison is believed.
    static let enough = 5
    /// The same where runs of all types are compared.
    static let enoughOfAll = 20

    /// How many types are told apart: their names may come from outside.
    static let keptTypes = 64

    mutating func add(_ run: Run, of type: OperationType) {
        guard runs[type] != nil || runs.count < Self.keptTypes else { return }
        runs[type, default: RingBuffer(capacity: Self.keptRuns)].append(run)
    }

    /// Takes older runs, newest first.
    mutating func precede(with older: [(type: OperationType, run: Run)]) {
        let newer = runs
        runs = [:]
        for (type, run) in older.reversed() { add(run, of: type) }
        for (type, own) in newer { for run in own.newest(Self.keptRuns).reversed() { add(run, of: type) } }
    }

    /// The durations of the runs most like one with so much to do: those of its type with about as much of the same unit (to
    /// the same power of two), then all of its type, then all.
    func durations(of type: OperationType, work: Int64?, unit: OperationUnit) -> PastDurations? {
        let ofType = runs[type]?.newest(Self.keptRuns) ?? []
        if let work, work > 0, unit != .fraction {
            let alike = ofType.filter { $0.unit == unit && Self.sizeClass($0.work) == Self.sizeClass(work) }
            if alike.count >= Self.enough { return PastDurations(alike.lazy.map(\.seconds)) }
        }
        if ofType.count >= Self.enough { return PastDurations(ofType.lazy.map(\.seconds)) }
        let all = runs.values.lazy.flatMap { $0.newest(Self.keptRuns) }
        return all.count >= Self.enoughOfAll ? PastDurations(all.map(\.seconds)) : nil
    }

    /// How estimates of this type have held.
    func accuracy(of type: OperationType) -> EstimateAccuracy { accuracies[type] ?? EstimateAccuracy() }

    mutating func add(_ score: PredictionScore, of type: OperationType) {
        guard accuracies[type] != nil || accuracies.count < Self.keptTypes else { return }
        accuracies[type, default: EstimateAccuracy()].add(score)
    }

    private static func sizeClass(_ work: Int64?) -> Int? {
        work.flatMap { $0 > 0 ? Int64.bitWidth - $0.leadingZeroBitCount : nil }
    }
}
