/// What has become slower since an earlier run, or asks for more memory.
///
/// Where both runs have a peer the ratios to it are compared: whatever slowed the whole machine slowed the peer, too. What
/// moved within the spreads of the two runs isn't told.
struct Comparison {
    /// How much larger a ratio may be without being told, and how much larger a figure that has no peer, which a busy machine
    /// moves further.
    static let tolerance = (ratio: 1.25, value: 1.5)

    let findings: [String]
    /// How many figures there were to compare.
    let count: Int

    init(of reports: [Report], with baseline: [Report]) {
        let before = Dictionary(
            baseline.flatMap { report in report.results.map { ("\(report.suite): \($0.name)", $0) } },
            uniquingKeysWith: { _, last in last }
        )
        let pairs = reports.flatMap { report in
            report.results.compactMap { now in
                before["\(report.suite): \(now.name)"].map {
                    (name: "\(report.suite): \(now.name)", now: now, then: $0)
                }
            }
        }
        count = pairs.count
        findings = pairs.compactMap { Self.finding($0.name, $0.now, before: $0.then) }
    }

    private static func finding(_ name: String, _ now: Report.Entry, before then: Report.Entry) -> String? {
        let isRatio = (now.ratio ?? 0) > 0 && (then.ratio ?? 0) > 0 && now.peer == then.peer
        let (cost, costBefore) = (Cost(now, isRatio), Cost(then, isRatio))
        let allowed = isRatio ? tolerance.ratio : tolerance.value
        // Half an allocation, or half a byte, is none.
        let slack = now.unit == "ns" || isRatio || cost.isRate ? 0 : 0.5
        guard cost.value > costBefore.value * allowed + slack, cost.low > costBefore.high else { return nil }
        func words(_ entry: Report.Entry) -> String {
            isRatio ? "\((entry.ratio ?? 0).brief)x of \(entry.peer ?? "")" : entry.value.amount(of: entry.unit)
        }
        return "\(name): \(words(now)), before \(words(then))"
    }

    /// A figure turned so that more is worse.
    private struct Cost {
        let value: Double
        let low: Double
        let high: Double
        let isRate: Bool

        init(_ entry: Report.Entry, _ isRatio: Bool) {
            let scale = isRatio ? (entry.ratio ?? 0) / entry.value : 1
            let figures = ([entry.value] + entry.spread).map { $0 * scale }
            isRate = entry.isRate
            let costs = isRate ? figures.map { 1 / $0 } : figures
            value = costs[0]
            low = costs.min() ?? value
            high = costs.max() ?? value
        }
    }
}

extension Report.Entry {
    /// Whether more is better.
    var isRate: Bool { unit.hasSuffix("/s") }
}
