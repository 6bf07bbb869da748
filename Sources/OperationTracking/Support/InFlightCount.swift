import Synchronization

/// Counts what is under way, so that somebody can wait until nothing is.
package final class InFlightCount: Sendable {
    private struct State {
        var count = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    package func begin() {
        state.withLock { $0.count += 1 }
    }

    package func end() {
        let waiters = state.withLock { state -> [UInt64: CheckedContinuation<Void, Never>] in
            state.count -= 1
            guard state.count == 0 else { return [:] }
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume() }
    }

    /// Waits until nothing is under way, or the task is cancelled.
    func isOver() async {
        let number = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard state.count > 0, !Task.isCancelled else { return true }
                    state.waiters[number] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
    }

    /// Whether nothing is under way.
    package var isIdle: Bool { state.withLock { $0.count == 0 } }

    /// Waits until nothing is under way, but no longer than a time. More may have begun by the time that the caller goes on.
    package func isOver(within limit: Duration, on clock: any TrackingClock) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.isOver() }
            group.addTask { try? await clock.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }
}
