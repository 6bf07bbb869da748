public import OperationTracking
import Synchronization

/// A clock that moves only when it is told to, so that a test of an hour takes no time and always comes out the same.
///
/// ```swift
/// let clock = ManualClock()
/// let tracker = OperationTracker(clock: clock)
/// …
/// await clock.advance(by: .seconds(60))
/// ```
public final class ManualClock: TrackingClock {
    private struct Sleeper {
        let deadline: Int64
        let order: UInt64
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var now: Int64 = 1_000_000_000
        var sleepers: [UInt64: Sleeper] = [:]
        var nextOrder: UInt64 = 0
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []

        mutating func takeSatisfiedWatchers() -> [CheckedContinuation<Void, Never>] {
            let satisfied = watchers.filter { $0.count <= sleepers.count }
            watchers.removeAll { $0.count <= sleepers.count }
            return satisfied.map(\.continuation)
        }
    }

    private let state = Mutex(State())
    private let wallOrigin: Int64

    /// Makes a clock that stands still.
    ///
    /// - Parameter wallMilliseconds: the wall-clock time at which it begins; by default 2026-01-01T00:00:00Z.
    public init(wallMilliseconds: Int64 = 1_767_225_600_000) {
        wallOrigin = wallMilliseconds - 1000
    }

    /// Where the clock stands, in nanoseconds.
    public var monotonicNanoseconds: Int64 { state.withLock { $0.now } }

    /// The wall-clock time that goes with it.
    public var wallMilliseconds: Int64 { wallOrigin + monotonicNanoseconds / 1_000_000 }

    /// How many tasks are waiting on this clock.
    public var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    /// Waits until the clock has been moved by `duration`.
    public func sleep(for duration: Duration) async throws {
        let order = state.withLock { state in
            state.nextOrder += 1
            return state.nextOrder
        }
        let wasWoken = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                register(continuation, order: order, duration: duration)
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: order) }?.continuation.resume(returning: false)
        }
        guard wasWoken else { throw CancellationError() }
    }

    /// Waits until at least `count` tasks wait on this clock, so that moving it is sure to reach them.
    public func waitForSleepers(_ count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let isSatisfied = state.withLock { state in
                if state.sleepers.count >= count { return true }
                state.watchers.append((count, continuation))
                return false
            }
            if isSatisfied { continuation.resume() }
        }
    }

    /// Moves the clock, waking those whose time has come one moment after the other.
    public func advance(by duration: Duration) async {
        let target = monotonicNanoseconds.later(by: duration)
        while let due = wakeNext(until: target) {
            due.resume(returning: true)
            // Gives the woken task a chance to run, and to sleep again, before time goes on.
            for _ in 0..<20 { await Task.yield() }
        }
        state.withLock { $0.now = max($0.now, target) }
        await briefPause()
    }

    /// Moves the clock to the moment at which the next sleeper wakes, and wakes it. Does nothing when nobody sleeps.
    ///
    /// A test that knows how many tasks sleep when all have done their work can wait for them and call this in turn: then
    /// nothing depends on how fast they are.
    public func advanceToNextSleeper() {
        wakeNext(until: .max)?.resume(returning: true)
    }

    private func wakeNext(until target: Int64) -> CheckedContinuation<Bool, Never>? {
        state.withLock { state in
            let next = state.sleepers.values.min { ($0.deadline, $0.order) < ($1.deadline, $1.order) }
            guard let next, next.deadline <= target else { return nil }
            state.sleepers[next.order] = nil
            state.now = max(state.now, next.deadline)
            return next.continuation
        }
    }

    private func register(_ continuation: CheckedContinuation<Bool, Never>, order: UInt64, duration: Duration) {
        let (immediate, watchers): (Bool?, [CheckedContinuation<Void, Never>]) = state.withLock { state in
            if Task.isCancelled { return (false, []) }
            guard duration > .zero else { return (true, []) }
            let deadline = state.now.later(by: duration)
            state.sleepers[order] = Sleeper(deadline: deadline, order: order, continuation: continuation)
            return (nil, state.takeSatisfiedWatchers())
        }
        if let immediate { continuation.resume(returning: immediate) }
        for watcher in watchers { watcher.resume() }
    }
}
