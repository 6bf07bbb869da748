import Dispatch
import Synchronization

/// A value that one side of a test sets, once, and the other waits for: a task by `value()`, a server's thread by `waitBlocking()`.
public final class TestValue<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiters: [@Sendable (Value) -> Void] = []
    }

    private let state = Mutex(State())

    /// A value not set yet.
    public init() {}

    /// Sets the value and wakes who waits for it. Without effect the second time.
    public func set(_ value: Value) {
        let waiters = state.withLock { state in
            guard state.value == nil else { return [@Sendable (Value) -> Void]() }
            state.value = value
            defer { state.waiters = [] }
            return state.waiters
        }
        for wake in waiters { wake(value) }
    }

    /// The value, as soon as it is set.
    public func value() async -> Value {
        await withCheckedContinuation { continuation in
            whenSet { continuation.resume(returning: $0) }
        }
    }

    /// Blocks the thread until the value is set. Never call it on a task.
    @discardableResult
    public func waitBlocking() -> Value {
        let semaphore = DispatchSemaphore(value: 0)
        whenSet { _ in semaphore.signal() }
        while true {
            semaphore.wait()
            if let value = state.withLock(\.value) { return value }
        }
    }

    private func whenSet(_ body: @escaping @Sendable (Value) -> Void) {
        let value = state.withLock { state in
            if state.value == nil { state.waiters.append(body) }
            return state.value
        }
        if let value { body(value) }
    }
}

extension TestValue where Value == Void {
    /// Sets it.
    public func set() { set(()) }
}
