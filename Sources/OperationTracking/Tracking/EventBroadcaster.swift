import Synchronization

/// Hands events to all subscribers, in one order.
///
/// With no subscriber, announcing costs one atomic load: the event isn't even made.
final class EventBroadcaster: Sendable {
    private struct State {
        var sequence: UInt64 = 0
        var subscribers: [UInt64: EventQueue] = [:]
        var nextKey: UInt64 = 0
        var isClosed = false

        mutating func deliver(_ kind: OperationEvent.Kind, _ operation: BackgroundOperation?) {
            sequence += 1
            let event = OperationEvent(sequence: sequence, kind: kind, operation: operation)
            for queue in subscribers.values { queue.put(event) }
        }
    }

    private let subscriberCount = Atomic<Int>(0)
    private let state = Mutex(State())

    var hasSubscribers: Bool { subscriberCount.load(ordering: .relaxed) > 0 }

    /// Makes an event and gives it to everyone.
    ///
    /// - Parameter operation: reads the operation. It is read inside the lock that orders events, so a later event never
    ///   carries an older state; news of one that has ended in the meantime is dropped, as its ending is told by itself.
    func announce(_ kind: OperationEvent.Kind, _ operation: () -> BackgroundOperation) {
        guard hasSubscribers else { return }
        state.withLock { state in
            let operation = operation()
            if operation.status.isTerminal, !kind.isEnding { return }
            state.deliver(kind, operation)
        }
    }

    /// Gives everyone an event about no operation.
    func announce(_ kind: OperationEvent.Kind) {
        guard hasSubscribers else { return }
        state.withLock { $0.deliver(kind, nil) }
    }

    func subscribe() -> OperationEvents {
        subscribe { [] }.events
    }

    /// - Parameter operations: reads what the subscriber begins with. It is read inside the lock that orders events, so every
    ///   event of the subscription carries a later state.
    func subscribe(
        _ operations: () -> [BackgroundOperation]
    ) -> (events: OperationEvents, operations: [BackgroundOperation], sequence: UInt64) {
        let queue = EventQueue()
        let (key, begin, sequence): (UInt64?, [BackgroundOperation], UInt64) = state.withLock { state in
            guard !state.isClosed else { return (nil, [], state.sequence) }
            state.nextKey += 1
            state.subscribers[state.nextKey] = queue
            subscriberCount.add(1, ordering: .relaxed)
            return (state.nextKey, operations(), state.sequence)
        }
        guard let key else {
            queue.finish()
            return (OperationEvents(queue: queue, subscription: nil), begin, sequence)
        }
        let subscription = Subscription { [weak self] in self?.remove(key) }
        return (OperationEvents(queue: queue, subscription: subscription), begin, sequence)
    }

    /// Ends every subscriber's events, after what is already waiting for it.
    func close() {
        let queues = state.withLock { state in
            state.isClosed = true
            defer { state.subscribers = [:] }
            return Array(state.subscribers.values)
        }
        subscriberCount.store(0, ordering: .relaxed)
        for queue in queues { queue.finish() }
    }

    private func remove(_ key: UInt64) {
        state.withLock { state in
            guard state.subscribers.removeValue(forKey: key) != nil else { return }
            subscriberCount.subtract(1, ordering: .relaxed)
        }
    }
}

/// Ends a subscription when the last one who holds it lets go.
final class Subscription: Sendable {
    private let end: @Sendable () -> Void

    init(end: @escaping @Sendable () -> Void) {
        self.end = end
    }

    deinit { end() }
}

/// A tracker's events from the moment of subscribing on; for one reader.
///
/// A reader that is slower than the events loses none that matter: waiting events about one operation are merged into the
/// newest, so there are never more than operations, and the event that ends an operation is always delivered.
public struct OperationEvents: AsyncSequence, Sendable {
    /// Events.
    public typealias Element = OperationEvent
    /// Events don't fail.
    public typealias Failure = Never

    let queue: EventQueue
    let subscription: Subscription?

    /// The events that wait, without waiting for more.
    package func takeWaiting() -> [OperationEvent] { queue.takeAll() }

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator {
        Iterator(queue: queue, subscription: subscription)
    }

    /// Waits for one event after the other.
    public struct Iterator: AsyncIteratorProtocol {
        let queue: EventQueue
        let subscription: Subscription?

        /// Waits for the next event; `nil` when the tracker is closed or the task is cancelled.
        public mutating func next() async -> OperationEvent? {
            await queue.next()
        }

        /// Waits for the next event; `nil` when the tracker is closed or the task is cancelled.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> OperationEvent? {
            await queue.next()
        }
    }
}
