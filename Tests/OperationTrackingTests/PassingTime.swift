import OperationTrackingTesting
import Synchronization

extension ManualClock {
    /// Moves on, second by second, until `body` has returned.
    func advance<Value: Sendable>(
        during body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let isOver = Flag()
        let work = Task {
            defer { isOver.set() }
            return try await body()
        }
        while !isOver.isSet { await advance(by: .seconds(1)) }
        return try await work.value
    }
}

private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}
