import OperationTracking
import Synchronization

/// The costs of the core: reporting, starting and ending, summing up, encoding.
///
/// - Parameter scale: how many times the repetitions of a quick run.
func coreSuite(scale: Int) async throws -> [Benchmark] {
    let tracker = OperationTracker()
    var results = [try update(tracker, scale)]
    results.append(try await startAndComplete(tracker, scale))
    for count in [10, 1000, 100_000] { results.append(try await summary(of: count, scale)) }
    results.append(try snapshotAsJSON(tracker, scale))
    results.append(try await overloadCheck(tracker, scale))
    await tracker.close()
    return results
}

private func update(_ tracker: OperationTracker, _ scale: Int) throws -> Benchmark {
    let handle = try tracker.start(type: .download, description: "bench", total: .max)
    let cell = opaque(BareCell())
    let bare = Benchmark.measure(repetitions: 1_000_000 * scale) { count in
        for amount in 0..<count { cell.update(Int64(amount)) }
        cell.value.store(0, ordering: .relaxed)
    }
    var base: Int64 = 0
    let ours = Benchmark.measure(repetitions: 1_000_000 * scale) { count in
        for amount in 0..<count { handle.update(completed: base + Int64(amount)) }
        base += Int64(count)
    }
    return Benchmark(
        name: "`update(completed:)`",
        nanoseconds: ours.median,
        spread: ours.spread,
        limit: ("bare atomic load and store", bare.median)
    )
}

/// The least that an update can be.
private final class BareCell: Sendable {
    let value = Atomic<Int64>(0)

    func update(_ amount: Int64) {
        if amount >= value.load(ordering: .relaxed) { value.store(amount, ordering: .relaxed) }
    }
}

/// Hides from the optimizer that nobody else sees the value, or it would leave out the whole loop.
@inline(never)
private func opaque<Value>(_ value: Value) -> Value { value }

private func startAndComplete(_ tracker: OperationTracker, _ scale: Int) async throws -> Benchmark {
    let repetitions = 10_000 * scale
    let clock = SystemTrackingClock()
    var times: [Double] = []
    for _ in 0..<9 {
        let start = clock.monotonicNanoseconds
        for _ in 0..<repetitions {
            let handle = try tracker.start(type: .download, description: "bench")
            try await tracker.complete(handle.id)
        }
        times.append(Double(clock.monotonicNanoseconds - start) / Double(repetitions))
    }
    times.sort()
    return Benchmark(
        name: "start and complete, in memory",
        nanoseconds: times[4],
        spread: times[0]...times[8],
        limit: nil
    )
}

private func summary(of count: Int, _ scale: Int) async throws -> Benchmark {
    let tracker = OperationTracker()
    for _ in 0..<count { _ = try tracker.start(type: .download, description: "bench") }
    var total = 0
    let cost = Benchmark.measure(repetitions: 10_000 * scale) { repetitions in
        for _ in 0..<repetitions { total &+= tracker.summary.totalActive }
    }
    precondition(total > 0)
    await tracker.close()
    return Benchmark(name: "summary, \(count) active", nanoseconds: cost.median, spread: cost.spread, limit: nil)
}

private func snapshotAsJSON(_ tracker: OperationTracker, _ scale: Int) throws -> Benchmark {
    let handle = try tracker.start(type: .pullModel, description: "Pull llama3.2", total: 3_000_000_000)
    handle.setPhase("downloading", message: "half way")
    handle.update(completed: 1_500_000_000)
    var total = 0
    let cost = Benchmark.measure(repetitions: 5000 * scale) { repetitions in
        for _ in 0..<repetitions { total &+= handle.operation.jsonBytes().count }
    }
    precondition(total > 0)
    return Benchmark(name: "snapshot as JSON", nanoseconds: cost.median, spread: cost.spread, limit: nil)
}

private func overloadCheck(_ tracker: OperationTracker, _ scale: Int) async throws -> Benchmark {
    _ = await tracker.assessOverload()
    let cost = Benchmark.measure(repetitions: 10_000 * scale) { repetitions in
        for _ in 0..<repetitions where opaque(tracker.latestAssessment).isOverloaded { _ = opaque(0) }
    }
    return Benchmark(name: "overload check, fresh", nanoseconds: cost.median, spread: cost.spread, limit: nil)
}
