import OperationTracking

/// Something took longer than it is waited for.
struct Overdue: Error {}

/// Does something, and gives it up after a while.
///
/// - Throws: ``Overdue``, or what `body` throws.
func within<Result: Sendable>(
    _ limit: Duration,
    on clock: any TrackingClock = SystemTrackingClock(),
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await clock.sleep(for: limit)
            throw Overdue()
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw CancellationError() }
        return first
    }
}
