import Foundation

/// What is to be measured; ends the process where only something else was asked for.
func prepare() throws -> Options {
    try Output.claim()
    let options = try Options(CommandLine.arguments.dropFirst())
    if options.isHelp {
        try Output.write(Options.usage)
        exit(0)
    }
    Leftovers.areRemovedAtTheEnd()
    try Folder.makeForTheRun()
    if options.isCheck {
        guard try EtaCheck.run(traces: options.traces) else {
            throw Refusal("The scorer is wrong: others compute other figures from the same traces.")
        }
        exit(0)
    }
    return options
}

let options: Options = { do { return try prepare() } catch { stop("\(error)") } }()

/// - Returns: `nil` when it failed, which has been said then: the other suites' figures are not to be lost.
func measure(_ suite: Suite) async -> Report? {
    do {
        var report = try await suite.report(options.isQuick)
        let gaps = takeLeftOut()
        report.leftOut = gaps.isEmpty ? nil : gaps
        return report
    } catch {
        Output.remark("FAILED: \(suite.name): \(error)")
        return nil
    }
}

// What the options leave out is no suite's.
var leftOutCount = takeLeftOut().count
var reports: [Report] = []
for suite in options.suites {
    guard let report = await measure(suite) else { continue }
    do { try Output.write(options.isJSON ? report.json() : report.text) } catch { stop("\(error)") }
    reports.append(report)
    leftOutCount += report.leftOut?.count ?? 0
}
if leftOutCount > 0 {
    Output.remark("LEFT OUT: \(leftOutCount) times something was not measured, see above; it is not counted.")
}
if let root = options.root {
    do { try Figures(reports, root: root).write() } catch { stop("The figures could not be written: \(error)") }
}
guard reports.count == options.suites.count else { exit(2) }
if let baseline = options.baseline {
    var comparison = Comparison(of: reports, with: baseline)
    // What only looks worse because the machine was busy doesn't look so three times.
    for _ in 0..<2 where !comparison.findings.isEmpty {
        var again: [Report] = []
        for suite in options.suites where comparison.findings.contains(where: { $0.suite == suite.name }) {
            guard let report = await measure(suite) else { exit(2) }
            again.append(report)
        }
        comparison.keepWhat(isAlsoIn: Comparison(of: again, with: baseline))
    }
    for words in comparison.missing { Output.remark("missing: \(words)") }
    for finding in comparison.findings { Output.remark("worse: \(finding.words)") }
    exit(comparison.isClean ? 0 : 1)
}
