#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import Synchronization

extension OperationCell {
    /// The operation as it is now: the hot atomics are read live, so a caller reads its own writes.
    func snapshot(at monotonic: Int64) -> BackgroundOperation {
        withState { snapshot(of: &$0, at: monotonic) }
    }

    /// Gives the operation as its history keeps it to `body`, under the lock: so histories get records in the order of the
    /// states. The record shows the true status, which is ahead of the visible one while an ending is being made durable.
    func withRecord<Result>(at monotonic: Int64, _ body: (OperationRecord) -> sending Result) -> sending Result {
        withState { state in
            var operation = snapshot(of: &state, at: monotonic)
            operation.status = state.machine.status
            operation.bandwidthLimit = nil
            operation.progress.percent = shownPercent(of: &state, status: state.machine.status)
            var record = OperationRecord(operation: operation)
            record.request = state.payload?.request
            record.result = state.payload?.result
            record.resumeState = state.payload?.resumeState
            record.processGroup = state.processGroup
            record.uniqueKey = state.uniqueKey
            record.band = band
            record.retry = state.payload?.retry
            record.estimateFeature = state.payload?.feature
            record.peakMemoryBytes = state.peakMemory > 0 ? state.peakMemory : nil
            record.startedBy = startedBy
            record.writesToDataDirectory = state.writesToDataDirectory
            if operation.status == .completed, let seconds = operation.activeSeconds {
                record.phases = state.phases.phases(endingAt: seconds, done: amounts(of: state).completed)
                record.accuracy = state.estimator.accuracy(endingAt: seconds)
                if record.accuracy != nil { record.estimateWidth = state.estimator.widthFactor }
            }
            return body(record)
        }
    }

    private func snapshot(of state: inout State, at monotonic: Int64) -> BackgroundOperation {
        var operation = BackgroundOperation(
            id: id,
            type: type,
            description: description,
            status: state.visibleStatus,
            createdAt: Date(milliseconds: createdAt)
        )
        operation.pendingRequest = state.machine.pendingRequest
        operation.priority = state.priority
        operation.parentID = parentID
        operation.phase = state.phase
        operation.message = state.message
        operation.attempt = state.attempt
        operation.progress = progress(of: &state)
        operation.remaining = state.remaining
        operation.isOverdue = state.visibleStatus.isActive ? state.isOverdue : nil
        operation.resources = state.resources
        operation.pid = state.pid
        operation.failure = state.failure
        operation.startedAt = state.startedAt.map(Date.init(milliseconds:))
        operation.updatedAt = Date(milliseconds: state.updatedAt)
        operation.finishedAt = state.finishedAt.map(Date.init(milliseconds:))
        operation.activeSeconds = state.activeSeconds(at: monotonic)
        operation.node = node
        operation.bandwidthLimit = state.visibleStatus.isActive ? state.limiter?.bytesPerSecond : nil
        return operation
    }

    /// The true amounts now. Those of an operation with parts are the parts', each within its band; a parent is locked
    /// before its children, never after.
    func amounts(of state: borrowing State) -> Amounts {
        guard state.children.contains(where: { !$0.band.isEmpty }) else {
            let largest = OperationProgress.largestAmount
            return Amounts(
                completed: min(
                    state.endCompleted >= 0 ? state.endCompleted : completed.load(ordering: .relaxed),
                    largest
                ),
                total: min(total.load(ordering: .relaxed), largest)
            )
        }
        let whole = OperationUnit.wholeFraction
        if state.endCompleted >= 0 { return Amounts(completed: state.endCompleted, total: whole) }
        let share = state.children.reduce(0) { sum, child in
            sum + (child.band.upperBound - child.band.lowerBound) * child.cell.share
        }
        return Amounts(completed: Int64((min(share, 1) * Double(whole)).rounded()), total: whole)
    }

    /// The true share done, 0 to 1.
    private var share: Double {
        withState { $0.machine.status == .completed ? 1 : amounts(of: $0).share }
    }

    func progress(of state: inout State) -> OperationProgress {
        let amounts = amounts(of: state)
        return OperationProgress(
            percent: shownPercent(of: &state, status: state.visibleStatus),
            completedUnits: amounts.total >= 0 ? min(amounts.completed, amounts.total) : amounts.completed,
            totalUnits: amounts.total >= 0 ? amounts.total : nil,
            rewoundUnits: state.rewound,
            presentUnits: state.present,
            unit: unit
        )
    }

    /// Raises the high-water mark to where the work is now, and gives it. Whoever is about to let the true share fall (a
    /// step back, a growing total) calls this first, so that what has been shown is never taken back.
    @discardableResult
    func shownPercent(of state: inout State, status: OperationStatus) -> Double {
        if status == .completed { return 100 }
        let percent = max(state.reportedPercent ?? 0, 100 * amounts(of: state).share)
        state.shownPercent = max(state.shownPercent, min(percent, OperationProgress.percentBeforeCompletion))
        return state.shownPercent
    }
}
