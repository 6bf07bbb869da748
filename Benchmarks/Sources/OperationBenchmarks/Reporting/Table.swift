/// The results of a suite as a table in Markdown.
struct Table {
    let report: Report

    var text: String {
        ([
            "### \(report.suite)", "",
            report.suite == "eta"
                ? "| what | mean | 95 % interval | beside | times | budget | met |"
                : "| what | median | half of the runs | beside | times | budget | met |",
            "|---|---|---|---|---|---|---|",
        ] + report.results.map(row)).joined(separator: "\n") + "\n"
    }

    private func row(_ entry: Report.Entry) -> String {
        let spread =
            entry.spread[0] == entry.spread[1]
            ? "" : "\(entry.spread[0].amount(of: entry.unit)) to \(entry.spread[1].amount(of: entry.unit))"
        let cells = [
            entry.name, entry.value.amount(of: entry.unit), spread, entry.besideWords, entry.ratio?.brief ?? "",
            entry.budget ?? "", entry.metWords,
        ]
        return "| " + cells.joined(separator: " | ") + " |"
    }
}

extension Report.Entry {
    /// What it is compared with, and what that came to.
    var besideWords: String {
        peer.map { name in
            peerValue.map { "\(name): \($0.amount(of: unit))" } ?? "\(name): not on this machine"
        } ?? ""
    }

    var metWords: String {
        switch met {
        case true: "yes"
        case false: "**no**"
        default: budget == nil ? "" : "not known"
        }
    }
}
