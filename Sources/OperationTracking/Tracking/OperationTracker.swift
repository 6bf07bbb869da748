import Synchronization

/// Makes a service's long-running work visible and keeps it under control: the front door of this library.
///
/// ```swift
/// let tracker = OperationTracker(history: try await SQLiteHistoryStore.open(in: dataDirectory))
/// let rows = try await tracker.withOperation(type: .seed, description: "Load countries", total: 250, unit: .items) { handle in
///     for (index, country) in countries.enumerated() {
///         try await handle.checkpoint()          // pausing and cancelling take effect here
///         try await load(country)
///         handle.update(completed: Int64(index + 1))
///     }
///     return countries.count
/// }
/// ```
///
/// A tracker may be used from any task or thread. Everything it knows of active operations is in memory; with a history
/// store, an operation's row is written when it starts, and its ending is made durable before anyone sees it.
public final class OperationTracker: Sendable {
    /// What a tracker can be told when it is made.
    public struct Configuration: Sendable {
        /// How often progress is looked at, events are merged and estimates made; every 10 ms at most.
        public var tickInterval: Duration = .milliseconds(250)
        /// How often resources are measured while anything runs.
        public var sampleInterval: Duration = .seconds(2)
        /// A folder on whose file system space must be left; `nil` when disk space is no concern.
        public var dataDirectory: String?
        /// Whether the thresholds for CPU and memory move to where operations have been seen to slow down or fail.
        public var adaptsOverloadPolicy = false
        /// The name of this machine or container in ``BackgroundOperation/node``; `nil` where there is one only.
        public var node: String?
        /// Who starts operations when a caller doesn't say, for the audit log.
        public var actor: String?
        /// How long ``OperationTracker/close()`` waits for work to stop that it has cancelled.
        public var stopGrace: Duration = .seconds(5)

        /// Makes the usual configuration.
        public init() {}
    }

    /// What all operations of this tracker may transfer together. It has no limit until it is given one.
    ///
    /// An operation's own limit is set by ``setBandwidthLimit(_:of:)``.
    public let bandwidth: BandwidthLimiter

    package let clock: any TrackingClock
    package let history: (any HistoryStore)?
    let configuration: Configuration
    /// Where operations come from of which their caller says nothing special.
    let usualOrigin: OperationCell.Origin
    let registry = OperationRegistry()
    let broadcaster = EventBroadcaster()
    let past = Mutex(Past())
    let monitor: ResourceMonitor
    let loadObservers = Mutex(LoadObservers())
    private let announcedHealth = Mutex(HistoryHealth.ok)
    private let closing = Mutex<Task<Void, Never>?>(nil)

    /// Makes a tracker.
    ///
    /// - Parameters:
    ///   - history: where operations are kept; `nil` keeps the latest 256 ended ones in memory.
    ///   - clock: what times are measured on.
    ///   - configuration: how often it looks, and what it says of itself.
    public init(
        history: (any HistoryStore)? = nil,
        clock: any TrackingClock = .system,
        configuration: Configuration = Configuration()
    ) {
        self.history = history
        self.clock = clock
        var configuration = configuration
        configuration.tickInterval = max(configuration.tickInterval, .milliseconds(10))
        self.configuration = configuration
        usualOrigin = OperationCell.Origin(node: configuration.node, startedBy: configuration.actor)
        bandwidth = BandwidthLimiter(clock: clock)
        monitor = ResourceMonitor(
            dataDirectory: configuration.dataDirectory,
            interval: configuration.sampleInterval,
            isAdaptive: configuration.adaptsOverloadPolicy
        )
    }

    /// The operation with this id: an active one live, one of the latest 256 ended ones, or `nil`. Older ones are in the
    /// history.
    public func operation(_ id: OperationID) -> BackgroundOperation? {
        registry.cell(id)?.snapshot(at: clock.monotonicNanoseconds)
    }

    /// The operations that have not ended, oldest first.
    public var activeOperations: [BackgroundOperation] {
        let now = clock.monotonicNanoseconds
        return registry.activeCellsInOrder.map { $0.snapshot(at: now) }
    }

    /// The operations that ended last, newest first.
    ///
    /// - Parameter limit: how many at most; 256 are kept in memory.
    public func recentOperations(limit: Int = 100) -> [BackgroundOperation] {
        let now = clock.monotonicNanoseconds
        return registry.endedCells(limit: limit).map { $0.snapshot(at: now) }
    }

    /// What the work of an operation has reported, before it is held within bounds for readers; the total is negative while
    /// unknown.
    package func reportedAmounts(of id: OperationID) -> (completed: Int64, total: Int64)? {
        guard let cell = registry.cell(id) else { return nil }
        return cell.withState { state in
            let amounts = cell.amounts(of: state)
            return (amounts.completed, amounts.total)
        }
    }

    /// Counts and total costs. They are kept up to date, so reading them costs the same however many operations there are.
    public var summary: OperationsSummary { registry.summary }

    /// What happens from now on, for one reader. See ``OperationEvents``.
    public func events() -> OperationEvents { broadcaster.subscribe() }

    /// Ends the tracker: takes no more work, stops what is still running and records it as failed with the code
    /// `interrupted`, ends all event streams, and closes the history store. What is paused, or waits with a request, stays so
    /// in a history that is shared, where it can be taken up again.
    ///
    /// It returns when everything is recorded and the work it stopped has ended. Work that doesn't stop is waited for no longer
    /// than ``Configuration/stopGrace``. Whoever calls it again waits for the same closing.
    public func close() async {
        // A task of its own, so that all callers wait for it, and cancelling one of them doesn't cut it short.
        let closing = closing.withLock { closing in
            let task = closing ?? Task { await self.stopEverything() }
            closing = task
            return task
        }
        await closing.value
    }

    private func stopEverything() async {
        let failure = OperationFailure(
            .interrupted,
            "The program that ran this operation ended before it. Start it again."
        )
        let cells = registry.close()
        await withDiscardingTaskGroup { group in
            for cell in cells {
                if history is any SharedHistory, let wake = cell.leave() {
                    wake()
                } else {
                    // One that ends by itself in this moment has its own ending, and needs no other.
                    group.addTask { _ = try? await self.finish(cell, .fail, failure: failure) }
                }
            }
        }
        _ = await registry.work.isOver(within: configuration.stopGrace, on: clock)
        await registry.steps.isOver()
        broadcaster.close()
        await history?.close()
        // What is left for the next service has no ending here that would do so.
        for cell in cells { for round in sequence(first: cell, next: \.parent) { round.forgetParts() } }
    }

    func announceHealth() {
        guard let health = history?.health else { return }
        let isNew = announcedHealth.withLock { announced in
            defer { announced = health }
            return announced != health
        }
        if isNew { broadcaster.announce(.historyHealth(health)) }
    }

    func enqueueRecord(of cell: OperationCell) {
        if history != nil { writeRecord(of: cell) }
    }

    // Apart, since a record is large and its room on the stack is cleared and copied also where none is made.
    @inline(never)
    private func writeRecord(of cell: OperationCell) {
        guard let history else { return }
        cell.withRecord(at: clock.monotonicNanoseconds) { history.enqueue($0) }
    }
}
