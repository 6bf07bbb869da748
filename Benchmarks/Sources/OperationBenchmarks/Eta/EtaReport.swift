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

    init(tasks: [TraceTask], skipped: Int) {
        self.tasks = tasks
        self.skipped = skipped
        ours = result("this library", OurEstimator.self, tasks)
        variants = [
            result("looked at four times a second, as a tracker does", OurEstimator.self, tasks, .looks(perSecond: 4)),
            result("ten reports a second", OurEstimator.self, tasks, .interpolated(perSecond: 10)),
        ]
        peers = operation_benchmarks.peers(tasks)
        check = result("EMA over 20 s", TwentySeconds.self, tasks)
    }

    /// Each measure beside its best peer, and the coverage; their spread is the bootstrap's 95 % interval.
    var measurements: [Measurement] {
        let bootstrap = Bootstrap(tasks)
        let units = ["ln", "ln", "of the duration", "of the duration"]
        let measured = zip(EtaResult.measures, units).map { measure, unit in
            let best = best(by: measure.of)
            return Measurement(
                measure.name,
                mean(ours.scores.map(measure.of)),
                in: bootstrap.interval(of: ours.scores.map(measure.of)),
                unit: unit,
                peer: .init(name: best.name, value: mean(best.scores.map(measure.of))),
                budget: Budget(ratioAtMost: 1)
            )
        }
        let coverage = ours.scores.map { $0.coverage ?? .nan }
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

    private func best(by measure: (EtaScore) -> Double) -> EtaResult {
        peers.min { mean($0.scores.map(measure)) < mean($1.scores.map(measure)) }!
    }

    private var families: [String] { Set(tasks.map(\.family)).sorted() }

    var text: String {
        let bootstrap = Bootstrap(tasks)
        let traces = Set(tasks.map(\.trace)).count
        var lines = ["\(tasks.count) tasks on \(traces) traces; lower is better", "", header]
        if skipped > 0 {
            lines.insert("Left out: \(skipped) tasks of which fewer than \(TraceTask.fewest) moments count.", at: 1)
        }
        lines += ([ours] + variants + peers + [check]).map { row($0.name, EtaResult.measures.map { $0.of }, $0.scores) }
        lines += ["", "| measure | ours | 95 % | best peer | gain over it | 95 % |", "|---|---|---|---|---|---|"]
        for (name, value) in EtaResult.measures.dropLast() {
            let best = best(by: value)
            let gains = zip(best.scores, ours.scores).map { value($0) - value($1) }
            let own = ours.scores.map(value)
            lines.append(
                "| \(name) | \(figure(mean(own))) | \(figure(bootstrap.interval(of: own))) | "
                    + "\(best.name) \(figure(mean(best.scores.map(value)))) | \(figure(mean(gains))) | "
                    + "\(figure(bootstrap.interval(of: gains))) |"
            )
        }
        for (name, value) in zip(Self.intervalNames, intervalMeasures.suffix(4)) {
            let own = ours.scores.map(value)
            lines.append("| \(name) | \(figure(mean(own))) | \(figure(bootstrap.interval(of: own))) | | | |")
        }
        lines += [
            "", "| family | a | b | c | d | \(Self.intervalNames.joined(separator: " | ")) |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        lines.append(row("all", intervalMeasures, ours.scores))
        for variant in variants { lines.append(row("all, " + variant.name, intervalMeasures, variant.scores)) }
        for family in families {
            lines.append(row(family, intervalMeasures, scores(of: ours, in: family)))
            let best = EtaResult.measures.prefix(4).map { measure in
                peers.map { mean(scores(of: $0, in: family).map(measure.of)) }.min() ?? .nan
            }
            lines.append("| … each measure's best peer | \(best.map(figure).joined(separator: " | ")) | | | | |")
        }
        lines += ["", "Coverage is that of the 80 % interval."]
        return lines.joined(separator: "\n")
    }

    var json: String {
        let estimators = [ours] + variants + peers + [check]
        let bootstrap = Bootstrap(tasks)
        let all = estimators.map { "\"\($0.name)\":\(object($0.scores, bootstrap))" }
        let byFamily = families.map { family in
            let inFamily = Bootstrap(tasks.filter { $0.family == family })
            let results = estimators.map { "\"\($0.name)\":\(object(scores(of: $0, in: family), inFamily))" }
            return "\"\(family)\":{\(results.joined(separator: ","))}"
        }
        return "{\"tasks\":\(tasks.count),\"skipped\":\(skipped),\"estimators\":{\(all.joined(separator: ","))},"
            + "\"families\":{\(byFamily.joined(separator: ","))}}"
    }

    /// Each measure's mean and, by the bootstrap, its 95 % interval.
    private func object(_ scores: [EtaScore], _ bootstrap: Bootstrap) -> String {
        let names = EtaResult.measures.map(\.name) + ["coverage", "ln_width", "width_by_duration", "interval_score"]
        let values = EtaResult.measures.map(\.of) + intervalMeasures.suffix(4)
        let members = zip(names, values).compactMap { name, value -> String? in
            let figures = scores.map(value)
            guard mean(figures).isFinite else { return nil }
            let interval = bootstrap.interval(of: figures)
            return
                "\"\(name)\":{\"mean\":\(mean(figures)),\"low\":\(interval.lowerBound),\"high\":\(interval.upperBound)}"
        }
        return "{\(members.joined(separator: ","))}"
    }

    private func scores(of result: EtaResult, in family: String) -> [EtaScore] {
        tasks.indices.filter { tasks[$0].family == family }.map { result.scores[$0] }
    }

    private var header: String { "| estimator | a | b | c | d | none |\n|---|---|---|---|---|---|" }

    private static let intervalNames = ["coverage", "ln width", "width by duration", "interval score"]

    private var intervalMeasures: [(EtaScore) -> Double] {
        [
            \.median, \.tail, \.error, \.movement, { $0.coverage ?? .nan }, { $0.width ?? .nan },
            { $0.span ?? .nan }, { $0.intervalScore ?? .nan },
        ]
    }

    private func row(_ name: String, _ measures: [(EtaScore) -> Double], _ scores: [EtaScore]) -> String {
        "| \(name) | " + measures.map { figure(mean(scores.map($0))) }.joined(separator: " | ") + " |"
    }

    private func figure(_ range: ClosedRange<Double>) -> String {
        "\(figure(range.lowerBound)) to \(figure(range.upperBound))"
    }

    /// Four decimals.
    private func figure(_ value: Double) -> String {
        guard value.isFinite else { return "" }
        let scaled = Int((abs(value) * 10_000).rounded())
        let decimals = String(scaled % 10_000)
        let padding = String(repeating: "0", count: 4 - decimals.count)
        return "\(value < 0 && scaled > 0 ? "-" : "")\(scaled / 10_000).\(padding)\(decimals)"
    }
}
