import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What an interface to the outside reads: in the wire form, without a copy of each operation on the way.
extension OperationTracker {
    /// Writes the active operations as a JSON array, oldest first.
    ///
    /// - Parameter visit: called with each that is written.
    /// - Returns: how many were written.
    package func writeActiveOperations(
        to json: inout JSONWriter,
        _ visit: (BackgroundOperation) -> Void = { _ in }
    ) -> Int {
        let now = clock.monotonicNanoseconds
        var count = 0
        json.beginArray()
        for cell in registry.activeCellsInOrder {
            let operation = cell.snapshot(at: now)
            // One that has just ended may still be in the list.
            guard operation.status.isActive else { continue }
            operation.write(to: &json)
            visit(operation)
            count += 1
        }
        json.endArray()
        return count
    }

    /// How many bytes the active operations take as JSON, roughly.
    package var activeOperationsSize: Int { 1024 * registry.summary.totalActive }

    /// What has ended since the tracker was made.
    package var endedTotals: EndedTotals { registry.endedTotals }

    /// An operation that this tracker knows, as a history would keep it, with the status that readers may see.
    package func currentRecord(_ id: OperationID) -> OperationRecord? {
        registry.cell(id)?.visibleRecord(at: clock.monotonicNanoseconds)
    }

    /// The latest judgement of the load; `nil` when it is older than a few samples, and has to be made anew.
    package var recentAssessment: OverloadAssessment? {
        monitor.current.withLock { current in
            current.isFresh(at: clock.monotonicNanoseconds, within: configuration.sampleInterval * 3)
                ? current.assessment : nil
        }
    }

    /// Ends by force what active operations have in process groups of their own, for a program that ends at once. The operations
    /// are left to whoever opens the history next.
    package func killProcesses() {
        for leader in registry.activeCells.compactMap({ $0.withState(\.processGroup) }) where leader.isRunning {
            let session = ProcessSession(id: leader.pid)
            for process in session.members { session.signal(process, SIGKILL) }
        }
    }

    /// Events from now on, and the operations that are active at this very moment: every event is about a later state.
    ///
    /// - Returns: the number of the last event before, too.
    package func eventsFromNow() -> (events: OperationEvents, active: [BackgroundOperation], sequence: UInt64) {
        // Read inside the lock that orders events.
        let begin = broadcaster.subscribe { activeOperations.filter(\.status.isActive) }
        return (begin.events, begin.operations, begin.sequence)
    }
}

extension OperationCell {
    fileprivate func visibleRecord(at monotonic: Int64) -> OperationRecord {
        var record = OperationRecord(operation: snapshot(at: monotonic))
        withState { state in
            record.request = state.payload?.request
            // Until its ending is durable nobody has seen it.
            record.result = record.operation.status == .completed ? state.payload?.result : nil
            record.startedBy = startedBy
        }
        return record
    }
}

extension OperationHandle {
    /// Shows a share of the work that a client reports beside amounts, or in their place. What is shown never goes backwards.
    ///
    /// - Parameter percent: 0 to 100.
    package func report(percent: Double) {
        guard percent.isFinite else { return }
        cell.change { $0.reportedPercent = max($0.reportedPercent ?? 0, min(percent, 100)) }
    }

    /// Shows an error that a client reports and that doesn't end the operation. Its ending takes the error's place.
    package func report(error: String) {
        cell.change { $0.failure = OperationFailure(.providerError, error) }
    }

    /// Checks that the work may say that it has got to a status, before anything else that it says with it is taken.
    package func checkStep(to status: OperationStatus) throws(OperationError) {
        try cell.withState { state throws(OperationError) in
            var machine = state.machine
            switch status {
            case .inProgress: _ = try machine.apply(.run)
            case .paused: _ = try machine.apply(.pause)
            case .cancelled: _ = try machine.apply(.stop)
            case .completed: _ = try machine.apply(.complete)
            case .failed: _ = try machine.apply(machine.pendingRequest == .cancel ? .stop : .fail)
            case .pending: throw .invalidTransition(from: state.visibleStatus, to: .pending)
            }
        }
    }

    /// Whether somebody has asked the work to stop.
    package var isAskedToStop: Bool { cell.withState { $0.machine.pendingRequest == .cancel } }

    /// Whether nobody in this process reports on the operation: neither a provider that is run nor a closure.
    package var isReportedFromOutside: Bool {
        cell.withState { $0.control.cancelWork == nil && $0.control.signalOwner == nil }
    }
}
