import Foundation
import OperationTracking
import Synchronization

extension Suite {
    /// What work pays for being tracked: reporting, starting and ending, encoding.
    static let core = Suite(name: "core") { isQuick in
        let scale = isQuick ? 1 : 20
        let tracker = OperationTracker()
        let peers = Peers.measure("core")
        var results = try updates(tracker, peers, scale)
        results.append(try twoThreads(tracker, scale))
        results.append(try await startAndComplete(tracker, peers, scale))
        results.append(try snapshotAsJSON(tracker, scale))
        results.append(try await overloadCheck(tracker, peers, scale))
        await tracker.close()
        return results
    }
}

/// An update beside the least that it can be, and beside what others cost.
private func updates(_ tracker: OperationTracker, _ peers: Peers, _ scale: Int) throws -> [Measurement] {
    let handle = try tracker.start(type: .download, description: "bench", total: .max)
    var base: Int64 = 0
    let body = { (count: Int) in
        for amount in 0..<count { handle.update(completed: base + Int64(amount)) }
        base += Int64(count)
    }
    let cell = opaque(BareCell())
    let bare = Timing.measure(repetitions: 1_000_000 * scale) { count in
        for amount in 0..<count { cell.update(Int64(amount)) }
        cell.value.store(0, ordering: .relaxed)
    }
    let ours = Timing.measure(repetitions: 1_000_000 * scale, body)
    let allocated = allocations(repetitions: 100_000, body)
    let progress = foundationProgress(scale)

    func beside(_ peer: String, _ value: Double?, atMost ratio: Double) -> Measurement {
        Measurement(
            "update, beside \(peer)",
            ours,
            peer: .init(name: peer, value: value),
            budget: Budget(ratioAtMost: ratio)
        )
    }
    return [
        Measurement(
            "update",
            ours,
            allocations: allocated,
            peer: .init(name: "bare atomic load and store", value: bare.median),
            budget: Budget(ratioAtMost: 1.5, valueAtMost: 6, allocationsAtMost: 0)
        ),
        beside("Foundation.Progress", progress.median, atMost: 1 / 3.0),
        beside("tqdm", peers["tqdm_update"], atMost: 1 / 20.0),
        beside("rich", peers["rich_update"], atMost: 1 / 20.0),
        beside("the original's update_operation", peers["original_update"], atMost: 1 / 100.0),
    ]
}

/// The least that an update can be.
private final class BareCell: Sendable {
    let value = Atomic<Int64>(0)

    func update(_ amount: Int64) {
        if amount >= value.load(ordering: .relaxed) { value.store(amount, ordering: .relaxed) }
    }
}

private func foundationProgress(_ scale: Int) -> Timing {
    let progress = Progress(totalUnitCount: .max)
    return Timing.measure(repetitions: 20_000 * scale) { count in
        for amount in 0..<count { progress.completedUnitCount = Int64(amount) }
    }
}

/// Two threads that report to two operations, each as fast as one alone when nothing is shared between them.
private func twoThreads(_ tracker: OperationTracker, _ scale: Int) throws -> Measurement {
    let handles = [
        try tracker.start(type: .download, description: "first", total: .max),
        try tracker.start(type: .download, description: "second", total: .max),
    ]
    let count = 2_000_000 * scale
    func time(_ handles: [OperationHandle], from base: Int64) -> Double {
        let nanoseconds = Atomic<Int64>(0)
        DispatchQueue.concurrentPerform(iterations: handles.count) { index in
            let handle = handles[index]
            let start = Timing.now
            for amount in 0..<count { handle.update(completed: base + Int64(amount)) }
            nanoseconds.add(Timing.now - start, ordering: .relaxed)
        }
        return Double(nanoseconds.load(ordering: .relaxed)) / Double(handles.count * count)
    }
    var alone: [Double] = []
    var together: [Double] = []
    for run in 0..<9 {
        alone.append(time([handles[0]], from: Int64(2 * run * count)))
        together.append(time(handles, from: Int64((2 * run + 1) * count)))
    }
    return Measurement(
        "update, two threads on two operations",
        Timing(runs: together),
        peer: .init(name: "one thread alone", value: Timing(runs: alone).median),
        budget: Budget(ratioAtMost: 1.25)
    )
}

private func startAndComplete(_ tracker: OperationTracker, _ peers: Peers, _ scale: Int) async throws -> Measurement {
    let body = { (count: Int) async throws in
        for _ in 0..<count {
            let handle = try tracker.start(type: .download, description: "bench")
            try await tracker.complete(handle.id)
        }
    }
    return Measurement(
        "start and complete, in memory",
        try await Timing.measure(repetitions: 10_000 * scale, body),
        allocations: try await allocations(repetitions: 10_000, body),
        peer: .init(name: "the original's start and complete", value: peers["original_start_complete"]),
        budget: Budget(valueAtMost: 1500, allocationsAtMost: 4)
    )
}

private func snapshotAsJSON(_ tracker: OperationTracker, _ scale: Int) throws -> Measurement {
    let handle = try tracker.start(type: .pullModel, description: "Pull llama3.2", total: 3_000_000_000)
    handle.setPhase("downloading", message: "half way")
    handle.update(completed: 1_500_000_000)
    let encoder = JSONEncoder()
    let twin = WireTwin()
    let codable = try Timing.measure(repetitions: 1000 * scale) { count in
        for _ in 0..<count { _ = opaque(try encoder.encode(twin).count) }
    }
    let body = { (count: Int) in
        for _ in 0..<count { _ = opaque(handle.operation.jsonBytes().count) }
    }
    return Measurement(
        "snapshot of one operation as JSON",
        Timing.measure(repetitions: 5000 * scale, body),
        allocations: allocations(repetitions: 1000, body),
        peer: .init(name: "JSONEncoder on the same fields", value: codable.median),
        budget: Budget(valueAtMost: 1300)
    )
}

private func overloadCheck(_ tracker: OperationTracker, _ peers: Peers, _ scale: Int) async throws -> Measurement {
    _ = await tracker.assessOverload()
    return Measurement(
        "overload check, fresh",
        Timing.measure(repetitions: 10_000 * scale) { count in
            for _ in 0..<count where opaque(tracker.latestAssessment).isOverloaded { _ = opaque(0) }
        },
        peer: .init(name: "psutil cpu_percent and virtual_memory", value: peers["psutil_overload_check"]),
        budget: Budget(ratioAtMost: 1 / 50.0, valueAtMost: 1000)
    )
}
