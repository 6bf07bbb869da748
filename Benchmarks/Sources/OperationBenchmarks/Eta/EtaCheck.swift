import Foundation

/// `operation-benchmarks eta --check`: whether the scorer comes to values that others have computed from the same traces.
struct EtaCheck {
    /// a, b, c, d and none of two simple estimators; then, with 0.8 and 1.5 times what they expect as interval, its coverage, the
    /// mean of ln(high/low), the width by the duration and the interval score.
    private struct Values {
        var average: [String]
        var smoothed: [String]
    }

    private static let root = (0..<5).reduce(URL(filePath: #filePath)) { url, _ in url.deletingLastPathComponent() }

    /// Those traces that may be in this repository. The values are of a program that shares no code with this one.
    private static let own = (
        folder: root.appending(path: "Tests/OperationTrackingTests/Fixtures/traces").path(),
        values: Values(
            average: ["0.2366", "0.3998", "0.1435", "0.7486", "0.0000", "0.6469", "0.6286", "0.3898", "1.3888"],
            smoothed: ["0.2266", "0.4165", "0.1439", "1.0216", "0.0000", "0.6592", "0.6286", "0.3902", "1.3883"]
        )
    )

    /// All of them; the values are those that come with the traces.
    private static let all = (
        folder: root.appending(path: "../shared/eta-traces").standardized.path(),
        values: Values(
            average: ["0.3104", "0.5521", "0.1909", "1.2075", "0.0000"],
            smoothed: ["0.2878", "0.5898", "0.1960", "2.2630", "0.0000"]
        )
    )

    /// - Parameter traces: where all traces are, if not beside the repository.
    /// - Returns: whether every value was the same to all four digits, and what can't be judged is left out or refused.
    static func run(traces: String?) throws -> Bool {
        var isRight = try holds(own.values, in: own.folder)
        if try !EtaReadingCheck.run() { isRight = false }
        let folder = traces ?? all.folder
        guard traces != nil || FileManager.default.fileExists(atPath: folder + "/tasks.csv") else {
            print("LEFT OUT: the check values of 360 tasks; \(folder) has no traces (--traces DIR).")
            return isRight
        }
        if try !holds(all.values, in: folder) { isRight = false }
        let first = try readTasks(in: folder).tasks.first { $0.trace == "fcc__trace_12915" && $0.startRow == 0 }
        let one = first.map { means(result("", WholeAverage.self, [$0]), 4) } ?? []
        if !told("one task, average rate", one, ["0.0249", "0.0747", "0.0110", "0.2059"]) {
            isRight = false
        }
        return isRight
    }

    private static func holds(_ values: Values, in folder: String) throws -> Bool {
        let tasks = try readTasks(in: folder).tasks
        let words = "\(tasks.count) tasks in \(folder)"
        let average = means(result("", Ranged<WholeAverage>.self, tasks), values.average.count)
        let smoothed = means(result("", Ranged<TwentySeconds>.self, tasks), values.smoothed.count)
        let isAverage = told("\(words), average rate", average, values.average)
        return told("\(words), EMA over 20 s", smoothed, values.smoothed) && isAverage
    }

    static func told(_ what: String, _ found: [String], _ expected: [String]) -> Bool {
        let isRight = found == expected
        let both = isRight ? found.joined(separator: " ") : "\(found) where \(expected) is right"
        print("\(isRight ? "ok" : "WRONG"): \(what): \(both)")
        return isRight
    }

    private static func means(_ result: EtaResult, _ count: Int) -> [String] {
        EtaResult.measures.prefix(count).map { measure in text(mean(result.scores.map(measure.of))) }
    }

    private static func text(_ value: Double) -> String { String(format: "%.4f", value) }
}

/// An estimator with an interval that says nothing, to check what is made of intervals.
private struct Ranged<Estimator: EtaEstimator>: EtaEstimator {
    private var estimator: Estimator
    init(total: Double) { estimator = Estimator(total: total) }
    mutating func observe(_ seconds: Double, _ bytes: Double) { estimator.observe(seconds, bytes) }
    var prediction: EtaPrediction? {
        estimator.prediction.map {
            EtaPrediction(expected: $0.expected, interval: (low: 0.8 * $0.expected, high: 1.5 * $0.expected))
        }
    }
}
