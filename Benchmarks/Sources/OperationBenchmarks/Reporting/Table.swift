/// The results as a table in Markdown.
struct Table {
    let report: Report

    var text: String {
        let head = """
            ### \(report.suite)

            | what | median | lowest to highest | allocations | beside | ratio | budget | met |
            |---|---|---|---|---|---|---|---|
            """
        return ([head] + report.results.map(row)).joined(separator: "\n") + "\n"
    }

    private func row(_ entry: Report.Entry) -> String {
        let peer = entry.peer.map { name in
            entry.peerValue.map { "\(name): \($0.amount(of: entry.unit))" } ?? "\(name): not on this machine"
        }
        let met =
            switch entry.met {
            case true: "yes"
            case false: "**no**"
            default: entry.budget == nil ? "" : "not known"
            }
        let cells = [
            entry.name, entry.value.amount(of: entry.unit),
            "\(entry.spread[0].amount(of: entry.unit)) to \(entry.spread[1].amount(of: entry.unit))",
            entry.allocations?.brief ?? "", peer ?? "", entry.ratio?.brief ?? "", entry.budget ?? "", met,
        ]
        return "| " + cells.joined(separator: " | ") + " |"
    }
}
