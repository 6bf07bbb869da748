/// What has become slower, or begun to allocate, since an earlier run.
///
/// Where there is a peer the ratios are compared, so that the two runs may be of different machines. What moved within the
/// runs' own spread isn't told.
struct Comparison {
    /// How much larger a figure may be without being told.
    static let tolerance = 1.25

    let findings: [String]

    init(of reports: [Report], with baseline: [Report]) {
        let before = Dictionary(
            baseline.flatMap { report in report.results.map { ("\(report.suite): \($0.name)", $0) } },
            uniquingKeysWith: { _, last in last }
        )
        findings = reports.flatMap { report in
            report.results.compactMap { entry in
                let name = "\(report.suite): \(entry.name)"
                return before[name].flatMap { Self.finding(name, entry, before: $0) }
            }
        }
    }

    private static func finding(_ name: String, _ entry: Report.Entry, before: Report.Entry) -> String? {
        if let now = entry.allocations, let then = before.allocations, now > then + 0.5 {
            return "\(name): \(now.brief) allocations, \(then.brief) before"
        }
        // Throughput, whose figures are better when larger, says so by its budget.
        let isRate = entry.budget?.contains("x less") == false && entry.budget?.hasPrefix("at least") == true
        func scaled(_ value: Double, _ entry: Report.Entry) -> Double {
            entry.ratio.map { $0 * value / entry.value } ?? value
        }
        let now = scaled(entry.value, entry)
        let then = scaled(before.value, before)
        let isWorse =
            isRate
            ? now * tolerance < then && scaled(entry.spread[1], entry) < scaled(before.spread[0], before)
            : now > then * tolerance && scaled(entry.spread[0], entry) > scaled(before.spread[1], before)
        guard isWorse else { return nil }
        let what = entry.ratio == nil ? entry.unit : "x \(entry.peer ?? "")"
        return "\(name): \(now.brief) \(what), \(then.brief) before"
    }
}
