/// How long an operation may still take: an expectation and an interval, in seconds.
public struct RemainingTime: Sendable, Hashable {
    /// What the estimate rests on.
    public enum Basis: String, Sendable, Hashable, Codable {
        /// The rate seen in this run.
        case rate
        /// How long past runs like it took.
        case history
        /// Both, weighed by how much each knows.
        case blend
    }

    /// The expected time in seconds, at least 0.
    public var expected: Double
    /// The low end of the 80 % interval in seconds; at most ``expected``.
    public var low: Double
    /// The high end of the 80 % interval in seconds; at least ``expected``.
    public var high: Double
    /// What the estimate rests on.
    public var basis: Basis
    /// How many past runs went into it; 0 when it rests on the rate alone.
    public var samples: Int

    /// Makes an estimate.
    public init(expected: Double, low: Double, high: Double, basis: Basis, samples: Int = 0) {
        self.expected = expected
        self.low = low
        self.high = high
        self.basis = basis
        self.samples = samples
    }

}

extension RemainingTime? {
    /// The estimate for work that is held back for so many seconds, whatever its rate. Without an estimate that is all that is
    /// known.
    func held(for seconds: Double) -> RemainingTime? {
        guard seconds > 0 else { return self }
        var held = self ?? RemainingTime(expected: seconds, low: seconds, high: seconds, basis: .rate)
        held.expected = Swift.max(held.expected, seconds)
        held.low = Swift.max(held.low, seconds)
        held.high = Swift.max(held.high, seconds)
        return held
    }
}
