/// What has become slower since an earlier run, asks for more memory or is worse in another way, and what isn't measured any more.
///
/// Where both runs have a peer, both have to be worse: the figure, and the ratio to the peer. Whatever slowed the whole machine now
/// slowed the peer, too, and what disturbed the peer in one of the runs did not change the figure. Where the peer is this library's, too,
/// a change slows both like the machine does: there one is enough. What moved within the spreads of the two runs isn't told.
struct Comparison {
    struct Finding {
        let suite: String
        let name: String
        let words: String
    }

    private(set) var findings: [Finding]
    /// What one of the two runs has no figures of, of the suites that were measured now.
    let missing: [String]

    /// Whether all is there, and nothing worse.
    var isClean: Bool { findings.isEmpty && missing.isEmpty }

    init(of reports: [Report], with baseline: [Report]) {
        findings = []
        var missing: [String] = []
        for report in reports {
            let before = baseline.filter { $0.suite == report.suite }.flatMap(\.results)
            if before.isEmpty {
                missing.append("\(report.suite): the baseline has no figures of it")
                continue
            }
            for now in report.results where !before.contains(where: { $0.name == now.name }) {
                missing.append("\(report.suite): \(now.name): the baseline doesn't have it")
            }
            for then in before {
                guard let now = report.results.first(where: { $0.name == then.name }) else {
                    missing.append("\(report.suite): \(then.name)")
                    continue
                }
                guard let words = Self.words(now, before: then) else { continue }
                let finding = "\(report.suite): \(now.name): \(words)"
                findings.append(Finding(suite: report.suite, name: now.name, words: finding))
            }
        }
        self.missing = missing
    }

    /// Forgets what another comparison of the same things did not find.
    mutating func keepWhat(isAlsoIn other: Comparison) {
        findings = findings.filter { finding in
            other.findings.contains { ($0.suite, $0.name) == (finding.suite, finding.name) }
        }
    }

    /// How much worse it has become; `nil` when it hasn't.
    private static func words(_ now: Report.Entry, before then: Report.Entry) -> String? {
        let limit = Limit(of: now.unit)
        let isWorse = limit.isPassed(by: Cost(now), since: Cost(then))
        guard let ratio = now.ratio, let before = then.ratio, ratio > 0, before > 0, now.peer == then.peer,
            !limit.isExact, !(now.peerIsOurs && isWorse)
        else { return isWorse ? "\(now.value.amount(of: now.unit)), before \(then.value.amount(of: then.unit))" : nil }
        let (cost, costBefore) = (Cost(now, times: ratio / now.value), Cost(then, times: before / then.value))
        guard Cost(now).value > Cost(then).high, Limit.ofRatios.isPassed(by: cost, since: costBefore) else {
            return nil
        }
        return "\(ratio.brief)x of \(now.peer ?? ""), before \(before.brief)x"
    }

    /// How much larger a figure may be without being told.
    private struct Limit {
        var factor: Double
        var slack = 0.0
        /// Whether runs of the same build hardly differ, so that there is no chance to be allowed for.
        var isExact = false

        static let ofRatios = Limit(factor: 1.25)

        init(factor: Double, slack: Double = 0, isExact: Bool = false) {
            (self.factor, self.slack, self.isExact) = (factor, slack, isExact)
        }

        init(of unit: String) {
            switch unit {
            // An average over many repetitions, in which another thread may have asked for some, too.
            case "allocations": self.init(factor: 1.01, slack: 0.1, isExact: true)
            case "bytes": self.init(factor: 1.05, isExact: true)
            // What an estimator says of recorded traces.
            case "ln", "of the duration": self.init(factor: 1.01, isExact: true)
            // A coverage is to be what it says: neither more nor less is better.
            case "of the moments": self.init(factor: .infinity)
            // Whole pages, and what the allocator keeps for later.
            case "MiB": self.init(factor: 1.5, slack: 1)
            // The same by thousands, which evens that out.
            case "KiB": self.init(factor: 1.1)
            // A figure that has no peer is moved further by a busy machine.
            default: self.init(factor: 1.5)
            }
        }

        func isPassed(by cost: Cost, since before: Cost) -> Bool {
            cost.value > before.value * factor + slack && (isExact || cost.low > before.high)
        }
    }

    /// A figure turned so that more is worse.
    private struct Cost {
        let value: Double
        let low: Double
        let high: Double

        init(_ entry: Report.Entry, times scale: Double = 1) {
            let figures = ([entry.value] + entry.spread).map { $0 * scale }
            let costs = entry.isRate ? figures.map { 1 / $0 } : figures
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
