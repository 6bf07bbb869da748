import Foundation

/// Whether traces are read as they should be: what can't be judged is left out, what is no trace is refused.
enum EtaReadingCheck {
    /// A second and 10 bytes a report.
    private static let even = (0...20).map { "\($0),\($0 * 10)" }

    static func run() throws -> Bool {
        let found = [
            // Of 60 bytes the reports of the 1st to the 5th second count, of 50 one less, of 10 none.
            try outcome(tasks: ["even,0,60,6", "even,0,50,5", "even,0,10,1"]),
            try outcome(tasks: ["even,0,50,5", "even,0,10,1"]),
            try outcome(tasks: []),
            try outcome(tasks: ["even,0,nan,6"]),
            try outcome(tasks: ["even,0,1e300,6"]),
            try outcome(tasks: ["even,0,-60,6"]),
            try outcome(tasks: ["even,99,60,6"]),
            try outcome(tasks: ["even,0,60"]),
            try outcome(tasks: ["other,0,60,6"]),
            try outcome(tasks: ["even,0,60,6"], trace: ["0,0", "1,ten"]),
            try outcome(tasks: ["even,0,60,6"], trace: ["0,0", "inf,10"]),
            try outcome(tasks: ["even,0,60,6"], trace: ["0,0", "1,10", "1,20"]),
            try outcome(tasks: ["even,0,60,6"], trace: ["0,0", "1,10", "2,5"]),
        ]
        let right = ["1 and 2 left out"] + Array(repeating: "refused", count: found.count - 1)
        return EtaCheck.told("tasks that can't be judged", found, right)
    }

    private static func outcome(tasks: [String], trace: [String] = even) throws -> String {
        let folder = try Folder()
        defer { folder.remove() }
        let files = [
            ("tasks", ["trace,start_row,total_bytes,finish_seconds"] + tasks),
            ("even", ["t_seconds,bytes_cumulative"] + trace),
        ]
        for (name, lines) in files {
            try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: folder.path(name + ".csv")))
        }
        do {
            let (tasks, skipped) = try readTasks(in: folder.path(""))
            let areFinite = tasks.allSatisfy { score(events(OurEstimator.self, on: $0), of: $0).median.isFinite }
            return "\(tasks.count) and \(skipped) left out" + (areFinite ? "" : ", without a figure")
        } catch is EtaError {
            return "refused"
        }
    }
}
