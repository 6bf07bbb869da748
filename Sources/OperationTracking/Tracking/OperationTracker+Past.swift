import Synchronization

/// Past runs, once they have been read.
struct Past: Sendable {
    var runs = RunHistory()
    /// What reads the history, or has read it last.
    var reading: Task<Void, Never>?
    private(set) var isKnown = false
    /// Runs of this tracker that ended since the reading began that is under way, in their order; `nil` while none is.
    private var early: [RunHistory.Lesson]? = []
    /// Runs of this tracker that were among what was read while their endings were still being told.
    private var untold: Set<OperationID> = []
    private var isReading = false
    /// When, on the monotonic clock, the history is to be read next.
    private var nextReading = Int64.min

    /// More than that is not kept while the history is being read.
    private static let mostEarly = 1000
    /// Other processes write to the same history; so often their runs are looked for.
    private static let interval: Int64 = 600_000_000_000
    /// How long it takes until a history is asked again that couldn't be read.
    private static let patience: Int64 = 10_000_000_000

    /// Whether the history is to be read now; whoever is told so reads it.
    mutating func takeTurn(at now: Int64) -> Bool {
        guard !isReading, now >= nextReading else { return false }
        isReading = true
        if isKnown { early = [] }
        return true
    }

    mutating func add(_ lesson: RunHistory.Lesson) {
        guard untold.remove(lesson.id) == nil else { return }
        if isKnown { runs.add(lesson) }
        if let count = early?.count, count < Self.mostEarly { early?.append(lesson) }
    }

    /// Takes what was read, of each type newest first. This tracker's own runs that ended meanwhile may be among it.
    ///
    /// - Parameters:
    ///   - active: this tracker's runs whose ending may be in the history and is still to be told.
    ///   - now: when, on the monotonic clock; `nil` when there is nothing to be read again.
    mutating func begin(
        with older: some BidirectionalCollection<OperationRecord>,
        while active: Set<OperationID> = [],
        at now: Int64? = nil
    ) {
        runs = RunHistory()
        untold = []
        var own = Set((early ?? []).lazy.map(\.id))
        for lesson in older.reversed().compactMap(RunHistory.Lesson.init) {
            runs.add(older: lesson)
            if own.remove(lesson.id) == nil, active.contains(lesson.id) { untold.insert(lesson.id) }
        }
        for lesson in early ?? [] where own.contains(lesson.id) { runs.add(lesson) }
        early = nil
        isKnown = true
        isReading = false
        nextReading = now.map { $0.addingReportingOverflow(Self.interval).partialValue } ?? .max
    }

    /// The history couldn't be read: until it can, this tracker's own runs have to do.
    mutating func fail(at now: Int64) {
        if !isKnown {
            for lesson in early ?? [] { runs.add(lesson) }
            isKnown = true
        }
        isReading = false
        nextReading = now.addingReportingOverflow(Self.patience).partialValue
    }
}

extension OperationTracker {
    /// Reads the latest completed operations, so that estimates can begin with how long they took, and with how wide their
    /// intervals had to be; now and then again, for what other processes have added.
    func learnFromHistory() {
        let now = clock.monotonicNanoseconds
        past.withLock { past in
            guard past.takeTurn(at: now) else { return }
            guard let history else { return past.begin(with: []) }
            past.reading = Task { [weak self] in
                guard let runs = try? await history.latestRuns() else {
                    // That is told of elsewhere.
                    self?.past.withLock { $0.fail(at: now) }
                    return
                }
                guard let self else { return }
                let active = Set(registry.activeCells.map(\.id))
                self.past.withLock { $0.begin(with: runs, while: active, at: now) }
            }
        }
    }

    /// Whether the history has been read.
    var knowsPast: Bool { past.withLock { $0.isKnown } }

    func pastRuns(of type: OperationType, like key: RunHistory.Likeness) -> PastRuns? {
        past.withLock { $0.isKnown ? $0.runs.past(of: type, like: key) : nil }
    }
}

extension HistoryStore {
    /// What is to be learned from, of each type newest first.
    fileprivate func latestRuns() async throws -> [OperationRecord] {
        if let store = self as? any LatestRuns { return try await store.latestRuns(ofEachType: RunHistory.keptRuns) }
        var query = HistoryQuery(limit: 1000)
        query.statuses = [.completed]
        return try await page(query).records
    }
}
