import Foundation

/// Writes what was measured where people read it: `Benchmarks/results.json`, the article with the whole table and the plot, and
/// the main figures in the README. What stands between the two markers of a page is replaced.
struct Figures {
    private let root: String
    private var reports: [Report]

    /// - Parameters:
    ///   - reports: what was measured now; suites that were not are taken from the results that are there, and keep their date.
    ///   - root: the repository.
    /// - Throws: ``Refusal`` when the results that are there can't be read.
    init(_ reports: [Report], root: String) throws {
        self.root = root
        let path = "\(root)/\(Self.results)"
        let before = FileManager.default.fileExists(atPath: path) ? try Report.read(path) : []
        let now = reports.map { report in
            var report = report
            report.measured = Self.measured
            return report
        }
        let names = Suite.all.map(\.name) + ["eta"]
        self.reports = names.compactMap { name in (now + before).first { $0.suite == name } }
    }

    /// Nothing is written before all of it is made.
    func write() throws {
        let json = try reports.map { try $0.whole() }.joined(separator: "\n")
        let plot = Plot(reports.first { $0.suite == Suite.summary.name }?.results ?? [])
        let (article, readme) = ("DocsSource/OperationTracking.docc/Benchmarks.md", "README.md")
        var front = try page(readme)
        try front.replace("figures: written by make bench", with: mainTable)
        if let eta = reports.compactMap(\.eta).first {
            try front.replace("time remaining: written by make bench TRACES=DIR", with: eta.page)
        }
        var whole = try page(article)
        try whole.replace("figures: written by make bench", with: self.article)
        for (text, path) in [
            (json + "\n", Self.results), (plot.svg, "DocsSource/OperationTracking.docc/Resources/benchmarks.svg"),
            (whole.text, article), (front.text, readme),
        ] {
            try Data(text.utf8).write(to: URL(filePath: "\(root)/\(path)"), options: .atomic)
        }
    }

    private static let results = "Benchmarks/results.json"

    private func page(_ path: String) throws -> Page {
        Page(path: path, text: try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8))
    }
}

/// A page with places for what was measured.
private struct Page {
    let path: String
    var text: String

    /// Replaces what stands between a comment and the one that ends the figures.
    mutating func replace(_ comment: String, with new: String) throws {
        guard let begin = text.range(of: "<!-- \(comment) -->\n"),
            let end = text.range(of: "<!-- end of the figures -->", range: begin.upperBound..<text.endIndex)
        else { throw NoMarkers(path: path) }
        text.replaceSubrange(begin.upperBound..<end.lowerBound, with: "\n\(new)\n")
    }

    private struct NoMarkers: Error, CustomStringConvertible {
        let path: String

        var description: String { "\(path) has no place for the figures: two comments as in Figures.swift." }
    }
}

// MARK: - Pages

extension Figures {
    private var article: String {
        ([labels(of: reports) + "\n"] + reports.map { Table(report: $0).text }).joined(separator: "\n")
    }

    /// Those that were promised, each once. How good the time remaining is has a table of its own.
    private var mainTable: String {
        let reports = reports.filter { $0.suite != "eta" }
        let rows = reports.flatMap(\.results).filter { $0.budget != nil && !Self.isDetail($0.name) }.map { entry in
            let cells = [
                entry.name, entry.value.amount(of: entry.unit), entry.comparison, entry.budget ?? "", entry.metWords,
            ]
            return "| " + cells.joined(separator: " | ") + " |"
        }
        return
            (["| what | here | beside it | budget | met |", "|---|---|---|---|---|"] + rows + ["", labels(of: reports)])
            .joined(separator: "\n") + "\n"
    }

    /// When and where each was measured, and what was left out.
    private func labels(of reports: [Report]) -> String {
        var labels: [(measured: String, suites: [String])] = []
        for report in reports {
            let measured = report.measured ?? "at a time that was not kept"
            if let place = labels.firstIndex(where: { $0.measured == measured }) {
                labels[place].suites.append(report.suite)
            } else {
                labels.append((measured, [report.suite]))
            }
        }
        let times = labels.map { label in
            "Measured \(label.measured)."
                + (labels.count > 1 ? " This is true of \(label.suites.joined(separator: ", "))." : "")
        }
        let gaps = reports.flatMap { report in (report.leftOut ?? []).map { "Left out of \(report.suite): \($0)" } }
        return (times + gaps).joined(separator: "\n\n")
    }

    private static func isDetail(_ name: String) -> Bool {
        if name == "events that the subscriber was told of" { return true }
        if name == "update, beside rich" || name == "full summary as JSON, 10000 active" { return true }
        return name.hasPrefix("summary counts and totals") && !name.contains("100000")
    }

    /// When and where this is measured.
    private static var measured: String {
        let processors = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = processors.split(separator: "\n").first { $0.hasPrefix("model name") }?.split(separator: ":").last
        let name = model.map { $0.trimmingCharacters(in: .whitespaces) } ?? "an unknown processor"
        let day = Date().formatted(.iso8601.year().month().day())
        return "on \(day): \(name), \(ProcessInfo.processInfo.activeProcessorCount) cores, "
            + "\(ProcessInfo.processInfo.operatingSystemVersionString)"
    }
}

extension Report.Entry {
    /// The ratio to the peer in words.
    fileprivate var comparison: String {
        guard let peer, let ratio, let peerValue else { return besideWords }
        let times = ratio < 0.67 && !isRate ? "1/\((1 / ratio).brief) of" : "\(ratio.brief)x"
        return "\(times) \(peer) (\(peerValue.amount(of: unit)))"
    }
}
