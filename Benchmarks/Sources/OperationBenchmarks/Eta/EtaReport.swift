import Foundation

/// How good our estimator and others are on all tasks, and on those of each family.
struct EtaReport {
    let tasks: [TraceTask]
    /// How many more there were, of which too few moments count.
    let skipped: Int
    private let ours: EtaResult
    /// Ours again, told otherwise.
    private let variants: [EtaResult]
    private let peers: [EtaResult]
    private let check: EtaResult

    static let ours = "this library"
    static let looked = "looked at four times a second, as a tracker does"
    static let often = "ten reports a second"

    init(tasks: [TraceTask], skipped: Int) {
        self.tasks = tasks
        self.skipped = skipped
        ours = result(Self.ours, OurEstimator.self, tasks)
        variants = [
            result(Self.looked, OurEstimator.self, tasks, .looks(perSecond: 4)),
            result(Self.often, OurEstimator.self, tasks, .interpolated(perSecond: 10)),
        ]
        peers = operation_benchmarks.peers(tasks)
        check = result("EMA over 20 s", TwentySeconds.self, tasks)
    }

    private var estimators: [EtaResult] { [ours] + variants + peers + [check] }

    /// Each measure beside its best peer, the interval's coverage and width, and what being told often changes.
    func measurements(_ figures: EtaFigures) -> [Measurement] {
        let (ln, share, moments) = ("ln", "of the duration", "of the moments")
        let goals = [(ln, 0.265), (ln, 0.52), (share, 0.158), (share, 1)]
        let beside = zip(EtaResult.measures, goals).map { measure, goal in
            Measurement(
                measure.name,
                figures.estimators[Self.ours]?[measure.name],
                unit: goal.0,
                peer: best(by: measure.of).map { .init(name: $0.name, value: mean($0.scores.map(measure.of))) },
                budget: Budget(ratioAtMost: 1, valueAtMost: isForGoals ? goal.1 : nil)
            )
        }
        let coverage = Measurement(
            "coverage",
            figures.estimators[Self.ours]?["coverage"],
            unit: moments,
            budget: Budget(valueAtMost: 0.82, valueAtLeast: 0.78)
        )
        let coverages = families.map { family in
            Measurement(
                "coverage, \(family)",
                figures.families[family]?[Self.ours]?["coverage"],
                unit: moments,
                budget: goal(Budget(valueAtLeast: 0.7))
            )
        }
        let width = Measurement(
            "width of the interval",
            figures.estimators[Self.ours]?["ln_width"],
            unit: ln,
            budget: goal(Budget(valueAtMost: 1.1))
        )
        let often = Measurement(
            "what ten reports a second change at most of a, b, c, d and the coverage",
            figures.change,
            in: figures.change...figures.change,
            unit: "%",
            budget: goal(Budget(valueAtMost: 5))
        )
        return beside + [coverage] + coverages + [width, often]
    }

    /// Whether there are networks enough for the goals, which are for the mean of many.
    private var isForGoals: Bool { traces >= 100 }

    private func goal(_ budget: Budget) -> Budget? { isForGoals ? budget : nil }

    /// Of those that said something of every task.
    private func best(by measure: (EtaScore) -> Double) -> EtaResult? {
        peers.filter { mean($0.scores.map(measure)).isFinite }
            .min { mean($0.scores.map(measure)) < mean($1.scores.map(measure)) }
    }

    private var families: [String] { Set(tasks.map(\.family)).sorted() }

    private var traces: Int { Set(tasks.map(\.trace)).count }

    var text: String {
        let bootstrap = Bootstrap(tasks)
        let (plain, intervals) = (EtaResult.measures.prefix(5), EtaResult.measures.dropFirst(5))
        let labels = intervals.map { $0.name.replacing("_", with: " ") }
        // Whether there was an estimate is no matter of a family.
        let whole = plain.dropLast() + intervals
        var lines = ["\(tasks.count) tasks on \(traces) traces; lower is better"]
        if skipped > 0 {
            lines.append("Left out: \(skipped) tasks of which fewer than \(TraceTask.fewest) moments count.")
        }
        lines += ["", "| estimator | a | b | c | d | none |", "|---|---|---|---|---|---|"]
        lines += estimators.map { row($0.name, plain, $0.scores) }
        lines += ["", "| measure | ours | 95 % | best peer | gain over it | 95 % |", "|---|---|---|---|---|---|"]
        for (name, value) in plain.dropLast() {
            guard let best = best(by: value) else { continue }
            let gains = zip(best.scores, ours.scores).map { value($0) - value($1) }
            let own = ours.scores.map(value)
            lines.append(
                "| \(name) | \(figure(mean(own))) | \(figure(bootstrap.interval(of: own))) | "
                    + "\(best.name) \(figure(mean(best.scores.map(value)))) | \(figure(mean(gains))) | "
                    + "\(figure(bootstrap.interval(of: gains))) |"
            )
        }
        for (label, measure) in zip(labels, intervals) {
            let own = ours.scores.map(measure.of)
            lines.append("| \(label) | \(figure(mean(own))) | \(figure(bootstrap.interval(of: own))) | | | |")
        }
        lines += [
            "", "| family | a | b | c | d | \(labels.joined(separator: " | ")) |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        lines.append(row("all", whole, ours.scores))
        for variant in variants { lines.append(row("all, " + variant.name, whole, variant.scores)) }
        for family in families {
            lines.append(row(family, whole, scores(of: ours, in: family)))
            let best = plain.dropLast().map { measure in
                peers.map { mean(scores(of: $0, in: family).map(measure.of)) }.filter(\.isFinite).min() ?? .nan
            }
            lines.append("| … each measure's best peer | \(best.map(figure).joined(separator: " | ")) | | | | |")
        }
        lines += ["", "Coverage is that of the 80 % interval."]
        return lines.joined(separator: "\n")
    }

    var figures: EtaFigures {
        let byFamily = families.map { family in
            let bootstrap = Bootstrap(tasks.filter { $0.family == family })
            return (family, figures(bootstrap) { scores(of: $0, in: family) })
        }
        return EtaFigures(
            tasks: tasks.count,
            traces: traces,
            skipped: skipped,
            estimators: figures(Bootstrap(tasks)) { $0.scores },
            families: Dictionary(uniqueKeysWithValues: byFamily)
        )
    }

    private func figures(_ bootstrap: Bootstrap, _ scores: (EtaResult) -> [EtaScore]) -> EtaFigures.Scores {
        var all: EtaFigures.Scores = [:]
        for estimator in estimators {
            for measure in EtaResult.measures {
                let values = scores(estimator).map(measure.of)
                guard mean(values).isFinite else { continue }
                let interval = bootstrap.interval(of: values)
                all[estimator.name, default: [:]][measure.name] =
                    EtaFigures.Figure(mean: mean(values), low: interval.lowerBound, high: interval.upperBound)
            }
        }
        return all
    }

    private func scores(of result: EtaResult, in family: String) -> [EtaScore] {
        tasks.indices.filter { tasks[$0].family == family }.map { result.scores[$0] }
    }

    private func row(_ name: String, _ measures: some Sequence<EtaResult.Measure>, _ scores: [EtaScore]) -> String {
        "| \(name) | " + measures.map { figure(mean(scores.map($0.of))) }.joined(separator: " | ") + " |"
    }

    private func figure(_ range: ClosedRange<Double>) -> String {
        "\(figure(range.lowerBound)) to \(figure(range.upperBound))"
    }

    /// Four decimals.
    private func figure(_ value: Double) -> String { value.isFinite ? String(format: "%.4f", value) : "" }
}

extension Measurement {
    /// A mean with its 95 % interval; not a number where there is none.
    fileprivate init(
        _ name: String,
        _ figure: EtaFigures.Figure?,
        unit: String,
        peer: Peer? = nil,
        budget: Budget?
    ) {
        let spread = figure.map { $0.low...$0.high } ?? 0...0
        self.init(name, figure?.mean ?? .nan, in: spread, unit: unit, peer: peer, budget: budget)
    }
}
