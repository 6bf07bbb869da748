#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The two times a tracker needs, and waiting. One clock serves everything, so a test that moves it moves everything.
public protocol TrackingClock: Sendable {
    /// Nanoseconds on a clock that never goes backwards, from an origin of its own. Durations are measured with it.
    var monotonicNanoseconds: Int64 { get }

    /// Milliseconds since 1970 in UTC, as the system believes. Time stamps are made with it.
    var wallMilliseconds: Int64 { get }

    /// Waits for `duration` on the monotonic clock.
    ///
    /// - Throws: `CancellationError` when the task is cancelled first.
    func sleep(for duration: Duration) async throws
}

/// The system's clocks.
public struct SystemTrackingClock: TrackingClock {
    /// Makes a clock; all are alike.
    public init() {}

    /// The system's monotonic clock.
    public var monotonicNanoseconds: Int64 { Self.nanoseconds(of: CLOCK_MONOTONIC) }

    /// The system's clock.
    public var wallMilliseconds: Int64 { Self.nanoseconds(of: CLOCK_REALTIME) / 1_000_000 }

    /// Waits as `Task.sleep` does; a time of more than 68 years is taken as that.
    public func sleep(for duration: Duration) async throws {
        // What the system's clock can't reach would be a trap.
        try await Task.sleep(for: min(max(.zero, duration), .seconds(1 << 31)))
    }

    private static func nanoseconds(of clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

extension TrackingClock where Self == SystemTrackingClock {
    /// The system's clocks.
    public static var system: SystemTrackingClock { SystemTrackingClock() }
}

extension Duration {
    /// The duration in seconds.
    package var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }

    /// The duration in whole nanoseconds, held within what 64 bits can say (292 years).
    package var nanoseconds: Int64 {
        let (whole, overflow) = components.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return components.seconds < 0 ? .min : .max }
        let (sum, isTooMuch) = whole.addingReportingOverflow(components.attoseconds / 1_000_000_000)
        return isTooMuch ? (whole < 0 ? .min : .max) : sum
    }
}

extension Int64 {
    /// This moment of a clock in nanoseconds and so much more; the last one there is when that is too much.
    package func later(by duration: Duration) -> Int64 {
        let (moment, isTooMuch) = addingReportingOverflow(Swift.max(0, duration.nanoseconds))
        return isTooMuch ? .max : moment
    }
}
