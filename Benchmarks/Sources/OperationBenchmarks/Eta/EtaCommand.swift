import Foundation

/// `operation-benchmarks eta`: how good the time remaining is on real traces, beside what well-known programs say.
struct EtaCommand {
    private var traces = ""
    private var isJSON = false
    private var dump: String?
    private var isCheck = false

    /// Takes what stands behind `eta`; `nil` when that makes no sense.
    init?(_ arguments: some Collection<String>) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--json": isJSON = true
            case "--check": isCheck = true
            case "--traces": traces = rest.popFirst() ?? ""
            case "--dump":
                guard let path = rest.popFirst() else { return nil }
                dump = path
            default: return nil
            }
        }
        if traces.isEmpty, !isCheck { return nil }
    }

    func run() throws {
        if isCheck {
            guard try EtaCheck.run(traces: traces.isEmpty ? nil : traces) else {
                throw EtaError("The scorer is wrong: others compute other figures from the same traces.")
            }
            return
        }
        let (tasks, skipped) = try readTasks(in: traces)
        if let dump { try write(tasks, to: dump) }
        let report = EtaReport(
            tasks: tasks,
            skipped: skipped,
            ours: result("this library", OurEstimator.self, tasks),
            variants: [
                result(
                    "looked at four times a second, as a tracker does",
                    OurEstimator.self,
                    tasks,
                    .looks(perSecond: 4)
                ),
                result("ten reports a second", OurEstimator.self, tasks, .interpolated(perSecond: 10)),
            ],
            peers: peers(tasks),
            check: result("EMA over 20 s", TwentySeconds.self, tasks)
        )
        guard !isJSON else { return print(report.json) }
        let (usual, most) = (Int(costOfAReport(tasks, apart: 0)), Int(costOfAReport(tasks, apart: 4)))
        print(report.text + "\n\nA report costs \(usual) ns, and \(most) ns where they are four seconds or more apart.")
    }

    /// - Parameter spacing: reports that follow closer, in seconds, are left out.
    private func costOfAReport(_ tasks: [TraceTask], apart spacing: Double) -> Double {
        let told = tasks.map { task in
            var last = -Double.infinity
            let reports = task.reports.filter { report in
                guard report.seconds - last >= spacing else { return false }
                last = report.seconds
                return true
            }
            return (total: task.total, reports: reports)
        }
        let whole = Timing.measure(repetitions: 10) { count in
            for _ in 0..<count {
                for task in told {
                    var estimator = OurEstimator(total: task.total)
                    for report in task.reports { estimator.observe(report.seconds, report.bytes) }
                    _ = opaque(estimator)
                }
            }
        }
        return whole.median / Double(max(1, told.reduce(0) { $0 + $1.reports.count - 1 }))
    }

    /// What our estimator says at every judged moment, so that anyone can score it.
    private func write(_ tasks: [TraceTask], to path: String) throws {
        var lines = "trace,start_row,t,expected,low,high\n"
        for task in tasks {
            for event in events(OurEstimator.self, on: task) {
                guard let given = event.prediction, let interval = given.interval else { continue }
                lines +=
                    "\(task.trace),\(task.startRow),\(event.seconds),\(given.expected),\(interval.low),\(interval.high)\n"
            }
        }
        try Data(lines.utf8).write(to: URL(fileURLWithPath: path))
    }
}
