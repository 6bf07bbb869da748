/// The latest completed runs of every type: where estimates begin before a run has a rate.
struct RunHistory: Sendable {
    struct Run: Sendable, Hashable {
        /// Active seconds.
        var seconds: Double
        /// How much there was to do, without what was there before; `nil` where that was never known.
        var work: Int64?
        var unit: OperationUnit
        /// In their order; empty where it had none.
        var phases: [PhaseTime] = []
        /// What decides how long it takes, beside type and size, as its provider says; `nil` for nothing.
        var feature: String?
    }

    /// By what runs are compared: two operations of a type that agree in it have the same past.
    struct Likeness: Sendable, Hashable {
        /// See ``RunHistory/sizeClass(_:)``.
        var size: UInt8?
        var unit: OperationUnit
        var feature: String?
        var phase: String?
    }

    private var runs: [OperationType: RingBuffer<Run>] = [:]
    private var widths: [OperationType: IntervalWidth] = [:]
    /// What the newest of the older runs used.
    private var usedWidths: [OperationType: Double] = [:]
    private var bytes: [OperationType: LearnedPeak] = [:]
    /// What was found, until another run ends that may change it.
    private var found: [OperationType: [Likeness: PastRuns]] = [:]

    /// How many runs of a type are looked at: what was long ago says little.
    static let keptRuns = 256
    /// From how many runs on a narrower comparison is believed.
    static let enough = 5
    /// The same where runs of all types are compared, and how many of each type then count.
    static let (enoughOfAll, mostOfEach) = (20, 32)
    /// Runs more powers of two away in size say nothing of how long this one takes.
    private static let farthest = 2
    /// How many types are told apart: their names may come from outside.
    static let keptTypes = 64
    /// How many comparisons of a type are kept.
    private static let mostFound = 64

    mutating func add(_ run: Run, of type: OperationType) {
        guard runs[type] != nil || runs.count < Self.keptTypes else { return }
        runs[type, default: RingBuffer(capacity: Self.keptRuns)].append(run)
        found[type] = nil
        // Those with too few of their own are compared with all.
        for other in found.keys where (runs[other]?.count ?? 0) < Self.enough { found[other] = nil }
    }

    /// Takes what a run of this tracker has taught.
    mutating func add(_ lesson: Lesson) {
        add(lesson.run, of: lesson.type)
        if lesson.bytes > 0, bytes[lesson.type] != nil || bytes.count < Self.keptTypes {
            bytes[lesson.type, default: LearnedPeak()].add(lesson.bytes)
        }
        if let accuracy = lesson.accuracy { add(accuracy, of: lesson.type) }
    }

    /// Takes what a run taught that ended before this tracker began. The width that it used holds what those before it taught, also
    /// where they are no longer known.
    mutating func add(older lesson: Lesson) {
        if let width = lesson.width, lesson.accuracy != nil, hasRoom(forWidthOf: lesson.type) {
            // Runs that went on side by side used the same: the later ones don't know what the earlier ones taught.
            if usedWidths[lesson.type] != width { widths[lesson.type] = IntervalWidth(factor: width) }
            usedWidths[lesson.type] = width
        }
        add(lesson)
    }

    /// Takes how the estimates of a run of this type have held.
    mutating func add(_ accuracy: EstimateAccuracy, of type: OperationType) {
        guard hasRoom(forWidthOf: type) else { return }
        widths[type, default: IntervalWidth()].learn(from: accuracy)
        found[type] = nil
    }

    private func hasRoom(forWidthOf type: OperationType) -> Bool {
        widths[type] != nil || widths.count < Self.keptTypes
    }

    /// The most bytes that runs of a type write to the data directory's file system; `nil` where none did.
    func writtenBytes(of type: OperationType) -> Int64? { bytes[type]?.bytes }

    /// What the interval's usual width is multiplied with for operations of a type.
    func widthFactor(of type: OperationType) -> Double { widths[type]?.factor ?? 1 }

    /// What the runs most like an operation say.
    mutating func past(of type: OperationType, like key: Likeness) -> PastRuns {
        if let known = found[type]?[key] { return known }
        let ofType = ofType(type, like: key)
        let runs = ofType ?? ofAllTypes(like: key)
        let past = PastRuns(
            durations: PastDurations(runs.lazy.map(\.seconds)),
            areOfItsType: ofType != nil,
            phase: key.phase.flatMap { Self.phase($0, of: runs) },
            widthFactor: widthFactor(of: type)
        )
        // Features and phases may come from outside, so that there is no end of them.
        if found[type]?.count ?? 0 >= Self.mostFound || found.count >= 2 * Self.keptTypes { found = [:] }
        found[type, default: [:]][key] = past
        return past
    }

    /// Those of the type with about as much to do and the same feature, if there are enough; then without the feature; then with
    /// it, and without, those nearest in size.
    private func ofType(_ type: OperationType, like key: Likeness) -> [Run]? {
        let ofType = runs[type]?.newest(Self.keptRuns) ?? []
        let ofFeature = key.feature.map { feature in ofType.filter { $0.feature == feature } } ?? []
        let size = key.unit == .fraction ? nil : key.size
        if let size {
            for candidates in [ofFeature, ofType] {
                let alike = candidates.filter { $0.unit == key.unit && Self.sizeClass($0.work) == size }
                if alike.count >= Self.enough { return alike }
            }
        }
        for candidates in [ofFeature, ofType] where candidates.count >= Self.enough {
            guard let size else { return candidates }
            if let nearest = Self.nearest(to: size, key.unit, in: candidates) { return nearest }
        }
        return nil
    }

    /// Those of all types, if there are enough.
    private func ofAllTypes(like key: Likeness) -> [Run] {
        let size = key.unit == .fraction ? nil : key.size
        let all = runs.values.flatMap { $0.newest(Self.mostOfEach) }.filter { run in
            size.flatMap { Self.distance(of: run, to: $0, key.unit) }.map { $0 <= Self.farthest } ?? true
        }
        return all.count >= Self.enoughOfAll ? all : []
    }

    /// The few nearest in size, of which the newest: many small ones say nothing about a large one. `nil` where most of those few
    /// are far in size; all, where hardly any size is known.
    private static func nearest(to size: UInt8, _ unit: OperationUnit, in runs: [Run]) -> [Run]? {
        let distances = runs.map { distance(of: $0, to: size, unit) ?? .max }
        let sorted = distances.filter { $0 < .max }.sorted()
        guard let last = sorted.dropFirst(enough - 1).first else { return runs }
        guard sorted[enough / 2] <= farthest else { return nil }
        let nearer = runs.indices.filter { distances[$0] < last }
        let asFar = runs.indices.filter { distances[$0] == last }.prefix(enough - nearer.count)
        return (nearer + asFar).map { runs[$0] }
    }

    /// How many powers of two a run's size is away; `nil` where it isn't known in that unit.
    private static func distance(of run: Run, to size: UInt8, _ unit: OperationUnit) -> Int? {
        run.unit == unit ? sizeClass(run.work).map { abs(Int($0) - Int(size)) } : nil
    }

    /// What runs say of a phase; `nil` where too few had it, or did more of the work that is counted after it: then the rate
    /// speaks of what comes later too, and so must they.
    private static func phase(_ name: String, of runs: [Run]) -> PastPhase? {
        let same = runs.compactMap { $0.share(of: name) }
        guard same.count >= enough, same.count(where: \.hasLaterWork) * 2 < same.count,
            let own = PastDurations(same.lazy.map(\.own))
        else { return nil }
        return PastPhase(name: name, own: own, later: PastDurations(same.lazy.map(\.later)))
    }

    /// Amounts of the same class differ by less than a factor of two; `nil` for none.
    static func sizeClass(_ work: Int64?) -> UInt8? {
        work.flatMap { $0 > 0 ? UInt8(Int64.bitWidth - $0.leadingZeroBitCount) : nil }
    }
}

extension RunHistory.Run {
    /// How long a phase took, how long what came after it, and whether counted work came after it; `nil` for one that it had not,
    /// and where nobody looked how much was done in it.
    fileprivate func share(of phase: String) -> (own: Double, later: Double, hasLaterWork: Bool)? {
        guard let place = phases.firstIndex(where: { $0.phase == phase }), phases[place].work != nil else { return nil }
        let later = phases[(place + 1)...]
        // The last of a phase's work may be seen with the next one.
        let laterWork = later.reduce(0.0) { $0 + Double($1.work ?? 0) }
        let hasLaterWork = laterWork > 0.01 * Double(work ?? .max)
        return (phases[place].seconds, later.reduce(0) { $0 + $1.seconds }, hasLaterWork)
    }
}
