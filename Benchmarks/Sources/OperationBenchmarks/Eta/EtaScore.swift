import Foundation

/// What an estimator says at a moment, in seconds.
struct EtaPrediction {
    var expected: Double
    var interval: (low: Double, high: Double)?
}

/// What is judged: told a known total, (0, 0) and every report in order.
protocol EtaEstimator {
    init(total: Double)
    mutating func observe(_ seconds: Double, _ bytes: Double)
    /// As of the last report.
    var prediction: EtaPrediction? { get }
}

/// One judged moment.
struct EtaEvent {
    var seconds: Double
    var prediction: EtaPrediction?
}

/// How well an estimator did on one task; lower is better for all but `coverage`.
struct EtaScore {
    /// The median of |ln(predicted/true)|.
    var median = 0.0
    /// The 90th percentile of it.
    var tail = 0.0
    /// The mean absolute error as a share of the whole duration.
    var error = 0.0
    /// How far the predicted finish moved in all, as a share of the whole duration; not a number for who predicted it less than twice.
    var movement = Double.nan
    /// The share of moments without an estimate.
    var none = 0.0
    /// The share of moments at which the truth lay in the interval; this and what follows is not a number without intervals.
    var coverage = Double.nan
    /// The mean of ln(high/low).
    var width = Double.nan
    /// The mean of high - low, as a share of the whole duration.
    var span = Double.nan
    var intervalScore = Double.nan
}

/// Tells an estimator a task and keeps what it says at the moments that count.
///
/// - Parameter telling: how it hears of the task.
func events<E: EtaEstimator>(_ type: E.Type, on task: TraceTask, _ telling: TraceTask.Telling = .reports) -> [EtaEvent]
{
    var estimator = E(total: task.total)
    var events: [EtaEvent] = []
    for (report, isOwn) in task.told(telling) {
        estimator.observe(report.seconds, report.bytes)
        if isOwn, task.counts(report) {
            events.append(EtaEvent(seconds: report.seconds, prediction: estimator.prediction))
        }
    }
    return events
}

/// Judges what was predicted against the truth.
func score(_ events: [EtaEvent], of task: TraceTask) -> EtaScore {
    func held(_ seconds: Double) -> Double { min(max(seconds, 0.01), 10 * task.finish) }
    let given = events.compactMap { event in event.prediction.map { (event.seconds, $0) } }
    var score = EtaScore(none: 1 - Double(given.count) / Double(events.count))
    let errors = given.map { abs(log(held($1.expected) / (task.finish - $0))) }.sorted()
    score.median = quantile(0.5, of: errors)
    score.tail = quantile(0.9, of: errors)
    score.error = mean(given.map { abs(held($1.expected) - (task.finish - $0)) / task.finish })
    let finishes = given.map { $0 + held($1.expected) }
    if finishes.count > 1 {
        score.movement = zip(finishes, finishes.dropFirst()).reduce(0) { $0 + abs($1.1 - $1.0) } / task.finish
    }
    let intervals = given.compactMap { seconds, prediction in
        prediction.interval.map { (truth: task.finish - seconds, low: held($0.low), high: held($0.high)) }
    }
    guard !intervals.isEmpty else { return score }
    score.coverage = mean(intervals.map { ($0.low...$0.high).contains($0.truth) ? 1 : 0 })
    score.width = mean(intervals.map { log($0.high / $0.low) })
    score.span = mean(intervals.map { ($0.high - $0.low) / task.finish })
    score.intervalScore = mean(
        intervals.map { log($0.high / $0.low) + 10 * max(0, log($0.low / $0.truth), log($0.truth / $0.high)) }
    )
    return score
}

func mean(_ values: [Double]) -> Double { values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count) }

/// Linear between order statistics.
func quantile(_ share: Double, of sorted: [Double]) -> Double {
    guard !sorted.isEmpty else { return .nan }
    let place = share * Double(sorted.count - 1)
    let below = Int(place)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
}
