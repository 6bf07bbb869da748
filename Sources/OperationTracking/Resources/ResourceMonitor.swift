import Synchronization

/// Measures what operations and the machine use, and judges the load. One for a tracker; idle when nothing runs.
actor ResourceMonitor {
    /// The latest judgement, for who can't wait.
    struct Current: Sendable {
        var assessment = OverloadAssessment()
        var policy = OverloadPolicy()
        /// When it was made, on the monotonic clock; `nil` before the first.
        var time: Int64?
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
    private let isAdaptive: Bool
    private lazy var sampler = ResourceSampler(dataDirectory: dataDirectory)
    private var monitor = OverloadMonitor()
    private var history = ResourceHistory()
    private var adaptation = OverloadAdaptation()
    private var speeds = TypicalSpeeds()
    private var lastObservation: (time: Int64, failed: Int)?

    /// How often the relation of load and speed is noted.
    private static let observationInterval: Int64 = 10_000_000_000

    init(dataDirectory: String?, isAdaptive: Bool) {
        self.dataDirectory = dataDirectory
        self.isAdaptive = isAdaptive
    }

    /// Measures the processes of `cells` and the machine, tells the cells what they cost, and judges.
    func look(at cells: [OperationCell], _ summary: OperationsSummary, _ time: CellTime) -> News {
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
        var policy = current.withLock { $0.policy }
        news.thresholdChanges = adapt(&policy, to: cells, load, sample.host, summary[.failed], at: time.monotonic)
        let assessment = monitor.assess(load, host: sample.host, policy: policy, at: time.monotonic)
        news.hasChanged = current.withLock { current in
            let before = current.assessment.reasons.map(\.code)
            if !news.thresholdChanges.isEmpty { current.policy = policy }
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
        guard let before, let speed = speeds.relativeSpeed(of: cells) else { return [] }
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

/// How fast operations of a type usually go, so that fast and slow types can be compared.
private struct TypicalSpeeds {
    private var bitRates: [OperationType: Double] = [:]

    /// How fast the running operations that transfer bytes go, in parts of what is usual for their type; `nil` when none does.
    mutating func relativeSpeed(of cells: [OperationCell]) -> (mean: Double, count: Int)? {
        var sum = 0.0
        var count = 0
        for cell in cells {
            let rate = cell.withState { $0.runningSince == nil ? 0 : $0.lastTick.bitRate }
            guard rate > 0 else { continue }
            let usual = bitRates[cell.type] ?? rate
            bitRates[cell.type] = usual + 0.05 * (rate - usual)
            sum += rate / usual
            count += 1
        }
        return count > 0 ? (sum / Double(count), count) : nil
    }
}

extension OperationCell {
    /// Takes what the operation's process tree was found to cost; `nil` when it isn't there any more.
    fileprivate func take(_ impact: ResourceImpact?) {
        change { state in
            state.resources.cpuPercent = impact?.cpuPercent
            state.resources.memoryBytes = impact?.memoryBytes
            state.peakMemory = max(state.peakMemory, impact?.memoryBytes ?? 0)
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
