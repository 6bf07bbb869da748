import Synchronization

/// An operation that a runner has taken.
public struct SubmittedOperation<Output: Sendable>: Sendable {
    /// Its public name.
    public let id: OperationID
    /// Whether the same work was active already, here or in another process on the same history, and this request joined it.
    public let hasJoined: Bool
    /// What is to be said about the machine's load, where work begins all the same; `nil` for nothing.
    public let warning: String?
    let wait: @Sendable () async throws -> Output

    /// Waits for the end.
    ///
    /// - Returns: what came out, once the ending is durable.
    /// - Throws: what the provider threw; `CancellationError` when the operation was cancelled, or the task that waits was.
    ///   Cancelling that task doesn't cancel the operation: ``OperationTracker/cancel(_:)`` does.
    public var output: Output {
        get async throws { try await wait() }
    }
}

/// How an operation ended, for any number of tasks that wait for it.
final class Completion: Sendable {
    typealias Outcome = Result<any Sendable, any Error>

    private struct State {
        var outcome: Outcome?
        var waiters: [UInt64: CheckedContinuation<Outcome, Never>] = [:]
        var nextWaiter: UInt64 = 0
    }

    private let state = Mutex(State())

    func finish(_ outcome: Outcome) {
        let waiters = state.withLock { state in
            state.outcome = state.outcome ?? outcome
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume(returning: outcome) }
    }

    var value: any Sendable {
        get async throws {
            let number = state.withLock { state in
                state.nextWaiter += 1
                return state.nextWaiter
            }
            let outcome = await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let ready: Outcome? = state.withLock { state in
                        if let outcome = state.outcome { return outcome }
                        if Task.isCancelled { return .failure(CancellationError()) }
                        state.waiters[number] = continuation
                        return nil
                    }
                    if let ready { continuation.resume(returning: ready) }
                }
            } onCancel: {
                state.withLock { $0.waiters.removeValue(forKey: number) }?.resume(
                    returning: .failure(CancellationError())
                )
            }
            return try outcome.get()
        }
    }
}
