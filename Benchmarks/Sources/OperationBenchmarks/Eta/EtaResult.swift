import Foundation

/// An estimator's name, and what it came to on every task.
struct EtaResult {
    let name: String
    let scores: [EtaScore]

    typealias Measure = (name: String, of: @Sendable (EtaScore) -> Double)

    /// What a task is judged by; the last four need an interval.
    static let measures: [Measure] = [
        ("a", { $0.median }), ("b", { $0.tail }), ("c", { $0.error }), ("d", { $0.movement }), ("none", { $0.none }),
        ("coverage", { $0.coverage }), ("ln_width", { $0.width }), ("width_by_duration", { $0.span }),
        ("interval_score", { $0.intervalScore }),
    ]
}

/// Scores an estimator on every task.
func result<E: EtaEstimator>(
    _ name: String,
    _ type: E.Type,
    _ tasks: [TraceTask],
    _ telling: TraceTask.Telling = .reports
) -> EtaResult {
    EtaResult(name: name, scores: tasks.map { score(events(type, on: $0, telling), of: $0) })
}

/// The twelve programs, told as often as they look.
func peers(_ tasks: [TraceTask]) -> [EtaResult] {
    [
        result("curl, wget", WholeAverage.self, tasks),
        result("alive-progress", AliveProgress.self, tasks, .interpolated(perSecond: 10)),
        result("tqdm", Tqdm.self, tasks),
        result("rclone", Rclone.self, tasks, .interpolated(perSecond: 10)),
        result("indicatif", Indicatif.self, tasks),
        result("rich", Rich.self, tasks),
        result("Firefox", Firefox.self, tasks, .interpolated(perSecond: 2.5)),
        result("Chromium", Chromium.self, tasks, .interpolated(perSecond: 10)),
        result("aria2", Aria2.self, tasks, .interpolated(perSecond: 10)),
        result("apt", Apt.self, tasks, .interpolated(perSecond: 2)),
        result("rsync", Rsync.self, tasks, .interpolated(perSecond: 10)),
        result("yt-dlp", YtDlp.self, tasks, .interpolated(perSecond: 10)),
    ]
}

/// Draws whole traces with replacement, again and again from the same seed.
struct Bootstrap {
    private let byTrace: [[Int]]
    private static let draws = 2000

    init(_ tasks: [TraceTask]) {
        byTrace = Dictionary(grouping: tasks.indices) { tasks[$0].trace }.sorted { $0.key < $1.key }.map(\.value)
    }

    /// The 95 % interval of the mean of `values`, one a task.
    func interval(of values: [Double]) -> ClosedRange<Double> {
        var generator = SplitMix(state: 20)
        let means = (0..<Self.draws).map { _ in
            var sum = 0.0
            var count = 0
            for _ in byTrace {
                let tasks = byTrace[Int(generator.next() % UInt64(byTrace.count))]
                for task in tasks { sum += values[task] }
                count += tasks.count
            }
            return sum / Double(count)
        }.sorted()
        return quantile(0.025, of: means)...quantile(0.975, of: means)
    }
}

/// Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014).
struct SplitMix {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
