import Testing

@testable import OperationTransfer

@Suite struct TransferClockTests {
    private let start = TransferClock.Instant.now

    @Test func hasNothingToCheckWithoutLimits() {
        var clock = TransferClock(HTTPTimeouts(), startingAt: start)
        #expect(clock.nextCheck == nil)
        #expect(clock.expiry(at: start + .seconds(1_000_000), moved: 0, isHeld: false) == nil)
    }

    @Test func expiresAtTheTotalEvenWhileHeld() {
        var clock = TransferClock(HTTPTimeouts(total: .seconds(5)), startingAt: start)
        #expect(clock.nextCheck == start + .seconds(5))
        #expect(clock.expiry(at: start + .milliseconds(4999), moved: 0, isHeld: true) == nil)
        #expect(clock.expiry(at: start + .seconds(5), moved: 0, isHeld: true) == .total)
    }

    @Test func stallsAfterAWholePeriodBelowTheLimit() {
        var clock = limitedClock()
        // The first period began before there was a connection.
        #expect(clock.expiry(at: start + .seconds(2), moved: 0, isHeld: false) == nil)
        #expect(clock.expiry(at: start + .milliseconds(3999), moved: 0, isHeld: false) == nil)
        #expect(clock.expiry(at: start + .seconds(4), moved: 199, isHeld: false) == .stalled)
    }

    @Test func countsFromTheConnectionOn() {
        var clock = limitedClock()
        let connected = start + .milliseconds(10)
        #expect(clock.expiry(at: start + .seconds(2), moved: 0, isHeld: false, connected: connected) == nil)
        #expect(clock.nextCheck == start + .milliseconds(2010))
        #expect(
            clock.expiry(at: start + .milliseconds(2010), moved: 0, isHeld: false, connected: connected) == .stalled
        )
    }

    @Test func doesNotStallAtTheLimit() {
        var clock = limitedClock()
        for second in 1...10 {
            #expect(clock.expiry(at: start + .seconds(2 * second), moved: Int64(200 * second), isHeld: false) == nil)
        }
        #expect(clock.expiry(at: start + .seconds(22), moved: 2199, isHeld: false) == .stalled)
    }

    @Test func doesNotCountAPeriodInWhichTheReaderPaused() {
        var clock = limitedClock()
        #expect(clock.expiry(at: start + .seconds(2), moved: 0, isHeld: false) == nil)
        #expect(clock.expiry(at: start + .seconds(4), moved: 0, isHeld: true) == nil)
        // Held at its start, which the next one was not.
        #expect(clock.expiry(at: start + .seconds(6), moved: 0, isHeld: false) == nil)
        #expect(clock.expiry(at: start + .seconds(8), moved: 0, isHeld: false) == .stalled)
    }

    @Test func countsFromTheEndOfAPause() {
        var clock = limitedClock()
        clock.beginPeriod(at: start + .seconds(1), moved: 0, isHeld: false)
        #expect(clock.nextCheck == start + .seconds(3))
        #expect(clock.expiry(at: start + .seconds(2), moved: 0, isHeld: false) == nil)
        #expect(clock.expiry(at: start + .seconds(3), moved: 0, isHeld: false) == .stalled)
    }

    @Test func measuresTheWholeTimeOfALateCheck() {
        var clock = limitedClock()
        clock.beginPeriod(at: start, moved: 0, isHeld: false)
        #expect(clock.expiry(at: start + .seconds(4), moved: 399, isHeld: false) == .stalled)
    }

    @Test func isNotConfusedByACountThatBeginsAnew() {
        var clock = limitedClock()
        clock.beginPeriod(at: start, moved: 1000, isHeld: false)
        #expect(clock.expiry(at: start + .seconds(2), moved: 200, isHeld: false) == nil)
    }

    @Test func checksAtWhicheverLimitComesFirst() {
        let lowSpeed = LowSpeedLimit(bytesPerSecond: 1, for: .seconds(2))
        let short = TransferClock(HTTPTimeouts(lowSpeed: lowSpeed, total: .seconds(1)), startingAt: start)
        let long = TransferClock(HTTPTimeouts(lowSpeed: lowSpeed, total: .seconds(3)), startingAt: start)
        #expect(short.nextCheck == start + .seconds(1))
        #expect(long.nextCheck == start + .seconds(2))
    }

    /// 100 bytes a second, over two seconds.
    private func limitedClock() -> TransferClock {
        TransferClock(HTTPTimeouts(lowSpeed: LowSpeedLimit(bytesPerSecond: 100, for: .seconds(2))), startingAt: start)
    }
}
