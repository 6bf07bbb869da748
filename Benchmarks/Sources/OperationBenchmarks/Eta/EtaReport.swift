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

    /// Each measure beside its best peer, and the coverage; their spread is the bootstrap's 95 % interval.
    var measurements: [Measurement] {
        let bootstrap = Bootstrap(tasks)
        let units = ["ln", "ln", "of the duration", "of the duration"]
        let measured = zip(EtaResult.measures, units).map { measure, unit in
            Measurement(
                measure.name,
                mean(ours.scores.map(measure.of)),
                in: bootstrap.interval(of: ours.scores.map(measure.of)),
                unit: unit,
                peer: best(by: measure.of).map { .init(name: $0.name, value: mean($0.scores.map(measure.of))) },
                budget: Budget(ratioAtMost: 1)
            )
        }
        let coverage = ours.scores.map(\.coverage)
        return measured + [
            Measurement(
                "coverage",
                mean(coverage),
                in: bootstrap.interval(of: coverage),
                unit: "of the moments",
                budget: Budget(valueAtMost: 0.82, valueAtLeast: 0.78)
            )
        ]
    }

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
