import OperationTrackingTesting
import TestSupport
import Testing

@testable import OperationTracking

@Suite(.timeLimit(.minutes(Patience.minutes))) struct SharedBucketTests {
    /// With somebody always waiting nothing of the rate is lost, however the waiters come and go and whenever they are looked at.
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func allThatTheRateYieldsIsHandedOut(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var bucket = SharedBucket()
        let rate = Double.random(in: 1...1e9, using: &generator)
        bucket.setRate(rate, at: 0)
        var now: Int64 = 0
        var asked = 0.0
        var waiting = Set<UInt64>()
        for ticket in 0..<2000 as Range<UInt64> {
            let bytes = Double(Int.random(in: 1...1_000_000, using: &generator))
            asked += bytes
            if !bucket.ask(bytes, as: ticket, at: now) { waiting.insert(ticket) }
            // Between one and some nine are waiting.
            while waiting.count > Int.random(in: 1...9, using: &generator), let delay = bucket.nanosecondsToNext {
                now += Bool.random(using: &generator) ? delay : Int64.random(in: 1...delay, using: &generator)
                waiting.subtract(bucket.finished(at: now))
            }
        }
        while let delay = bucket.nanosecondsToNext {
            now += delay
            waiting.subtract(bucket.finished(at: now))
        }
        #expect(waiting.isEmpty)
        // Each look may be late by the nanosecond that its time is rounded up by.
        #expect(abs(Double(now) / 1e9 * rate - asked) <= 1e-4 * asked + rate * 0.1)
    }

    /// 49 is the smallest number whose share, taken as often, is not the whole again in floating point.
    @Test(arguments: [3, 49, 98, 103])
    func whatRoundingLeavesIsNotSharedOutForEver(waiters: UInt64) {
        var bucket = SharedBucket()
        bucket.setRate(1e9, at: 0)
        for ticket in 0..<waiters { _ = bucket.ask(10, as: ticket, at: 0) }
        let early = bucket.finished(at: 1)
        #expect(early.isEmpty)
        let done = bucket.finished(at: 10 * Int64(waiters) + 1)
        #expect(done.count == Int(waiters))
    }

    @Test func nobodyIsServedBeforeHisTime() {
        var bucket = SharedBucket()
        bucket.setRate(1000, at: 0)
        let isGrantedAtOnce = (bucket.ask(1000, as: 1, at: 0), bucket.ask(500, as: 2, at: 0))
        #expect(isGrantedAtOnce == (false, false))
        #expect(bucket.nanosecondsToNext == 1_000_000_000)
        let early = bucket.finished(at: 999_999_999)
        #expect(early.isEmpty)
        let second = bucket.finished(at: 1_000_000_000)
        #expect(second == [2])
        #expect(bucket.nanosecondsToNext == 500_000_000)
        let first = bucket.finished(at: 1_500_000_000)
        #expect(first == [1])
        #expect(bucket.nanosecondsToNext == nil)
    }
}
