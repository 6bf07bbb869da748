import Synchronization

/// Past runs, once they have been read.
struct Past: Sendable {
    var runs = RunHistory()
    var reading: Task<Void, Never>?
    var isKnown = false
    /// Runs of this tracker that ended before the older ones had been read, in their order.
    var early: [RunHistory.Lesson] = []

    /// What has been looked up since a run ended last.
    private var found: [RunHistory.Kind: PastOfType] = [:]

    /// More than that is not kept while the history is still being read.
    private static let mostEarly = 100
    /// Types may come from outside.
    private static let mostFound = 64

    mutating func add(_ lesson: RunHistory.Lesson) {
        if isKnown {
            runs.add(lesson)
            if !found.isEmpty { found = [:] }
        } else if early.count < Self.mostEarly {
            early.append(lesson)
        }
    }

    /// Takes the runs that ended before this tracker's own, newest first.
    mutating func begin(with older: some BidirectionalCollection<OperationRecord>) {
        for lesson in older.reversed().compactMap(RunHistory.Lesson.init) { runs.add(lesson) }
        for lesson in early { runs.add(lesson) }
        early = []
        isKnown = true
    }

    /// What past runs like this one say; `nil` while none have been read. Operations of one kind share it.
    mutating func runs(like cell: OperationCell, _ key: OperationCell.ComparisonKey) -> PastOfType? {
        guard isKnown else { return nil }
        if let phase = key.phase {
            let phase = (name: phase, began: key.phaseBegan)
            return runs.past(of: cell.type, work: key.work, unit: cell.unit, phase: phase)
        }
        let kind = RunHistory.Kind(type: cell.type, unit: cell.unit, work: key.work)
        if let past = found[kind] { return past }
        let past = runs.past(of: cell.type, work: key.work, unit: cell.unit)
        if found.count >= Self.mostFound { found = [:] }
        found[kind] = past
        return past
    }
}

extension OperationTracker {
    /// Reads the latest completed operations once, so that estimates can begin with how long they took, and with how wide
    /// their intervals had to be.
    func learnFromHistory() {
        past.withLock { past in
            guard past.reading == nil, !past.isKnown else { return }
            guard let history else { return past.begin(with: []) }
            let now = clock.wallMilliseconds
            past.reading = Task { [weak self] in
                var query = HistoryQuery(limit: 1000)
                query.statuses = [.completed]
                // A history that can't be read is told of elsewhere; estimates then begin without one.
                let page = try? await history.page(query)
                // What ends from now on this tracker learns by itself.
                let older = (page?.records ?? []).filter { ($0.operation.finishedAt?.milliseconds ?? .max) < now }
                self?.past.withLock { $0.begin(with: older) }
            }
        }
    }

    /// Whether the history has been read.
    var knowsPast: Bool { past.withLock { $0.isKnown } }

    func pastRuns(like cell: OperationCell, _ key: OperationCell.ComparisonKey) -> PastOfType? {
        past.withLock { $0.runs(like: cell, key) }
    }
}
