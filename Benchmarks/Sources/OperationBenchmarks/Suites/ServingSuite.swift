import Foundation

extension Suite {
    /// How soon `wizard serve` is there, and what it costs while nobody wants anything of it.
    static let serving = Suite(name: "serving") { isQuick in
        let folder = try Folder()
        defer { folder.remove() }
        var starts: [Double] = []
        var originals: [Double] = []
        for number in 0..<(isQuick ? 2 : 7) {
            guard let server = try timedStart(&starts, { try .wizard(data: folder.path("\(number)")) }) else {
                return []
            }
            server.stop()
            try timedStart(&originals) { try .original(active: 0) }?.stop()
        }
        let original = originals.isEmpty ? nil : Timing(runs: originals).median
        return [
            Measurement(
                "first request answered after wizard serve starts",
                Timing(runs: starts),
                peer: .init(name: "FastAPI on uvicorn", value: original),
                budget: Budget(valueAtMost: 100e6)
            )
        ] + (try idle(folder, runs: isQuick ? 1 : 5, seconds: isQuick ? 3 : 10))
    }
}

/// Starts a server and asks it once; adds the nanoseconds that took.
private func timedStart(_ times: inout [Double], _ start: () throws -> ServerProcess?) throws -> ServerProcess? {
    let before = Timing.now
    guard let server = try start() else { return nil }
    try server.ask("/api/ports/operations")
    times.append(Double(Timing.now - before))
    return server
}

/// What servers cost that nobody asks, in several runs, each with servers of its own.
private func idle(_ folder: Folder, runs: Int, seconds: UInt32) throws -> [Measurement] {
    var (ours, originals): ([Idle], [Idle]) = ([], [])
    for run in 0..<runs {
        guard let server = try ServerProcess.wizard(data: folder.path("idle-\(run)")) else { return [] }
        defer { server.stop() }
        let original = try ServerProcess.original(active: 0)
        defer { original?.stop() }
        let both = [server, original].compactMap(\.self)
        for server in both { try server.ask("/api/ports/operations") }
        // What the start leaves to do is done by then.
        sleep(2)
        let (start, before) = (Timing.now, both.map(\.process.processorNanoseconds))
        sleep(seconds)
        let elapsed = Double(Timing.now - start)
        let costs = zip(both, before).compactMap { Idle($0.process, since: $1, elapsed) }
        guard costs.count == both.count else {
            leaveOut("what an idle server costs: this system doesn't tell what a process uses.")
            return []
        }
        ours.append(costs[0])
        originals += costs.dropFirst()
    }
    func measurement(_ what: String, _ value: (Idle) -> Double, unit: String, atMost most: Double) -> Measurement {
        Measurement(
            "idle server, \(what)",
            Timing(runs: ours.map(value)),
            unit: unit,
            peer: .init(
                name: "FastAPI on uvicorn",
                value: originals.isEmpty ? nil : Timing(runs: originals.map(value)).median
            ),
            budget: Budget(valueAtMost: most)
        )
    }
    return [
        measurement("processor", \.share, unit: "% of a core", atMost: 0.05),
        measurement("resident memory", \.mebibytes, unit: "MiB", atMost: 25),
    ]
}

/// What a process used while it was idle.
private struct Idle {
    /// In percent of a core.
    let share: Double
    let mebibytes: Double

    /// `nil` where the system doesn't tell.
    init?(_ process: ChildProcess, since before: Int?, _ elapsed: Double) {
        guard let before, let now = process.processorNanoseconds, let memory = process.residentBytes else { return nil }
        share = Double(now - before) / elapsed * 100
        mebibytes = Double(memory) / Double(1 << 20)
    }
}
