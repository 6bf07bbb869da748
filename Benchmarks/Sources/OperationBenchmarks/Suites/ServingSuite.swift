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
        ] + (try idle(folder, seconds: isQuick ? 3 : 30))
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

private func idle(_ folder: Folder, seconds: UInt32) throws -> [Measurement] {
    guard let ours = try ServerProcess.wizard(data: folder.path("idle")) else { return [] }
    defer { ours.stop() }
    let original = try ServerProcess.original(active: 0)
    defer { original?.stop() }
    let both = [ours, original].compactMap(\.self)
    for server in both { try server.ask("/api/ports/operations") }
    // What the start leaves to do is done by then.
    sleep(2)
    let (start, before) = (Timing.now, both.map(\.process.processorNanoseconds))
    sleep(seconds)
    let elapsed = Double(Timing.now - start)
    let shares = zip(both, before).map { server, before in
        before.flatMap { before in server.process.processorNanoseconds.map { Double($0 - before) / elapsed * 100 } }
    }
    let memory = both.map { $0.process.residentBytes.map { Double($0) / Double(1 << 20) } }
    guard let share = shares[0], let resident = memory[0] else {
        leaveOut("what an idle server costs: this system doesn't tell what a process uses.")
        return []
    }
    return [
        Measurement(
            "idle server, processor",
            Timing(runs: [share]),
            unit: "% of a core",
            peer: .init(name: "FastAPI on uvicorn", value: original == nil ? nil : shares[1]),
            budget: Budget(valueAtMost: 0.05)
        ),
        Measurement(
            "idle server, resident memory",
            Timing(runs: [resident]),
            unit: "MiB",
            peer: .init(name: "FastAPI on uvicorn", value: original == nil ? nil : memory[1]),
            budget: Budget(valueAtMost: 25)
        ),
    ]
}
