/// What has become slower since an earlier run, or asks for more memory.
///
/// Where both runs have a peer the ratios to it are compared: whatever slowed the whole machine slowed the peer, too. What
/// moved within the spreads of the two runs isn't told.
struct Comparison {
    /// How much larger a ratio may be without being told, and how much larger a figure that has no peer, which a busy machine
    /// moves further.
    static let tolerance = (ratio: 1.25, value: 1.5)

    struct Finding {
        let suite: String
        let name: String
        let words: String
    }

    private(set) var findings: [Finding]
    /// How many figures there were to compare.
    let count: Int

    init(of reports: [Report], with baseline: [Report]) {
        let before = Dictionary(
            baseline.flatMap { report in report.results.map { ("\(report.suite): \($0.name)", $0) } },
            uniquingKeysWith: { _, last in last }
        )
        let pairs = reports.flatMap { report in
            report.results.compactMap { now in
                before["\(report.suite): \(now.name)"].map { (suite: report.suite, now: now, then: $0) }
            }
        }
        count = pairs.count
        findings = pairs.compactMap { pair in
            Self.words(pair.now, before: pair.then).map { words in
                Finding(suite: pair.suite, name: pair.now.name, words: "\(pair.suite): \(pair.now.name): \(words)")
            }
        }
    }

    /// Forgets what another comparison of the same things did not find.
    mutating func keepWhat(isAlsoIn other: Comparison) {
        findings = findings.filter { finding in
            other.findings.contains { ($0.suite, $0.name) == (finding.suite, finding.name) }
        }
    }

    /// How much slower it has become; `nil` when it hasn't.
    private static func words(_ now: Report.Entry, before then: Report.Entry) -> String? {
        let isRatio = (now.ratio ?? 0) > 0 && (then.ratio ?? 0) > 0 && now.peer == then.peer
        let (cost, costBefore) = (Cost(now, isRatio), Cost(then, isRatio))
        let allowed = isRatio ? tolerance.ratio : tolerance.value
        // An average may say half an allocation.
        let slack = now.unit == "allocations" ? 0.5 : 0
        guard cost.value > costBefore.value * allowed + slack, cost.low > costBefore.high else { return nil }
        func words(_ entry: Report.Entry) -> String {
            isRatio ? "\((entry.ratio ?? 0).brief)x of \(entry.peer ?? "")" : entry.value.amount(of: entry.unit)
        }
        return "\(words(now)), before \(words(then))"
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
