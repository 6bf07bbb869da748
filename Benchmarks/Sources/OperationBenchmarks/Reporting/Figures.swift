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

    func write() throws {
        let json = try reports.map { try $0.whole() }.joined(separator: "\n")
        try write(json + "\n", to: Self.results)
        let plot = Plot(reports.first { $0.suite == Suite.summary.name }?.results ?? [])
        try write(plot.svg, to: "DocsSource/OperationTracking.docc/Resources/benchmarks.svg")
        try replace(in: "DocsSource/OperationTracking.docc/Benchmarks.md", with: article)
        try replace(in: "README.md", with: mainTable)
    }

    private static let results = "Benchmarks/results.json"

    private func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(root)/\(path)"))
    }

    private func replace(in path: String, with text: String) throws {
        let (begin, end) = ("<!-- figures: written by make bench -->\n", "<!-- end of the figures -->")
        let page = try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
        guard let first = page.range(of: begin), let last = page.range(of: end), first.upperBound <= last.lowerBound
        else {
            throw NoMarkers(path: path)
        }
        try write("\(page[..<first.upperBound])\n\(text)\n\(page[last.lowerBound...])", to: path)
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
