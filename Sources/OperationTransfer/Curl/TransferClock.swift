/// Says when a transfer has taken too long, by its total and low-speed limits. Pure: the time comes from outside.
///
/// curl has both limits too. They are kept here because curl's speed is a mean over some six seconds that takes a reader's pause
/// for slowness, because it counts in whole seconds, and because it has one error for all its timeouts.
struct TransferClock {
    /// Time that passes while the machine runs: a laptop's sleep makes nothing time out.
    typealias Instant = SuspendingClock.Instant

    enum Expiry {
        case total
        case stalled
    }

    private struct Period {
        let end: Instant
        let bytesAtStart: Int64
        /// Whether at its start the transfer could not move, through no fault of the peer.
        let beganHeld: Bool
    }

    private let totalEnd: Instant?
    private let lowSpeed: LowSpeedLimit?
    /// The period being measured; `nil` without a limit.
    private var period: Period?
    /// Whether the first period is the one in which the connection is made.
    private var awaitsConnection = true

    init(_ timeouts: HTTPTimeouts, startingAt now: Instant) {
        totalEnd = timeouts.total.map { now + $0 }
        lowSpeed = timeouts.lowSpeed
        beginPeriod(at: now, moved: 0, isHeld: true)
        awaitsConnection = true
    }

    /// When to call `expiry` next; `nil` for never.
    var nextCheck: Instant? {
        guard let totalEnd, let period else { return totalEnd ?? period?.end }
        return min(totalEnd, period.end)
    }

    /// Begins a new period before the present one is over, as at the end of a pause.
    mutating func beginPeriod(at now: Instant, moved: Int64, isHeld: Bool) {
        awaitsConnection = false
        period = lowSpeed.map { Period(end: now + $0.period, bytesAtStart: moved, beganHeld: isHeld) }
    }

    /// Which limit has been passed, if any.
    /// - Parameters:
    ///   - moved: the number of body bytes sent and received so far.
    ///   - isHeld: whether the transfer can't move, through no fault of the peer: it has no connection yet, or its reader pauses.
    ///   - connected: since when there is a connection; `nil` while there is none.
    mutating func expiry(at now: Instant, moved: Int64, isHeld: Bool, connected: Instant? = nil) -> Expiry? {
        if let totalEnd, now >= totalEnd { return .total }
        // What counts begins with the connection, and is not put off for a whole period because that took a moment.
        if awaitsConnection, let connected { beginPeriod(at: min(connected, now), moved: 0, isHeld: false) }
        guard let period, let lowSpeed, now >= period.end else { return nil }
        // A redirect makes curl count anew.
        let bytes = moved >= period.bytesAtStart ? moved - period.bytesAtStart : moved
        // A check that comes late has measured more than one period.
        let seconds = (lowSpeed.period + (now - period.end)) / .seconds(1)
        let isSlow = Double(bytes) < Double(lowSpeed.bytesPerSecond) * seconds
        if isSlow, !isHeld, !period.beganHeld { return .stalled }
        beginPeriod(at: now, moved: moved, isHeld: isHeld)
        return nil
    }
}
