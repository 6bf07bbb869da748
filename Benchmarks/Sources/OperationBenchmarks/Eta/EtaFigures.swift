/// What estimators came to, for programs to read and for the README's table.
struct EtaFigures: Codable {
    /// A mean over the tasks and, by the bootstrap, its 95 % interval.
    struct Figure: Codable {
        var mean: Double
        var low: Double
        var high: Double
    }

    /// By estimator, then by measure; what one has no figure for isn't there.
    typealias Scores = [String: [String: Figure]]

    var tasks: Int
    var traces: Int
    var skipped: Int
    var estimators: Scores
    var families: [String: Scores]
}

extension EtaFigures {
    /// The names of those that the README has, and what they are called there.
    private static let rows = [
        (EtaReport.ours, "this library"), (EtaReport.looked, "… looked at four times a second, as its tracker does"),
        ("curl, wget", "curl, wget (average rate)"), ("alive-progress", "alive-progress"), ("tqdm", "tqdm"),
        ("rclone", "rclone"), ("Firefox", "Firefox"),
    ]
    private static let measures = ["a", "b", "c", "d"]

    /// The main figures in Markdown.
    var page: String {
        let rows = Self.rows.map { name, label in
            let cells = Self.measures.map { measure in
                let value = mean(name, measure)
                return name == EtaReport.ours && isBest(measure) ? "**\(value.brief)**" : value.brief
            }
            return "| \(label) | \(cells.joined(separator: " | ")) |"
        }
        let coverages = families.values.compactMap { $0[EtaReport.ours]?["coverage"]?.mean }
        return (["| | a | b | c | d |", "|---|---|---|---|---|"] + rows).joined(separator: "\n") + """


            These are \(tasks) downloads over \(traces) traces. The 80 % interval holds the truth \
            \((mean(EtaReport.ours, "coverage") * 100).brief) % of the time, \(((coverages.min() ?? .nan) * 100).brief) to \
            \(((coverages.max() ?? .nan) * 100).brief) % by network, and ten reports a second change none of this by more than \
            \(change.brief) %.

            """
    }

    /// What ten reports a second change at most of the four measures and the coverage, in %.
    var change: Double {
        let changes = (Self.measures + ["coverage"]).map { measure in
            abs(mean(EtaReport.often, measure) / mean(EtaReport.ours, measure) - 1)
        }
        return (changes.max() ?? .nan) * 100
    }

    private func mean(_ name: String, _ measure: String) -> Double { estimators[name]?[measure]?.mean ?? .nan }

    /// Whether no program has less than ours.
    private func isBest(_ measure: String) -> Bool {
        let own = [EtaReport.ours, EtaReport.looked, EtaReport.often]
        let others = estimators.filter { !own.contains($0.key) }.compactMap { $0.value[measure]?.mean }
        return others.allSatisfy { mean(EtaReport.ours, measure) < $0 }
    }
}
