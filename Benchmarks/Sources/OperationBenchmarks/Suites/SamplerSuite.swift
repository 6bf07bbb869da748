import Foundation
import OperationTracking
import Synchronization

extension Suite {
    /// What judging the load and measuring processes costs, beside psutil on the same machine and the same processes.
    static let sampler = Suite(name: "sampler") { isQuick in
        let scale = isQuick ? 1 : 10
        let tree = try ProcessTree(isQuick ? 30 : 300)
        defer { tree?.end() }
        let peers = try Peers.measure("sampler", [String(tree?.root ?? getpid()), String(5 * scale)])
        let check = try await overloadCheck(peers, scale)
        guard let tree else { return check }
        return check + [
            try await lookAtTree(tree, peers, repetitions: 5 * scale),
            try await lookAtMany(Array(tree.children.prefix(100)), repetitions: 5 * scale),
        ]
    }
}

/// The question as it is asked before each piece of work, while the figures are fresh.
private func overloadCheck(_ peers: Peers, _ scale: Int) async throws -> [Measurement] {
    let tracker = try await OperationTracker.withFreshFigures()
    _ = try tracker.start(type: .download, description: "bench")
    let body = { (count: Int) async in
        for _ in 0..<count where await tracker.assessOverload().isOverloaded { _ = opaque(0) }
    }
    let timing = await Timing.measure(repetitions: 10_000 * scale, body)
    let asked = await allocations(repetitions: 10_000, body)
    await tracker.close()
    let name = "overload check, by figures that are kept"
    return [
        Measurement(
            name,
            timing,
            peer: .init(name: "psutil, which measures at each check", value: peers["psutil_overload_check"]),
            budget: Budget(ratioAtMost: 1 / 50.0, valueAtMost: 1000)
        )
    ] + Measurement.allocations(name, asked)
}

extension OperationTracker {
    /// A tracker that has looked at the machine, and holds what it saw for true for an hour.
    static func withFreshFigures() async throws -> OperationTracker {
        var configuration = Configuration()
        configuration.sampleInterval = .seconds(3600)
        let tracker = OperationTracker(configuration: configuration)
        _ = await tracker.assessOverload()
        // The first look can't tell the processor's use, so that one more is made soon.
        try await Task.sleep(for: .milliseconds(150))
        _ = await tracker.assessOverload()
        return tracker
    }
}

/// One operation whose process has many more under it: all are measured, and the machine with them.
private func lookAtTree(_ tree: ProcessTree, _ peers: Peers, repetitions: Int) async throws -> Measurement {
    let timing = try await timeLooks(at: [tree.root], repetitions: repetitions)
    return Measurement(
        "look at a tree of \(tree.children.count + 1) processes and the machine",
        timing,
        peer: .init(name: "psutil: the tree alone", value: peers["psutil_tree"]),
        budget: Budget(ratioAtMost: 1 / 8.0)
    )
}

/// Many operations, each with a process of its own, measured every two seconds as a tracker does: the share of a core.
private func lookAtMany(_ processes: [Int32], repetitions: Int) async throws -> Measurement {
    let nanoseconds = try await timeLooks(at: processes, repetitions: repetitions)
    return Measurement(
        "looks each 2 s at \(processes.count) operations with a process each",
        Timing(runs: nanoseconds.all.map { $0 / 2e9 * 100 }),
        unit: "% of a core",
        budget: Budget(valueAtMost: 0.2)
    )
}

/// Has a tracker measure operations again and again, by making it believe that time has passed.
private func timeLooks(at processes: [Int32], repetitions: Int) async throws -> Timing {
    let clock = JumpingClock()
    let tracker = OperationTracker(clock: clock)
    for pid in processes { _ = try tracker.start(type: .install, description: "bench", pid: pid) }
    _ = await tracker.assessOverload()
    let timing = await Timing.measure(repetitions: repetitions) { count in
        for _ in 0..<count {
            clock.jump()
            _ = await tracker.assessOverload()
        }
    }
    guard tracker.activeOperations.allSatisfy({ $0.resources.memoryBytes ?? 0 > 0 }) else {
        throw NothingMeasured()
    }
    await tracker.close()
    return timing
}

private struct NothingMeasured: Error, CustomStringConvertible {
    let description = "The tracker did not measure the processes that it was given."
}

/// A clock on which two more seconds pass when that is asked for, and none otherwise: the ticker that sleeps on it stays asleep.
private final class JumpingClock: TrackingClock {
    private let jumped = Atomic<Int64>(0)

    func jump() { jumped.add(2_000_000_000, ordering: .relaxed) }

    var monotonicNanoseconds: Int64 { Timing.now + jumped.load(ordering: .relaxed) }
    var wallMilliseconds: Int64 { SystemTrackingClock().wallMilliseconds }
    func sleep(for duration: Duration) async throws { try await Task.sleep(for: .seconds(86_400)) }
}

/// Many processes that do nothing, under one.
private struct ProcessTree {
    let root: Int32
    let children: [Int32]
    private let process: ChildProcess

    /// `nil` where the processes under one can't be told, which has been said then.
    init?(_ count: Int) throws {
        let script = "for i in $(seq \(count - 1)); do sleep 600 & done; echo ready; wait"
        process = try ChildProcess("/bin/sh", ["-c", script])
        root = process.pid
        // The children are there once the shell says so.
        _ = process.firstOutput()
        let path = "/proc/\(root)/task/\(root)/children"
        guard let list = try? String(contentsOfFile: path, encoding: .utf8) else {
            leaveOut("looks at processes: this system has no \(path), which tells them.")
            process.end()
            return nil
        }
        children = list.split(separator: " ").compactMap { Int32($0) }
    }

    func end() { process.end() }
}
