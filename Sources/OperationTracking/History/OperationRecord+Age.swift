#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

extension OperationRecord {
    /// The record of work that another process does, as it is read: what remains has come nearer since its row was written. The high end has not,
    /// since nothing has been heard of the work since.
    package func read(at now: Date) -> OperationRecord {
        guard operation.status == .inProgress, var remaining = operation.remaining,
            let begun = operation.startedAt, let active = operation.activeSeconds
        else { return self }
        // The row was written neither before it moved last nor before it had been active for so long.
        let written = max(operation.updatedAt, begun.addingTimeInterval(active))
        let age = max(0, now.timeIntervalSince(written))
        remaining.expected = max(0, remaining.expected - age)
        remaining.low = max(0, remaining.low - age)
        var read = self
        read.operation.remaining = remaining
        return read
    }
}
