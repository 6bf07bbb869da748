#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

extension OperationRecord {
    /// The record of work that another process does, as it is read: it has been active for longer since its row was written, and what remains
    /// has come nearer. The high end has not, since nothing has been heard of the work since.
    package func read(at now: Date) -> OperationRecord {
        guard operation.status == .inProgress, let begun = operation.startedAt, let active = operation.activeSeconds
        else { return self }
        // The row was written neither before it moved last nor before it had been active for so long.
        let written = max(operation.updatedAt, begun.addingTimeInterval(active))
        let age = max(0, now.timeIntervalSince(written))
        var read = self
        read.operation.activeSeconds = active + age
        if var remaining = operation.remaining {
            remaining.expected = max(0, remaining.expected - age)
            remaining.low = max(0, remaining.low - age)
            read.operation.remaining = remaining
        }
        return read
    }
}
