import Foundation
import Synchronization

let usage = """
    usage: operation-benchmarks SUITE… [--quick] [--json] [--compare BASELINE] [--write ROOT]
           operation-benchmarks eta --traces DIR [--json] [--dump FILE]
           operation-benchmarks eta --check [--traces DIR]

    suites: \(Suite.all.map(\.name).joined(separator: ", ")), or all
    --quick             few repetitions: shows that everything runs, and little else
    --json              a line of JSON for each suite instead of a table
    --write ROOT        puts the figures into the README and the documentation of the repository at ROOT
    --compare BASELINE  names what is worse than in a file that --json wrote, or missing, and exits with 1 if anything is
    """

Leftovers.areRemovedAtTheEnd()
do { try Folder.makeForTheRun() } catch { stop("There is no place for temporary files: \(error)") }

var names: [String] = []
var isQuick = false
var isJSON = false
var baselinePath: String?
var baseline: [Report]?
var root: String?
var arguments = CommandLine.arguments.dropFirst()
func stop(_ message: String) -> Never {
    FileHandle.standardError.write(Data("\(message)\n".utf8))
    exit(2)
}
if arguments.first == "eta" {
    guard let command = EtaCommand(arguments.dropFirst()) else { stop(usage) }
    do { try command.run() } catch { stop("\(error)") }
    exit(0)
}
while let argument = arguments.popFirst() {
    switch argument {
    case "--quick": isQuick = true
    case "--json": isJSON = true
    case "--compare":
        guard let path = arguments.popFirst() else { stop(usage) }
        baselinePath = path
    case "--write":
        guard let path = arguments.popFirst() else { stop(usage) }
        root = path
    case "all": names += Suite.all.map(\.name)
    case let name where Suite.all.contains { $0.name == name }: names.append(name)
    default: stop(usage)
    }
}
guard !names.isEmpty else { stop(usage) }
if isQuick, root != nil {
    stop("--write is not for figures of --quick, which mean little: leave out one of them.")
}
if let baselinePath {
    do { baseline = try Report.baseline(baselinePath, for: names) } catch { stop("\(error)") }
}

/// - Returns: `nil` when it failed, which has been said then: the other suites' figures are not to be lost.
func measure(_ name: String) async -> Report? {
    guard let suite = Suite.all.first(where: { $0.name == name }) else { stop(usage) }
    let before = leftOut.withLock { $0.count }
    do {
        var report = Report(suite: name, try await suite.run(isQuick))
        let gaps = leftOut.withLock { Array($0[before...]) }
        report.leftOut = gaps.isEmpty ? nil : gaps
        return report
    } catch {
        FileHandle.standardError.write(Data("FAILED: \(name): \(error)\n".utf8))
        return nil
    }
}

var reports: [Report] = []
for name in names {
    guard let report = await measure(name) else { continue }
    FileHandle.standardOutput.write(Data(((isJSON ? try report.json() : Table(report: report).text) + "\n").utf8))
    reports.append(report)
}
let leftOutCount = leftOut.withLock { $0.count }
if leftOutCount > 0 {
    let words = "LEFT OUT: \(leftOutCount) times something was not measured, see above; it is not counted.\n"
    FileHandle.standardError.write(Data(words.utf8))
}
if let root {
    do { try Figures(reports, root: root).write() } catch { stop("The figures could not be written: \(error)") }
}
guard reports.count == names.count else { exit(2) }
if let baseline {
    var comparison = Comparison(of: reports, with: baseline)
    // What only looks worse because the machine was busy doesn't look so three times.
    for _ in 0..<2 where !comparison.findings.isEmpty {
        var again: [Report] = []
        for name in Set(comparison.findings.map(\.suite)).sorted() {
            guard let report = await measure(name) else { exit(2) }
            again.append(report)
        }
        comparison.keepWhat(isAlsoIn: Comparison(of: again, with: baseline))
    }
    for words in comparison.missing { FileHandle.standardError.write(Data("missing: \(words)\n".utf8)) }
    for finding in comparison.findings { FileHandle.standardError.write(Data("worse: \(finding.words)\n".utf8)) }
    exit(comparison.isClean ? 0 : 1)
}
