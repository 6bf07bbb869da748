struct EtaReport {
    let tasks: [TraceTask]
    let ours: EtaResult
    let often: EtaResult
    let peers: [EtaResult]
    let check: EtaResult

    private var families: [String] { Set(tasks.map(\.family)).sorted() }

    var text: String {
        let bootstrap = Bootstrap(tasks)
        let traces = Set(tasks.map(\.trace)).count
        var lines = ["\(tasks.count) tasks on \(traces) traces; lower is better", "", header]
        lines += ([ours, often] + peers + [check]).map { row($0.name, EtaResult.measures.map { $0.of }, $0.scores) }
        lines += ["", "| measure | ours | 95 % | best peer | gain over it | 95 % |", "|---|---|---|---|---|---|"]
        for (name, value) in EtaResult.measures.dropLast() {
            let best = peers.min { mean($0.scores.map(value)) < mean($1.scores.map(value)) }!
            let gains = zip(best.scores, ours.scores).map { value($0) - value($1) }
            let own = ours.scores.map(value)
            lines.append(
                "| \(name) | \(figure(mean(own))) | \(figure(bootstrap.interval(of: own))) | "
                    + "\(best.name) \(figure(mean(best.scores.map(value)))) | \(figure(mean(gains))) | "
                    + "\(figure(bootstrap.interval(of: gains))) |"
            )
        }
        lines += [
            "", "| family | a | b | c | d | coverage | ln width | interval score |",
            "|---|---|---|---|---|---|---|---|",
        ]
        lines.append(row("all", intervalMeasures, ours.scores))
        for family in families {
            lines.append(
                row(
                    family,
                    intervalMeasures,
                    ours.scores.indices.filter { tasks[$0].family == family }.map { ours.scores[$0] }
                )
            )
        }
        lines += ["", "Coverage is that of the 80 % interval."]
        return lines.joined(separator: "\n")
    }

    var json: String {
        func object(_ scores: [EtaScore]) -> String {
            let names = EtaResult.measures.map(\.name) + ["coverage", "ln_width", "interval_score"]
            let values = EtaResult.measures.map(\.of) + intervalMeasures.suffix(3)
            let members = zip(names, values).compactMap { name, value -> String? in
                let figure = mean(scores.map(value))
                return figure.isNaN ? nil : "\"\(name)\":\(figure)"
            }
            return "{\(members.joined(separator: ","))}"
        }
        let estimators = ([ours, often] + peers + [check]).map { "\"\($0.name)\":\(object($0.scores))" }
        let byFamily = families.map { family in
            "\"\(family)\":" + object(tasks.indices.filter { tasks[$0].family == family }.map { ours.scores[$0] })
        }
        return "{\"tasks\":\(tasks.count),\"estimators\":{\(estimators.joined(separator: ","))},"
            + "\"families\":{\(byFamily.joined(separator: ","))}}"
    }

    private var header: String { "| estimator | a | b | c | d | none |\n|---|---|---|---|---|---|" }

    private var intervalMeasures: [(EtaScore) -> Double] {
        [
            \.median, \.tail, \.error, \.movement, { $0.coverage ?? .nan }, { $0.width ?? .nan },
            { $0.intervalScore ?? .nan },
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
