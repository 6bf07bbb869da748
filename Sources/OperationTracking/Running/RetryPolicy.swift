#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// When work that failed is tried again: after a time that doubles with each try and is drawn at random below that, so that
/// many clients of a broken server don't come back at once ("full jitter", M. Brooker, AWS Architecture Blog, 2015).
public struct RetryPolicy: Sendable, Hashable {
    /// How often work is begun in all; 1 for never again.
    public var maximumAttempts: Int
    /// The longest wait after the first failure; it doubles after each.
    public var baseDelay: Duration
    /// No wait is longer, except when the other side asked for more. What asks for more than that, and more than an hour, isn't
    /// tried again.
    public var maximumDelay: Duration
    /// No try begins when this much time has passed since the first, pauses not counted; `nil` for no limit.
    public var maximumElapsed: Duration?
    /// The sum of all waits is at most this; `nil` for no limit.
    public var maximumWaiting: Duration?
    /// The failures that may pass. All others are final.
    public var retryable: Set<OperationFailure.Code>

    /// Failures of the way to the other side, or of the other side itself.
    public static let passing: Set<OperationFailure.Code> = [
        .connectionRefused, .connectionLost, .timeout, .stalled, .serverError, .rateLimited,
    ]

    /// Makes a policy.
    public init(
        maximumAttempts: Int = 4,
        baseDelay: Duration = .seconds(1),
        maximumDelay: Duration = .seconds(60),
        maximumElapsed: Duration? = nil,
        maximumWaiting: Duration? = nil,
        retryable: Set<OperationFailure.Code> = RetryPolicy.passing
    ) {
        self.maximumAttempts = maximumAttempts
        self.baseDelay = baseDelay
        self.maximumDelay = maximumDelay
        self.maximumElapsed = maximumElapsed
        self.maximumWaiting = maximumWaiting
        self.retryable = retryable
    }

    /// Every failure is final.
    public static let never = RetryPolicy(maximumAttempts: 1)

    /// How long to wait before the next try; `nil` when there is to be none.
    ///
    /// - Parameters:
    ///   - failure: what the try just made ended in.
    ///   - attempt: which try that was, from 1.
    ///   - elapsed: the time since the first try began, pauses not counted.
    ///   - waited: the sum of the waits so far.
    ///   - jitter: which share of the back-off is waited, 0 to 1. It is to be drawn anew each time, so that those that fail
    ///     together don't try again together (full jitter; M. Brooker, Exponential Backoff And Jitter, AWS 2015).
    public func delay(
        after failure: OperationFailure,
        attempt: Int,
        elapsed: Duration,
        waited: Duration = .zero,
        jitter: Double
    ) -> Duration? {
        guard attempt < maximumAttempts, retryable.contains(failure.code) else { return nil }
        let delay = max(backOff(attempt: attempt, jitter: jitter), failure.retryAfter ?? .zero)
        // Nobody waits a day because a server says so.
        guard delay <= max(maximumDelay, .seconds(3600)) else { return nil }
        if let maximumElapsed, elapsed + delay > maximumElapsed { return nil }
        if let maximumWaiting, waited + delay > maximumWaiting { return nil }
        return delay
    }

    /// What is waited after a try where the other side has asked for nothing.
    func backOff(attempt: Int, jitter: Double) -> Duration {
        let ceiling = min(maximumDelay.seconds, baseDelay.seconds * exp2(Double(min(attempt - 1, 60))))
        return .seconds(max(0, ceiling) * jitter)
    }
}

/// As JSON, with durations in seconds: `{"maximum_attempts": 4, "base_delay": 1, …}`.
extension RetryPolicy: Codable {
    private enum CodingKeys: String, CodingKey {
        case maximumAttempts = "maximum_attempts"
        case baseDelay = "base_delay"
        case maximumDelay = "maximum_delay"
        case maximumElapsed = "maximum_elapsed"
        case maximumWaiting = "maximum_waiting"
        case retryable
    }

    /// Reads a policy.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func duration(_ key: CodingKeys) throws -> Duration? {
            // What a duration can't hold is no time at all that anyone waits.
            try values.decodeIfPresent(Double.self, forKey: key).map { .seconds(min(max($0, 0), 1e9)) }
        }
        self.init(
            maximumAttempts: try values.decode(Int.self, forKey: .maximumAttempts),
            baseDelay: try duration(.baseDelay) ?? .seconds(1),
            maximumDelay: try duration(.maximumDelay) ?? .seconds(60),
            maximumElapsed: try duration(.maximumElapsed),
            maximumWaiting: try duration(.maximumWaiting),
            retryable: try values.decode(Set<OperationFailure.Code>.self, forKey: .retryable)
        )
    }

    /// Writes the policy.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(maximumAttempts, forKey: .maximumAttempts)
        try values.encode(baseDelay.seconds, forKey: .baseDelay)
        try values.encode(maximumDelay.seconds, forKey: .maximumDelay)
        try values.encodeIfPresent(maximumElapsed?.seconds, forKey: .maximumElapsed)
        try values.encodeIfPresent(maximumWaiting?.seconds, forKey: .maximumWaiting)
        try values.encode(retryable.sorted { $0.rawValue < $1.rawValue }, forKey: .retryable)
    }
}
