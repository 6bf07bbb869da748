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

/// What a server costs that nobody asks, in several runs, each with servers of its own.
private func idle(_ folder: Folder, runs: Int, seconds: UInt32) throws -> [Measurement] {
    var ours: (shares: [Double], memory: [Double]) = ([], [])
    var originals: (shares: [Double], memory: [Double]) = ([], [])
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
        for (index, server) in both.enumerated() {
            guard let now = server.process.processorNanoseconds, let before = before[index],
                let memory = server.process.residentBytes
            else {
                leaveOut("what an idle server costs: this system doesn't tell what a process uses.")
                return []
            }
            let (share, held) = (Double(now - before) / elapsed * 100, Double(memory) / Double(1 << 20))
            if index == 0 {
                ours.shares.append(share)
                ours.memory.append(held)
            } else {
                originals.shares.append(share)
                originals.memory.append(held)
            }
        }
    }
    func median(_ runs: [Double]) -> Double? { runs.isEmpty ? nil : Timing(runs: runs).median }
    return [
        Measurement(
            "idle server, processor",
            Timing(runs: ours.shares),
            unit: "% of a core",
            peer: .init(name: "FastAPI on uvicorn", value: median(originals.shares)),
            budget: Budget(valueAtMost: 0.05)
        ),
        Measurement(
            "idle server, resident memory",
            Timing(runs: ours.memory),
            unit: "MiB",
            peer: .init(name: "FastAPI on uvicorn", value: median(originals.memory)),
            budget: Budget(valueAtMost: 25)
        ),
    ]
}
