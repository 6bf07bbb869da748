/// A time since the start of a pull, or a length of time. Whole numbers, so that sums and remainders are exact.
typealias Nanoseconds = Int

extension Duration {
    /// This duration in whole nanoseconds, at most a hundred years, so that a sum of two can't overflow.
    var nanoseconds: Nanoseconds {
        let century = Duration.seconds(3_155_760_000)
        let (seconds, attoseconds) = min(self, century).components
        return Nanoseconds(seconds) * 1_000_000_000 + Nanoseconds(attoseconds / 1_000_000_000)
    }
}
