/// The latest completed runs of every type: where estimates begin before a run has a rate.
struct RunHistory: Sendable {
    struct Run: Sendable, Hashable {
        /// Active seconds.
        var seconds: Double
        /// How much there was to do, without what was there before; `nil` where that was never known.
        var work: Int64?
        var unit: OperationUnit
        /// In their order; empty where it had none.
        var phases: [PhaseTime]

        init(seconds: Double, work: Int64?, unit: OperationUnit, phases: [PhaseTime] = []) {
            self.seconds = seconds
            self.work = work
            self.unit = unit
            self.phases = phases
        }

        /// How long a phase took, and how long what came after it; `nil` for one that it had not.
        fileprivate func seconds(of phase: String) -> (own: Double, later: Double)? {
            guard let place = phases.firstIndex(where: { $0.phase == phase }) else { return nil }
            return (phases[place].seconds, phases[(place + 1)...].reduce(0) { $0 + $1.seconds })
        }
    }

    /// What one completed run teaches.
    struct Lesson: Sendable {
        var type: OperationType
        var run: Run
        /// Bytes that it has transferred; 0 where its amounts count something else.
        var bytes: Int64
        /// How its estimates have held; `nil` where none were judged.
        var accuracy: EstimateAccuracy?

        init(type: OperationType, run: Run, bytes: Int64 = 0, accuracy: EstimateAccuracy?) {
            self.type = type
            self.run = run
            self.bytes = bytes
            self.accuracy = accuracy
        }

        /// `nil` for one that was not completed, or that nobody timed.
        init?(_ record: OperationRecord) {
            let operation = record.operation
            guard operation.status == .completed, let seconds = operation.activeSeconds else { return nil }
            let progress = operation.progress
            let work = progress.totalUnits.map { max(0, $0 - progress.presentUnits) }
            let run = Run(seconds: seconds, work: work, unit: progress.unit, phases: record.phases)
            let bytes = progress.unit == .bytes ? progress.completedUnits - progress.presentUnits : 0
            self.init(type: operation.type, run: run, bytes: bytes, accuracy: record.accuracy)
        }
    }

    private var runs: [OperationType: RingBuffer<Run>] = [:]
    private var widths: [OperationType: IntervalWidth] = [:]
    private var bytes: [OperationType: LearnedPeak] = [:]

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

    mutating func add(_ lesson: Lesson) {
        add(lesson.run, of: lesson.type)
        if lesson.bytes > 0, bytes[lesson.type] != nil || bytes.count < Self.keptTypes {
            bytes[lesson.type, default: LearnedPeak()].add(lesson.bytes)
        }
        if let accuracy = lesson.accuracy { add(accuracy, of: lesson.type) }
    }

    /// The most bytes that runs of a type transfer; `nil` where none did.
    func transferredBytes(of type: OperationType) -> Int64? { bytes[type]?.bytes }

    /// What the runs most like one with so much to do say: those of its type with about as much of the same unit (to the same
    /// power of two), then all of its type, then all.
    ///
    /// - Parameter phase: the phase that the one at hand is in, and after how many active seconds it began.
    func past(
        of type: OperationType,
        work: Int64?,
        unit: OperationUnit,
        phase: (name: String, began: Double)? = nil
    ) -> PastOfType {
        let runs = runs(of: type, work: work, unit: unit)
        return PastOfType(
            durations: PastDurations(runs.lazy.map(\.seconds)),
            phase: phase.flatMap { Self.past(of: $0, in: runs) },
            widthFactor: widths[type]?.factor ?? 1
        )
    }

    private static func past(of phase: (name: String, began: Double), in runs: [Run]) -> PastPhase? {
        let same = runs.compactMap { $0.seconds(of: phase.name) }
        guard same.count >= enough, let ends = PastDurations(same.lazy.map { phase.began + $0.own }) else { return nil }
        return PastPhase(name: phase.name, ends: ends, later: PastDurations(same.lazy.map(\.later)))
    }

    /// What runs have in common of which ``past(of:work:unit:phase:)`` says the same while they are in no phase.
    struct Kind: Sendable, Hashable {
        var type: OperationType
        var unit: OperationUnit
        fileprivate var sizeClass: Int?

        init(type: OperationType, unit: OperationUnit, work: Int64?) {
            self.type = type
            self.unit = unit
            sizeClass = RunHistory.sizeClass(work)
        }
    }

    private func runs(of type: OperationType, work: Int64?, unit: OperationUnit) -> [Run] {
        let ofType = runs[type]?.newest(Self.keptRuns) ?? []
        if let work, work > 0, unit != .fraction {
            let alike = ofType.filter { $0.unit == unit && Self.sizeClass($0.work) == Self.sizeClass(work) }
            if alike.count >= Self.enough { return alike }
        }
        if ofType.count >= Self.enough { return ofType }
        let all = runs.values.flatMap { $0.newest(Self.keptRuns) }
        return all.count >= Self.enoughOfAll ? all : []
    }

    /// Takes how the estimates of a run of this type have held.
    mutating func add(_ accuracy: EstimateAccuracy, of type: OperationType) {
        guard widths[type] != nil || widths.count < Self.keptTypes else { return }
        widths[type, default: IntervalWidth()].learn(from: accuracy)
    }

    fileprivate static func sizeClass(_ work: Int64?) -> Int? {
        work.flatMap { $0 > 0 ? Int64.bitWidth - $0.leadingZeroBitCount : nil }
    }
}
