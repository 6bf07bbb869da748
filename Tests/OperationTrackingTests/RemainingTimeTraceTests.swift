import Foundation
import Testing

@testable import OperationTracking

/// Held against real courses. The full measurement, with more traces and other programs, is `operation-benchmarks eta`.
struct RemainingTimeTraceTests {
    private struct Task {
        var total: Double
        var finish: Double
        var reports: [(seconds: Double, bytes: Double)]

        func counts(_ report: (seconds: Double, bytes: Double)) -> Bool {
            report.seconds >= 1 && (0.02...0.98).contains(report.bytes / total)
        }
    }

    private func rows(_ name: String) throws -> [[Substring]] {
        let file = Bundle.module.bundleURL.appending(path: "Fixtures/traces/\(name).csv")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").dropFirst().map {
            $0.split(separator: ",")
        }
    }

    private func tasks() throws -> [Task] {
        try rows("tasks").map { fields in
            let trace = try rows(String(fields[0])).map { (Double($0[0])!, Double($0[1])!) }
            let start = trace[Int(fields[1])!]
            let total = Double(fields[2])!
            let reports = trace[Int(fields[1])!...].map { (seconds: $0.0 - start.0, bytes: $0.1 - start.1) }
            return Task(total: total, finish: Double(fields[3])!, reports: reports.filter { $0.bytes < total })
        }
    }

    private func estimates(_ task: Task, stepsBetween: Int = 1) -> [(truth: Double, given: RemainingTime?)] {
        var estimator = RemainingTimeEstimator()
        var estimates: [(truth: Double, given: RemainingTime?)] = []
        var before = task.reports[0]
        for report in task.reports {
            for step in 1...stepsBetween {
                let share = Double(step) / Double(stepsBetween)
                estimator.observe(
                    at: before.seconds + share * (report.seconds - before.seconds),
                    completed: Int64(before.bytes + share * (report.bytes - before.bytes)),
                    present: 0,
                    total: Int64(task.total)
                )
            }
            before = report
            if task.counts(report) { estimates.append((task.finish - report.seconds, estimator.estimate)) }
        }
        return estimates
    }

    private func medianError(_ pairs: [(truth: Double, expected: Double)]) -> Double {
        pairs.map { abs(log($0.expected / $0.truth)) }.sorted()[pairs.count / 2]
    }

    @Test func itIsNearerToTheTruthThanTheAverageRateIs() throws {
        var (ours, average) = (0.0, 0.0)
        for task in try tasks() {
            let given = estimates(task)
            ours += medianError(try given.map { ($0.truth, try #require($0.given).expected) })
            average += medianError(
                task.reports.filter(task.counts).map { report in
                    (task.finish - report.seconds, (task.total - report.bytes) * report.seconds / report.bytes)
                }
            )
        }
        #expect(ours < 0.99 * average)
    }

    @Test func theIntervalHoldsTheTruthAboutAsOftenAsItSays() throws {
        let given = try tasks().flatMap { estimates($0) }
        let held = try given.filter { (try #require($0.given)).low <= $0.truth && $0.truth <= $0.given!.high }
        #expect((0.7...0.92).contains(Double(held.count) / Double(given.count)))
    }

    /// Looked at four times a second, as a tracker does, where each report is a step.
    private func looked(at task: Task) -> [(truth: Double, given: RemainingTime?)] {
        var estimator = RemainingTimeEstimator()
        var estimates: [(truth: Double, given: RemainingTime?)] = []
        var next = 0
        for look in stride(from: 0, to: task.finish, by: 0.25) {
            var latest: (seconds: Double, bytes: Double)?
            while next < task.reports.count, task.reports[next].seconds <= look {
                latest = task.reports[next]
                next += 1
            }
            estimator.observe(
                at: look,
                completed: Int64(task.reports[next - 1].bytes),
                present: 0,
                total: Int64(task.total)
            )
            if let latest, task.counts(latest) { estimates.append((task.finish - look, estimator.estimate)) }
        }
        return estimates
    }

    @Test func whoLooksFourTimesASecondIsToldAsMuch() throws {
        var (told, seen) = (0.0, 0.0)
        for task in try tasks() {
            told += medianError(try estimates(task).map { ($0.truth, try #require($0.given).expected) })
            // At the first report it isn't known yet whether the work began late or reports seldom.
            let looked = looked(at: task)
            #expect(looked.dropFirst().allSatisfy { $0.given != nil })
            seen += medianError(looked.compactMap { look in look.given.map { (look.truth, $0.expected) } })
        }
        #expect(abs(seen / told - 1) < 0.05)
    }

    @Test func tenTimesAsManyReportsChangeLittle() throws {
        var (seldom, often) = (0.0, 0.0)
        for task in try tasks() {
            seldom += medianError(try estimates(task).map { ($0.truth, try #require($0.given).expected) })
            often += medianError(
                try estimates(task, stepsBetween: 10).map { ($0.truth, try #require($0.given).expected) }
            )
        }
        #expect(abs(often / seldom - 1) < 0.05)
    }
}
