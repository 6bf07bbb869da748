import Foundation

/// One download on a trace: what an estimator is told, and the truth it is judged by.
struct TraceTask {
    struct Report {
        var seconds: Double
        var bytes: Double
    }

    let trace: String
    let startRow: Int
    let total: Double
    /// From the start on, before the end; the first one is at 0.
    let reports: [Report]
    /// When all bytes were there, in seconds since the start.
    let finish: Double

    /// The source of the trace: its name up to the double underscore.
    var family: String { trace.firstRange(of: "__").map { String(trace[..<$0.lowerBound]) } ?? trace }

    /// Whether an estimate at this report is judged.
    func counts(_ report: Report) -> Bool {
        report.seconds >= 1 && (0.02...0.98).contains(report.bytes / total)
    }

    /// Of fewer moments that count nothing is judged.
    static let fewest = 5

    var isJudged: Bool { reports.count(where: counts) >= Self.fewest }

    /// How an estimator hears of a task.
    enum Telling {
        /// By its reports.
        case reports
        /// So many times a second, in even steps between the reports.
        case interpolated(perSecond: Double)
        /// By looking so many times a second at what was reported last, as a tracker does.
        case looks(perSecond: Double)
    }

    /// What an estimator is told, and where that is, or first shows, a report of the task's own.
    func told(_ telling: Telling) -> [(report: Report, isOwn: Bool)] {
        switch telling {
        case .reports: reports.map { ($0, true) }
        case .interpolated(let rate): interpolated(perSecond: rate)
        case .looks(let rate): looks(perSecond: rate)
        }
    }

    private func interpolated(perSecond rate: Double) -> [(report: Report, isOwn: Bool)] {
        var told = [(report: reports[0], isOwn: true)]
        for (before, after) in zip(reports, reports.dropFirst()) {
            let steps = max(1, Int(((after.seconds - before.seconds) * rate).rounded()))
            for step in 1..<max(1, steps) {
                let share = Double(step) / Double(steps)
                let between = Report(
                    seconds: before.seconds + share * (after.seconds - before.seconds),
                    bytes: before.bytes + share * (after.bytes - before.bytes)
                )
                told.append((between, false))
            }
            told.append((after, true))
        }
        return told
    }

    private func looks(perSecond rate: Double) -> [(report: Report, isOwn: Bool)] {
        var next = 0
        return stride(from: 0, to: finish, by: 1 / rate).map { moment in
            let first = next
            while next < reports.count, reports[next].seconds <= moment { next += 1 }
            return (Report(seconds: moment, bytes: reports[next - 1].bytes), next > first)
        }
    }
}

/// Reads the tasks in a folder of traces: `tasks.csv` and a CSV file for each trace.
///
/// - Returns: those that can be judged, and how many were left out because too few moments of them count.
func readTasks(in folder: String) throws -> (tasks: [TraceTask], skipped: Int) {
    var traces: [String: [TraceTask.Report]] = [:]
    let all = try rows(of: folder + "/tasks.csv").map { fields in
        guard fields.count == 4, let start = Int(fields[1]), let total = amount(fields[2]), total > 0 else {
            throw EtaError("tasks.csv has a line that isn't trace,start_row,total_bytes,finish_seconds.")
        }
        let name = String(fields[0])
        if traces[name] == nil { traces[name] = try trace(name, in: folder) }
        return try task(name, start, total, in: traces[name] ?? [])
    }
    let tasks = all.filter(\.isJudged)
    guard !tasks.isEmpty else {
        throw EtaError(
            "\(folder) has \(all.count) tasks, none with \(TraceTask.fewest) reports after the first second that have 2 to 98 % of the "
                + "bytes: give traces that report oftener."
        )
    }
    return (tasks, all.count - tasks.count)
}

private func trace(_ name: String, in folder: String) throws -> [TraceTask.Report] {
    var last = TraceTask.Report(seconds: -.infinity, bytes: 0)
    return try rows(of: "\(folder)/\(name).csv").map { fields in
        guard fields.count == 2, let seconds = Double(fields[0]), seconds.isFinite, let bytes = amount(fields[1]) else {
            throw EtaError("\(name).csv has a line that isn't t_seconds,bytes_cumulative.")
        }
        guard seconds > last.seconds, bytes >= last.bytes else {
            throw EtaError("\(name).csv goes back in time or in bytes, or tells of one moment twice, at \(seconds) s.")
        }
        last = TraceTask.Report(seconds: seconds, bytes: bytes)
        return last
    }
}

/// A count of bytes, `nil` for what is none.
private func amount(_ text: Substring) -> Double? {
    guard let bytes = Double(text), (0...0x1p53).contains(bytes) else { return nil }
    return bytes
}

private func task(_ name: String, _ start: Int, _ total: Double, in rows: [TraceTask.Report]) throws -> TraceTask {
    guard rows.indices.contains(start) else { throw EtaError("\(name) has no row \(start).") }
    let shifted = rows[start...].map {
        TraceTask.Report(seconds: $0.seconds - rows[start].seconds, bytes: $0.bytes - rows[start].bytes)
    }
    guard let end = shifted.firstIndex(where: { $0.bytes >= total }), end > 0 else {
        throw EtaError("\(name) from row \(start) never comes to \(total) bytes.")
    }
    let (before, after) = (shifted[end - 1], shifted[end])
    let share = (total - before.bytes) / (after.bytes - before.bytes)
    return TraceTask(
        trace: name,
        startRow: start,
        total: total,
        reports: Array(shifted[..<end]),
        finish: before.seconds + share * (after.seconds - before.seconds)
    )
}

private func rows(of path: String) throws -> [[Substring]] {
    let data: Data
    do { data = try Data(contentsOf: URL(filePath: path)) } catch {
        throw EtaError("\(path) can't be read: give the folder with the traces and tasks.csv by --traces.")
    }
    return String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).dropFirst().map {
        $0.split(separator: ",", omittingEmptySubsequences: false)
    }
}

struct EtaError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
