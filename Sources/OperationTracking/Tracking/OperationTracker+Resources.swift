import Synchronization

extension OperationTracker {
    /// From which load on the machine counts as overloaded. It may be changed at any time; with
    /// ``Configuration/adaptsOverloadPolicy`` it also changes by itself, which is told by an event.
    public var overloadPolicy: OverloadPolicy {
        get { monitor.current.withLock { $0.policy } }
        set { monitor.current.withLock { $0.policy = newValue } }
    }

    /// Whether the machine is overloaded, and why. While operations run, the figures are at most
    /// ``Configuration/sampleInterval`` old and asking costs next to nothing; otherwise they are measured now.
    public func assessOverload() async -> OverloadAssessment {
        if let fresh = freshAssessment { return fresh }
        await sampleResources()
        return latestAssessment
    }

    /// The latest judgement, however old; that of an idle machine before the first.
    public var latestAssessment: OverloadAssessment { monitor.current.withLock { $0.assessment } }

    /// What was measured over the last minutes, oldest first. While nothing runs nothing is measured.
    ///
    /// - Parameters:
    ///   - duration: how far back from the latest point; 15 minutes are kept.
    ///   - limit: how many points at most, chosen evenly.
    public func resourceHistory(last duration: Duration = .seconds(900), limit: Int = .max) async -> [ResourceHistory
        .Point]
    {
        await monitor.points(last: duration, limit: limit)
    }

    private var freshAssessment: OverloadAssessment? { monitor.freshAssessment(at: clock.monotonicNanoseconds) }

    func sampleResourcesIfDue() async {
        guard freshAssessment == nil else { return }
        await sampleResources()
    }

    private func sampleResources() async {
        guard let news = await monitor.look(at: registry, clock) else { return }
        registry.setMeasured(news.totals)
        for change in news.thresholdChanges { broadcaster.announce(.thresholdChanged(change)) }
        if news.hasChanged { broadcaster.announce(.overloadChanged(latestAssessment)) }
        for (number, observer) in loadObservers.withLock(\.byNumber) where !observer() {
            loadObservers.withLock { $0.byNumber[number] = nil }
        }
    }

    /// Has `observer` called after each measurement, until it says that it wants no more.
    func observeLoad(_ observer: @escaping @Sendable () -> Bool) {
        loadObservers.withLock { observers in
            observers.last += 1
            observers.byNumber[observers.last] = observer
        }
    }

    struct LoadObservers: Sendable {
        fileprivate var byNumber: [Int: @Sendable () -> Bool] = [:]
        fileprivate var last = 0
    }

    var loadObserverCount: Int { loadObservers.withLock(\.byNumber.count) }

    /// Takes over from the history what operations of a type have needed before this tracker was made.
    func learnDemand(of type: OperationType) async {
        learnFromHistory()
        await past.withLock(\.reading)?.value
        guard let history, !registry.hasLearnedMemory(of: type) else { return }
        // A history that can't be read now is asked again next time.
        guard let figures = try? await history.statistics(types: [type]) else { return }
        registry.learnMemory(of: type, figures.first?.peakMemoryBytes)
    }

    /// What operations of a type have needed before: memory as far as it was measured, and as many bytes as they have written
    /// to the data directory's file system.
    func learnedDemand(of type: OperationType) -> ResourceDemand {
        ResourceDemand(
            memoryBytes: registry.typicalMemory(of: type),
            diskBytes: past.withLock { $0.runs.writtenBytes(of: type) }
        )
    }
}
