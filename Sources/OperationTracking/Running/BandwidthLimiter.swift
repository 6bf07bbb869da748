import Synchronization

/// Holds transfers to a number of bytes a second: a token bucket whose limit can be changed while work waits on it.
///
/// Whoever transfers takes the bytes it has received before it reads more, and so, where reading holds the sender back, the
/// sender is slowed too. A limiter inside another, as an operation's is inside its tracker's, grants what both grant:
///
/// ```swift
/// for try await chunk in response.body {
///     try await handle.limiter.take(chunk.count)
///     try file.write(chunk)
/// }
/// ```
///
/// All that wait on one limiter are served at the same speed, whatever the size of their chunks. Over ten seconds the limit is
/// kept within a percent; nothing is saved up for longer than a tenth of a second.
public final class BandwidthLimiter: Sendable {
    private struct State {
        var bucket = SharedBucket()
        var waiting: [UInt64: Waiting] = [:]
        var nextTicket: UInt64 = 0
        /// Which of the tasks that wake the waiters is the present one; the others find that they aren't, and end.
        var wakerNumber: UInt64 = 0
        var waker: Task<Void, Never>?
    }

    /// A request that was not granted at once.
    private enum Waiting {
        case notYetAsleep
        case asleep(CheckedContinuation<Void, Never>)
    }

    private let clock: any TrackingClock
    private let outer: BandwidthLimiter?
    private let state = Mutex(State())

    /// Makes a limiter without a limit.
    ///
    /// - Parameters:
    ///   - outer: a limiter that grants what this one grants as well; `nil` for none.
    ///   - clock: what it waits on.
    public init(inside outer: BandwidthLimiter? = nil, clock: any TrackingClock = .system) {
        self.outer = outer
        self.clock = clock
    }

    /// The limit in bytes a second, without that of the limiter round it; `nil` for none.
    public var bytesPerSecond: Int64? { state.withLock { $0.bucket.rate.map { Int64($0) } } }

    /// The lowest limit that holds here, the limiter round it included, in bytes a second; `nil` for none.
    public var lowestBytesPerSecond: Int64? {
        guard let around = outer?.lowestBytesPerSecond else { return bytesPerSecond }
        return min(bytesPerSecond ?? around, around)
    }

    /// The highest limit, in bytes a second.
    package static let largestLimit: Int64 = 1 << 50

    /// Changes the limit, also for what waits already.
    ///
    /// - Parameter bytesPerSecond: 1 to 2^50 bytes a second; `nil` for no limit.
    /// - Throws: ``OperationError`` (`invalid_value`) for anything else: to stop a transfer altogether, pause its operation.
    public func setLimit(_ bytesPerSecond: Int64?) throws(OperationError) {
        if let bytesPerSecond, !(1...Self.largestLimit).contains(bytesPerSecond) {
            throw OperationError(
                .invalidValue,
                "A bandwidth limit is 1 to 2^50 bytes a second, not \(bytesPerSecond): to stop a transfer altogether, pause it."
            )
        }
        state.withLock { state in
            state.bucket.setRate(bytesPerSecond.map(Double.init), at: clock.monotonicNanoseconds)
            wake(&state)
        }
    }

    /// Waits until so many bytes are within the limit. Without a limit it returns at once.
    ///
    /// - Parameter bytes: how many were transferred; less than 1 counts as none.
    /// - Throws: `CancellationError` when the task is cancelled first.
    public func take(_ bytes: Int) async throws {
        try Task.checkCancellation()
        guard bytes > 0 else { return }
        // Asked for in both before waiting in either, so that the two waits are one.
        let ticket = ask(bytes)
        let outerTicket = outer?.ask(bytes)
        if let ticket { await sleep(until: ticket) }
        if let outer, let outerTicket { await outer.sleep(until: outerTicket) }
        try Task.checkCancellation()
    }

    /// - Returns: what to wait for; `nil` when there is nothing to wait for.
    private func ask(_ bytes: Int) -> UInt64? {
        state.withLock { state in
            guard state.bucket.rate != nil else { return nil }
            let ticket = state.nextTicket
            state.nextTicket += 1
            if state.bucket.ask(Double(bytes), as: ticket, at: clock.monotonicNanoseconds) { return nil }
            state.waiting[ticket] = .notYetAsleep
            // The first to wait needs a waker; a later one may be done sooner than the waker looks next.
            wake(&state)
            return ticket
        }
    }

    private func sleep(until ticket: UInt64) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isToSleep = state.withLock { state in
                    // It may have been granted, or withdrawn, in the meantime.
                    guard state.waiting[ticket] != nil else { return false }
                    state.waiting[ticket] = .asleep(continuation)
                    return true
                }
                if !isToSleep { continuation.resume() }
            }
        } onCancel: {
            withdraw(ticket)
        }
    }

    private func withdraw(_ ticket: UInt64) {
        let waiting = state.withLock { state in
            state.bucket.withdraw(ticket, at: clock.monotonicNanoseconds)
            defer { wake(&state) }
            return state.waiting.removeValue(forKey: ticket)
        }
        if case .asleep(let continuation) = waiting { continuation.resume() }
    }

    /// Has a new task wake those who wait, for what the present one sleeps until is no longer so.
    private func wake(_ state: inout State) {
        state.waker?.cancel()
        state.waker = nil
        guard !state.waiting.isEmpty else { return }
        state.wakerNumber += 1
        let number = state.wakerNumber
        state.waker = Task {
            while let delay = grant(as: number) {
                do { try await clock.sleep(for: .nanoseconds(delay)) } catch { return }
            }
        }
    }

    /// Wakes those who have got what they asked for.
    ///
    /// - Returns: when to look again, in nanoseconds; `nil` when this waker is not, or no longer, needed.
    private func grant(as number: UInt64) -> Int64? {
        let (granted, delay) = state.withLock { state -> ([Waiting], Int64?) in
            guard state.wakerNumber == number else { return ([], nil) }
            let done = state.bucket.finished(at: clock.monotonicNanoseconds)
            let delay = state.bucket.nanosecondsToNext
            if delay == nil { state.waker = nil }
            return (done.compactMap { state.waiting.removeValue(forKey: $0) }, delay)
        }
        for case .asleep(let continuation) in granted { continuation.resume() }
        return delay
    }
}
