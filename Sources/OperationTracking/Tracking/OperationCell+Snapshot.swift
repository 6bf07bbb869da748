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

    /// The operation as its history keeps it. The record shows the true status, which is ahead of the visible one while an
    /// ending is being made durable.
    func record(at monotonic: Int64) -> OperationRecord {
        withState { state in
            var operation = snapshot(of: &state, at: monotonic)
            operation.status = state.machine.status
            operation.progress.percent = shownPercent(of: &state, status: state.machine.status)
            var record = OperationRecord(operation: operation)
            record.request = state.payload?.request
            record.result = state.payload?.result
            record.resumeState = state.payload?.resumeState
            record.processGroup = state.processGroup
            record.uniqueKey = state.uniqueKey
            record.startedBy = state.startedBy
            return record
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
        operation.resources = state.resources
        operation.pid = state.pid
        operation.failure = state.failure
        operation.startedAt = state.startedAt.map(Date.init(milliseconds:))
        operation.updatedAt = Date(milliseconds: state.updatedAt)
        operation.finishedAt = state.finishedAt.map(Date.init(milliseconds:))
        operation.activeSeconds = state.activeSeconds(at: monotonic)
        operation.node = state.node
        return operation
    }

    func progress(of state: inout State) -> OperationProgress {
        let total = total.load(ordering: .relaxed)
        let completed = completed.load(ordering: .relaxed)
        return OperationProgress(
            percent: shownPercent(of: &state, status: state.visibleStatus),
            completedUnits: total >= 0 ? min(completed, total) : completed,
            totalUnits: total >= 0 ? total : nil,
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
        let total = total.load(ordering: .relaxed)
        var percent = state.reportedPercent ?? 0
        if total > 0 {
            percent = max(percent, 100 * Double(completed.load(ordering: .relaxed)) / Double(total))
        }
        state.shownPercent = max(state.shownPercent, min(percent, OperationProgress.percentBeforeCompletion))
        return state.shownPercent
    }
}
