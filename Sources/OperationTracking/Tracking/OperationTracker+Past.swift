import Synchronization

/// What is known of past runs of a type when an operation is compared with them.
struct PastOfType: Sendable {
    var durations: PastDurations?
    var widthFactor: Double
}

/// Past runs, once they have been read.
struct Past: Sendable {
    var runs = RunHistory()
    var isAsked = false
    var isKnown = false
}

extension OperationTracker {
    /// How the times remaining of completed operations of a type have held since this tracker was made.
    ///
    /// - Parameter type: the type.
    public func estimateAccuracy(of type: OperationType) -> EstimateAccuracy {
        past.withLock { $0.runs.accuracy(of: type) }
    }

    /// Reads the latest completed operations once, so that estimates can begin with how long they took.
    func learnFromHistory() {
        let isFirst = past.withLock { past in
            defer { past.isAsked = true }
            return !past.isAsked
        }
        guard isFirst else { return }
        guard let history else { return past.withLock { $0.isKnown = true } }
        let now = clock.wallMilliseconds
        Task { [weak self] in
            var query = HistoryQuery(limit: 1000)
            query.statuses = [.completed]
            // A history that can't be read is told of elsewhere; estimates then begin without one.
            let page = try? await history.page(query)
            self?.learn(from: page?.records ?? [], endedBefore: now)
        }
    }

    /// Takes the operations that ended before this tracker began to learn from its own.
    private func learn(from records: [OperationRecord], endedBefore end: Int64) {
        let before = records.lazy.map(\.operation).filter { ($0.finishedAt?.milliseconds ?? .max) < end }
        past.withLock { past in
            past.runs.precede(
                with: before.compactMap { operation in RunHistory.Run(operation).map { (operation.type, $0) } }
            )
            past.isKnown = true
        }
    }

    /// Whether the history has been read.
    var knowsPast: Bool { past.withLock { $0.isKnown } }

    func pastOfType(_ cell: OperationCell, work: Int64?) -> PastOfType? {
        past.withLock { past in
            guard past.isKnown else { return nil }
            return PastOfType(
                durations: past.runs.durations(of: cell.type, work: work, unit: cell.unit),
                widthFactor: past.runs.accuracy(of: cell.type).widthFactor
            )
        }
    }

    func learn(from cell: OperationCell) {
        guard let lesson = cell.lesson else { return }
        past.withLock { past in
            past.runs.add(lesson.run, of: cell.type)
            past.runs.add(lesson.score, of: cell.type)
        }
    }
}
