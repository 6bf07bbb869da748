import Synchronization

/// Measures what operations and the machine use, and judges the load. One for a tracker; idle when nothing runs.
actor ResourceMonitor {
    /// The latest judgement, for who can't wait.
    struct Current: Sendable {
        var assessment = OverloadAssessment()
        var policy = OverloadPolicy()
        /// When it was made, on the monotonic clock; `nil` before the first.
        var time: Int64?

        /// The first look has no earlier one to tell the processor's use by: it is soon worth looking again.
        private static let firstLookLasts: Duration = .milliseconds(100)

        /// - Parameter now: on the monotonic clock.
        func isFresh(at now: Int64, within interval: Duration) -> Bool {
            guard let time else { return false }
            let isFirst = assessment.host?.cpuPercent == nil
            return now - time < (isFirst ? min(interval, Self.firstLookLasts) : interval).nanoseconds
        }
    }

    /// What a look brought to light beside the figures.
    struct News: Sendable {
        var totals = CountedCost()
        /// Whether another set of reasons stands than before.
        var hasChanged = false
        var thresholdChanges: [ThresholdChange] = []
    }

    /// What files are read from never blocks for long, but that is the kernel's affair: they are read off the cooperative pool.
    private let executor = QueueExecutor(label: "OperationTracking.resources")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    nonisolated let current = Mutex(Current())
    private let dataDirectory: String?
    private let interval: Duration
    private let isAdaptive: Bool
    private lazy var sampler = ResourceSampler(dataDirectory: dataDirectory, longestSpan: longestSpan)
    private var monitor = OverloadMonitor()
    private var history = ResourceHistory()
    private var adaptation = OverloadAdaptation()
    private var speeds = TypicalSpeeds()
    private var lastObservation: (time: Int64, failed: Int)?

    /// How often the relation of load and speed is noted.
    private static let observationInterval: Int64 = 10_000_000_000

    /// - Parameter interval: how long a measurement holds.
    init(dataDirectory: String?, interval: Duration, isAdaptive: Bool) {
        self.dataDirectory = dataDirectory
        self.interval = interval
        self.isAdaptive = isAdaptive
    }

    /// A few measurements may be late; the machine's load since before an idle hour is not its load now.
    private var longestSpan: Duration { max(.seconds(10), min(interval, .seconds(86_400)) * 5) }

    /// The latest judgement, if that still holds.
    ///
    /// - Parameter now: monotonic nanoseconds.
    nonisolated func freshAssessment(at now: Int64) -> OverloadAssessment? {
        current.withLock { $0.isFresh(at: now, within: interval) ? $0.assessment : nil }
    }

    /// Measures the processes of the active operations and the machine, tells the operations what they cost, and judges.
    ///
    /// - Returns: `nil` when the latest judgement holds: others who asked at the same time had it made.
    func look(at registry: OperationRegistry, _ clock: any TrackingClock) -> News? {
        let time = CellTime(clock)
        guard freshAssessment(at: time.monotonic) == nil else { return nil }
        let (cells, summary) = (registry.activeCells, registry.summary)
        let processes = cells.map { ($0, $0.withState(\.process)) }
        let sample = sampler.sample(processes.compactMap(\.1), at: time.monotonic)
        for case (let cell, let process?) in processes { cell.take(sample.impacts[process]) }

        var news = News()
        news.totals = CountedCost(sample.totals)
        let load = OperationLoad(
            measured: sample.totals,
            reported: summary.reported,
            activeOperations: summary.totalActive
        )
        news.thresholdChanges = changePolicy { policy in
            adapt(&policy, to: cells, load, sample.host, summary[.failed], at: time.monotonic)
        }
        let policy = current.withLock(\.policy)
        let assessment = monitor.assess(load, host: sample.host, policy: policy, at: time.monotonic)
        news.hasChanged = current.withLock { current in
            let before = current.assessment.reasons.map(\.code)
            current.assessment = assessment
            current.time = time.monotonic
            return before != assessment.reasons.map(\.code)
        }
        history.append(
            ResourceHistory.Point(
                monotonicNanoseconds: time.monotonic,
                date: .init(milliseconds: time.wall),
                host: sample.host,
                totals: load.together,
                activeOperations: summary.totalActive
            )
        )
        return news
    }

    func points(last duration: Duration, limit: Int) -> [ResourceHistory.Point] {
        history.points(last: duration, limit: limit)
    }

    /// Changes the policy outside its lock. Should somebody set another one meanwhile, that one holds.
    ///
    /// - Returns: what was changed.
    nonisolated func changePolicy(_ change: (inout OverloadPolicy) -> [ThresholdChange]) -> [ThresholdChange] {
        let before = current.withLock(\.policy)
        var policy = before
        let changes = change(&policy)
        let isTaken = current.withLock { current in
            guard current.policy == before else { return false }
            current.policy = policy
            return true
        }
        return isTaken ? changes : []
    }

    private func adapt(
        _ policy: inout OverloadPolicy,
        to cells: [OperationCell],
        _ load: OperationLoad,
        _ host: HostResources,
        _ failed: Int,
        at time: Int64
    ) -> [ThresholdChange] {
        guard isAdaptive else { return [] }
        let before = lastObservation
        guard before.map({ time - $0.time >= Self.observationInterval }) ?? true else { return [] }
        lastObservation = (time, failed)
        guard let before, let speed = speeds.relativeSpeed(of: cells) ?? usualSpeed(of: cells) else { return [] }
        adaptation.observe(
            LoadObservation(
                throughputPerOperation: speed.mean,
                activeOperations: speed.count,
                failures: failed - before.failed,
                cpuPercent: load.cpuPercent(of: host.availableCores),
                memoryBytes: load.memoryBytes
            )
        )
        return adaptation.adapt(&policy)
    }
}

/// Work whose speed nobody measures is taken to go as it usually does: what it tells is how much of it fails.
private func usualSpeed(of cells: [OperationCell]) -> (mean: Double, count: Int)? {
    let count = cells.count { $0.withState(\.isRunning) }
    return count > 0 ? (1, count) : nil
}

/// How fast operations of a type usually go, so that fast and slow types can be compared.
private struct TypicalSpeeds {
    private var bitRates: [OperationType: Double] = [:]

    /// How fast the running operations that transfer bytes go, in parts of what is usual for their type; `nil` when none does.
    mutating func relativeSpeed(of cells: [OperationCell]) -> (mean: Double, count: Int)? {
        var sum = 0.0
        var count = 0
        for cell in cells {
            let rate = cell.withState { $0.isRunning ? $0.lastTick.bitRate : 0 }
            guard rate > 0 else { continue }
            let usual = bitRates[cell.type] ?? rate
            if bitRates[cell.type] != nil || bitRates.count < EndedTotals.mostTypes {
                bitRates[cell.type] = usual + 0.05 * (rate - usual)
            }
            sum += rate / usual
            count += 1
        }
        return count > 0 ? (sum / Double(count), count) : nil
    }
}

extension OperationCell {
    /// Takes what the operation's process tree was found to cost; `nil` when it isn't there any more.
    func take(_ impact: ResourceImpact?) {
        withState { state in
            var resources = state.resources
            resources.cpuPercent = impact?.cpuPercent
            resources.memoryBytes = impact?.memoryBytes
            // The same figures again are no news.
            guard state.machine.status.isActive, resources != state.resources else { return }
            state.resources = resources
            state.peakMemory = max(state.peakMemory, impact?.memoryBytes ?? 0)
            state.isDirty = true
        }
    }
}

extension OperationLoad {
    fileprivate var together: ResourceImpact {
        ResourceImpact(
            cpuPercent: (measured.cpuPercent ?? 0) + (reported.cpuPercent ?? 0),
            memoryBytes: memoryBytes,
            networkBitsPerSecond: reported.networkBitsPerSecond
        )
    }
}
