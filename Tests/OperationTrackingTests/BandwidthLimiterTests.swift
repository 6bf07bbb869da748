import OperationTrackingTesting
import Synchronization
import TestSupport
import Testing

@testable import OperationTracking

@Suite(.timeLimit(.minutes(Patience.minutes))) struct BandwidthLimiterTests {
    private let clock = ManualClock()

    /// Takes for ever, and counts what it got.
    private func taker(_ limiter: BandwidthLimiter, chunk: Int) -> (task: Task<Void, Never>, count: Counter) {
        let count = Counter()
        let task = Task {
            while (try? await limiter.take(chunk)) != nil { count.add(chunk) }
        }
        return (task, count)
    }

    private final class Counter: Sendable {
        private let value = Mutex(0)
        var total: Int { value.withLock { $0 } }
        func add(_ amount: Int) { value.withLock { $0 += amount } }
    }

    /// Moves time in steps, letting all `count` takers sleep again after each.
    private func pass(_ duration: Duration, sleepers: Int = 1) async {
        let end = clock.monotonicNanoseconds + duration.nanoseconds
        while clock.monotonicNanoseconds < end {
            await clock.waitForSleepers(sleepers)
            await clock.advance(by: .milliseconds(50))
        }
    }

    private func limiter(_ bytesPerSecond: Int64?, inside outer: BandwidthLimiter? = nil) throws -> BandwidthLimiter {
        let limiter = BandwidthLimiter(inside: outer, clock: clock)
        try limiter.setLimit(bytesPerSecond)
        return limiter
    }

    @Test func withoutALimitNothingWaits() async throws {
        let limiter = BandwidthLimiter(clock: clock)
        for _ in 0..<1000 { try await limiter.take(1 << 30) }
        #expect(clock.sleeperCount == 0)
        #expect(limiter.lowestBytesPerSecond == nil)
    }

    @Test(arguments: [1000, 65_536, 262_144, 1_500_000])
    func theLimitIsKeptOverTenSeconds(chunk: Int) async throws {
        let (task, count) = taker(try limiter(1_000_000), chunk: chunk)
        await pass(.seconds(10))
        task.cancel()
        // A chunk that is under way is not counted yet.
        #expect(count.total <= 10_100_000)
        #expect(count.total >= 9_900_000 - chunk)
    }

    @Test func idleTimeIsNotSavedUp() async throws {
        let limiter = try limiter(1_000_000)
        await clock.advance(by: .seconds(3600))
        let (task, count) = taker(limiter, chunk: 10_000)
        await pass(.seconds(1))
        task.cancel()
        #expect((990_000...1_160_000).contains(count.total))
    }

    @Test func chunksOfDifferentSizesGetTheSameSpeed() async throws {
        let limiter = try limiter(1_000_000)
        let small = taker(limiter, chunk: 16_384)
        let large = taker(limiter, chunk: 262_144)
        await pass(.seconds(10))
        small.task.cancel()
        large.task.cancel()
        #expect((4_700_000...5_300_000).contains(small.count.total))
        #expect((4_700_000...5_300_000).contains(large.count.total))
    }

    @Test func aHigherLimitReachesWhatWaitsAlready() async throws {
        let limiter = try limiter(1)
        let waiting = Task { try await limiter.take(1_000_000) }
        await clock.waitForSleepers()
        await clock.advance(by: .seconds(10))
        try limiter.setLimit(1_000_000)
        await clock.waitForSleepers()
        await clock.advance(by: .milliseconds(999))
        #expect(clock.sleeperCount == 1)
        await clock.advance(by: .milliseconds(1))
        try await waiting.value
    }

    @Test func aLowerLimitReachesWhatWaitsAlready() async throws {
        let limiter = try limiter(1_000_000)
        let waiting = Task { try await limiter.take(1_000_000) }
        await clock.waitForSleepers()
        await clock.advance(by: .milliseconds(500))
        try limiter.setLimit(100_000)
        await clock.waitForSleepers()
        await clock.advance(by: .milliseconds(4999))
        #expect(clock.sleeperCount == 1)
        await clock.advance(by: .milliseconds(1))
        try await waiting.value
    }

    @Test func takingAwayTheLimitWakesAll() async throws {
        let limiter = try limiter(1)
        let waiting = (0..<3).map { _ in Task { try await limiter.take(1_000_000) } }
        await clock.waitForSleepers()
        try limiter.setLimit(nil)
        for task in waiting { try await task.value }
    }

    @Test func cancellingEndsTheWaitAndLeavesTheRestToOthers() async throws {
        let limiter = try limiter(1000)
        let cancelled = Task { try await limiter.take(1_000_000) }
        await clock.waitForSleepers()
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        let other = Task { try await limiter.take(1000) }
        await clock.waitForSleepers()
        await clock.advance(by: .seconds(1))
        try await other.value
    }

    @Test func theLowerOfTwoLimitsHolds() async throws {
        let shared = try limiter(1_000_000)
        let own = try limiter(300_000, inside: shared)
        #expect(own.lowestBytesPerSecond == 300_000)
        let throttled = taker(own, chunk: 65_536)
        let free = taker(BandwidthLimiter(inside: shared, clock: clock), chunk: 65_536)
        // One sleeper for each limiter that has a limit.
        await pass(.seconds(10))
        throttled.task.cancel()
        free.task.cancel()
        #expect((2_850_000...3_150_000).contains(throttled.count.total))
        // What the one leaves is the other's.
        #expect((6_650_000...7_350_000).contains(free.count.total))
    }

    @Test(arguments: [0, -1, .min, 1 << 51] as [Int64])
    func aLimitThatIsNoneIsRefused(value: Int64) throws {
        let limiter = try limiter(1000)
        let error = #expect(throws: OperationError.self) { try limiter.setLimit(value) }
        #expect(error?.code == .invalidValue)
        #expect(limiter.bytesPerSecond == 1000)
    }
}

struct OperationBandwidthTests {
    private let clock = ManualClock()

    private struct Throttled: OperationProvider {
        static let operationType = OperationType("throttled")
        var traits: ProviderTraits { ProviderTraits(isThrottleable: true) }
        func description(of request: Int) -> String { "Take \(request)" }

        @concurrent
        func perform(_ request: Int, reporting handle: OperationHandle) async throws -> Int64? {
            try await handle.limiter.take(request)
            return handle.limiter.bytesPerSecond
        }
    }

    @Test func anOperationsLimitMayBeSetBeforeItBeginsAndWhileItRuns() async throws {
        let tracker = OperationTracker(clock: clock)
        try tracker.bandwidth.setLimit(1)
        let running = try await OperationRunner(tracker: tracker).submit(1000, to: Throttled())
        try tracker.setBandwidthLimit(500, of: running.id)
        #expect(tracker.bandwidthLimit(of: running.id) == 500)
        try tracker.bandwidth.setLimit(nil)
        while tracker.operation(running.id)?.status.isActive == true {
            await clock.advance(by: .milliseconds(100))
        }
        #expect(try await running.output == 500)
        #expect(tracker.bandwidthLimit(of: running.id) == nil)
    }

    @Test func aLimitToBeginWithDoesNotReplaceOneThatWasSet() throws {
        let tracker = OperationTracker(clock: clock)
        let handle = try tracker.start(type: .download, description: "first")
        #expect(try handle.limiter(beginningWith: 1000).bytesPerSecond == 1000)
        try tracker.setBandwidthLimit(nil, of: handle.id)
        #expect(try handle.limiter(beginningWith: 1000).bytesPerSecond == nil)
        #expect(throws: OperationError.self) { try handle.limiter(beginningWith: 0) }
    }

    @Test func whatKeepsToNoLimitRefusesOne() throws {
        let tracker = OperationTracker(clock: clock)
        let handle = try tracker.start(type: .seed, description: "seed")
        let error = #expect(throws: OperationError.self) { try tracker.setBandwidthLimit(1000, of: handle.id) }
        #expect(error?.code == .cannotThrottle)
        // Until it asks for its limiter: then it keeps to it.
        _ = handle.limiter
        try tracker.setBandwidthLimit(1000, of: handle.id)
        #expect(handle.limiter.bytesPerSecond == 1000)
    }

    @Test func anUnknownOperationIsSaidToBeUnknown() async throws {
        let tracker = OperationTracker(clock: clock)
        let handle = try tracker.start(type: .seed, description: "seed")
        _ = handle.limiter
        try await tracker.complete(handle.id)
        for id in [handle.id, OperationID(rawValue: "op_nobody")].compactMap(\.self) {
            let error = #expect(throws: OperationError.self) { try tracker.setBandwidthLimit(1000, of: id) }
            #expect(error?.code == .unknownOperation)
        }
    }
}
