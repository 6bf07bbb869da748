import Synchronization

/// The events that wait for one subscriber: the newest of each operation, in order.
final class EventQueue: Sendable {
    fileprivate enum Key: Hashable {
        case operation(OperationID)
        case other(UInt64)
    }

    fileprivate struct State {
        var newest: [Key: OperationEvent] = [:]
        /// Every event put in, oldest first. One that was merged away is skipped: its sequence is not the newest.
        var order: [(key: Key, sequence: UInt64)] = []
        var head = 0
        var waiter: CheckedContinuation<OperationEvent?, Never>?
        var isFinished = false
    }

    private let state = Mutex(State())

    func put(_ event: OperationEvent) {
        let waiter: CheckedContinuation<OperationEvent?, Never>? = state.withLock { state in
            guard !state.isFinished else { return nil }
            if let waiter = state.waiter {
                state.waiter = nil
                return waiter
            }
            let key = event.operation.map { Key.operation($0.id) } ?? .other(event.sequence)
            state.newest[key] = event.merged(over: state.newest[key])
            state.order.append((key, event.sequence))
            state.dropMerged()
            return nil
        }
        waiter?.resume(returning: event)
    }

    /// The next event; `nil` when there will be none, or the task is cancelled.
    func next() async -> OperationEvent? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready: OperationEvent?? = state.withLock { state in
                    if Task.isCancelled { return .some(nil) }
                    if let event = state.take() { return .some(event) }
                    // Events are for one reader: a second one, while the first waits, gets none.
                    if state.isFinished || state.waiter != nil { return .some(nil) }
                    state.waiter = continuation
                    return nil
                }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            takeWaiter()?.resume(returning: nil)
        }
    }

    func takeAll() -> [OperationEvent] {
        state.withLock { state in
            var events: [OperationEvent] = []
            while let event = state.take() { events.append(event) }
            return events
        }
    }

    func finish() {
        state.withLock { $0.isFinished = true }
        takeWaiter()?.resume(returning: nil)
    }

    private func takeWaiter() -> CheckedContinuation<OperationEvent?, Never>? {
        state.withLock { state in
            defer { state.waiter = nil }
            return state.waiter
        }
    }
}

extension EventQueue.State {
    fileprivate mutating func take() -> OperationEvent? {
        while head < order.count {
            let (key, sequence) = order[head]
            head += 1
            if newest[key]?.sequence == sequence {
                let event = newest.removeValue(forKey: key)
                if newest.isEmpty { clear() }
                return event
            }
        }
        clear()
        return nil
    }

    /// Keeps the order no longer than twice the events that wait, however many were merged away.
    fileprivate mutating func dropMerged() {
        guard order.count - head > 2 * newest.count + 16 || head > 4096 else { return }
        order = order[head...].filter { newest[$0.key]?.sequence == $0.sequence }
        head = 0
    }

    private mutating func clear() {
        order.removeAll(keepingCapacity: order.count < 1024)
        head = 0
    }
}

extension OperationEvent {
    /// The event that stands for itself and an older one about the same operation that was not delivered.
    package func merged(over older: OperationEvent?) -> OperationEvent {
        guard case .started? = older?.kind, case .updated = kind else { return self }
        return OperationEvent(sequence: sequence, kind: .started, operation: operation)
    }
}
