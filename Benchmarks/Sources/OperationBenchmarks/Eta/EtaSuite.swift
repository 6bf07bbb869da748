import Foundation

extension Suite {
    /// How good the time remaining is on real traces, beside what well-known programs say, and what a report costs.
    ///
    /// - Parameters:
    ///   - traces: the folder that they are in.
    ///   - dump: a file for what our estimator said at every judged moment, so that anyone can score it.
    static func eta(traces: String, dump: String?) -> Suite {
        Suite(
            name: "eta",
            report: { isQuick in
                let (tasks, skipped) = try readTasks(in: traces)
                if let dump { try write(tasks, to: dump) }
                let details = EtaReport(tasks: tasks, skipped: skipped)
                let figures = details.figures
                let repetitions = isQuick ? 1 : 10
                var report = Report(
                    suite: "eta",
                    details.measurements(figures) + [
                        Measurement(
                            "a report to the estimator",
                            costOfAReport(tasks, apart: 0, repetitions: repetitions),
                            budget: Budget(valueAtMost: 1000)
                        ),
                        Measurement(
                            "a report to the estimator, four seconds or more after the last",
                            costOfAReport(tasks, apart: 4, repetitions: repetitions)
                        ),
                    ]
                )
                (report.eta, report.remarks) = (figures, details.text)
                return report
            }
        )
    }
}

/// - Parameter spacing: reports that follow closer, in seconds, are left out.
private func costOfAReport(_ tasks: [TraceTask], apart spacing: Double, repetitions: Int) -> Timing {
    let told = tasks.map { task in
        var last = -Double.infinity
        let reports = task.reports.filter { report in
            guard report.seconds - last >= spacing else { return false }
            last = report.seconds
            return true
        }
        return (total: task.total, reports: reports)
    }
    let whole = Timing.measure(repetitions: repetitions) { count in
        for _ in 0..<count {
            for task in told {
                var estimator = OurEstimator(total: task.total)
                for report in task.reports { estimator.observe(report.seconds, report.bytes) }
                _ = opaque(estimator)
            }
        }
    }
    let reports = Double(max(1, told.reduce(0) { $0 + $1.reports.count - 1 }))
    return Timing(runs: whole.all.map { $0 / reports })
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
