import OperationTracking

/// One measured thing: nanoseconds for each repetition, the median of several runs, beside a limit measured in the same run.
struct Benchmark {
    let name: String
    let nanoseconds: Double
    let spread: ClosedRange<Double>
    let limit: (name: String, nanoseconds: Double)?

    /// Runs `body` in batches until the figures are steady enough to compare.
    static func measure(repetitions: Int, runs: Int = 9, _ body: (Int) -> Void) -> (
        median: Double, spread: ClosedRange<Double>
    ) {
        body(repetitions / 10 + 1)
        let clock = SystemTrackingClock()
        let times = (0..<runs).map { _ in
            let start = clock.monotonicNanoseconds
            body(repetitions)
            return Double(clock.monotonicNanoseconds - start) / Double(repetitions)
        }.sorted()
        return (times[runs / 2], times[0]...times[runs - 1])
    }

    var row: String {
        func figure(_ value: Double) -> String { value < 10 ? String(hundredths(value)) : String(Int(value.rounded())) }
        let beside =
            limit.map { "\($0.name): \(figure($0.nanoseconds)) | \(hundredths(nanoseconds / $0.nanoseconds))" } ?? "|"
        return
            "| \(name) | \(figure(nanoseconds)) | \(figure(spread.lowerBound)) to \(figure(spread.upperBound)) | \(beside) |"
    }

    private func hundredths(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}
