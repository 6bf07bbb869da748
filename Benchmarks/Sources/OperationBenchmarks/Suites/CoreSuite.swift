import Foundation
import OperationTracking
import Synchronization

extension Suite {
    /// What work pays for being tracked: reporting, starting and ending, encoding.
    static let core = Suite(name: "core") { isQuick in
        let scale = isQuick ? 1 : 20
        let tracker = OperationTracker()
        let peers = try Peers.measure("core")
        var results = try updates(tracker, peers, scale)
        results += try twoThreads(tracker, scale)
        results += try await startAndComplete(tracker, peers, scale)
        results += try snapshotAsJSON(tracker, scale)
        await tracker.close()
        return results
    }
}

/// An update beside the least that it can be, and beside what others cost.
private func updates(_ tracker: OperationTracker, _ peers: Peers, _ scale: Int) throws -> [Measurement] {
    let handle = try tracker.start(type: .download, description: "bench", total: .max)
    let body = ascending { report($0, to: handle) }
    let cell = opaque(BareCell())
    let barely = ascending { report($0, to: cell) }
    let (ours, bare) = Timing.measure(repetitions: 1_000_000 * scale, runs: 15, body, beside: barely)
    let allocated = allocations(repetitions: 100_000, body)
    let (clock, mutex) = timeLimits(repetitions: 100_000 * scale)

    func beside(_ peer: String, _ value: Double?, atMost ratio: Double?) -> Measurement {
        Measurement(
            "update, beside \(peer)",
            ours,
            peer: .init(name: peer, value: value),
            budget: ratio.map { Budget(ratioAtMost: $0) }
        )
    }
    return [
        Measurement(
            "update",
            ours,
            peer: .init(name: "bare atomic load and store", value: bare.median),
            budget: Budget(ratioAtMost: 1.5, valueAtMost: 6)
        ),
        beside("Foundation.Progress", timeFoundationProgress(repetitions: 20_000 * scale).median, atMost: 1 / 3.0),
        beside("tqdm", peers["tqdm_update"], atMost: 1 / 20.0),
        beside("rich", peers["rich_update"], atMost: 1 / 20.0),
        beside("the original's update_operation", peers["original_update"], atMost: 1 / 100.0),
        beside("a read of the monotonic clock", clock.median, atMost: nil),
        beside("a Mutex locked and unlocked", mutex.median, atMost: nil),
    ] + Measurement.allocations("update", allocated, atMost: 0)
}

/// Reports so many amounts each time, each higher than those before: a step back is another path.
func ascending(_ report: @escaping (Range<Int64>) -> Void) -> (Int) -> Void {
    var next: Int64 = 0
    return { count in
        let first = next
        next += Int64(count)
        report(first..<next)
    }
}

// The two loops are one, so that the compiler makes the same of both, instruction for instruction, and both lie alike in the lines
// of the cache (see the manifest). They stand alone, so that nothing round them changes that.

@inline(never)
func report(_ amounts: Range<Int64>, to handle: OperationHandle) {
    forEach(amounts) { handle.update(completed: $0) }
}

@inline(never)
private func report(_ amounts: Range<Int64>, to cell: BareCell) {
    forEach(amounts) { cell.update($0) }
}

/// Goes round once for eight amounts, so that the going round costs next to nothing.
@inline(__always)
private func forEach(_ amounts: Range<Int64>, _ body: (Int64) -> Void) {
    var amount = amounts.lowerBound
    while amount &+ 8 <= amounts.upperBound {
        body(amount)
        body(amount &+ 1)
        body(amount &+ 2)
        body(amount &+ 3)
        body(amount &+ 4)
        body(amount &+ 5)
        body(amount &+ 6)
        body(amount &+ 7)
        amount &+= 8
    }
    while amount < amounts.upperBound {
        body(amount)
        amount &+= 1
    }
}

/// What an update would cost at least if it looked at a clock, or took a lock.
private func timeLimits(repetitions: Int) -> (clock: Timing, mutex: Timing) {
    let cell = opaque(LockedCell())
    return (
        Timing.measure(repetitions: repetitions, by: Timing.threadTime) { count in
            for _ in 0..<count { _ = opaque(Timing.now) }
        },
        Timing.measure(repetitions: repetitions, by: Timing.threadTime) { count in
            for _ in 0..<count { cell.value.withLock { $0 += 1 } }
        }
    )
}

/// The least that an update can be: a load, a store, and another path for a step back, which isn't taken here.
private final class BareCell: Sendable {
    let value = Atomic<Int64>(0)
    private let stepsBack = Atomic<Int64>(0)

    @inline(__always)
    func update(_ amount: Int64) {
        if amount >= value.load(ordering: .relaxed) {
            value.store(amount, ordering: .relaxed)
        } else {
            stepBack(to: amount)
        }
    }

    @inline(never)
    private func stepBack(to amount: Int64) {
        stepsBack.add(1, ordering: .relaxed)
        value.store(amount, ordering: .relaxed)
    }
}

private final class LockedCell: Sendable {
    let value = Mutex<Int64>(0)
}

/// Two threads that report to two operations, each as fast as one alone when nothing is shared between them. Two cells of nothing
/// but a number, 4 KiB apart, show what the machine makes of two threads that share nothing.
private func twoThreads(_ tracker: OperationTracker, _ scale: Int) throws -> [Measurement] {
    let handles = [
        try tracker.start(type: .download, description: "first", total: .max),
        try tracker.start(type: .download, description: "second", total: .max),
    ]
    let (cells, apart) = bareCells(apart: 4096)
    let count = 2_000_000 * scale
    var next: Int64 = 0
    func amounts() -> Range<Int64> {
        defer { next += Int64(count) }
        return next..<next + Int64(count)
    }
    var alone: [Double] = []
    var together: [Double] = []
    var barely: [Double] = []
    for _ in 0..<30 where together.count < 15 {
        let (one, two, three) = (amounts(), amounts(), amounts())
        let first = timeTogether(1) { _ in report(one, to: handles[0]) }
        let ours = timeTogether(2) { report(two, to: handles[$0]) }
        let bare = timeTogether(2) { report(three, to: cells[$0]) }
        // Threads that take turns at a processor share nothing that could be seen.
        guard ours.wasAtOnce, bare.wasAtOnce else { continue }
        alone.append(first.nanoseconds / Double(count))
        together.append(ours.nanoseconds / Double(count))
        barely.append(bare.nanoseconds / Double(count))
    }
    withExtendedLifetime(apart) {}
    let name = "update, two threads on two operations"
    guard together.count >= 5 else {
        leaveOut("\(name): the machine had no two processors free for them at once.")
        return []
    }
    func beside(_ peer: String, _ runs: [Double], isOurs: Bool = false) -> Measurement {
        Measurement(
            "\(name), beside \(peer)",
            Timing(runs: together),
            peer: .init(name: peer, value: Timing(runs: runs).median, isOurs: isOurs),
            budget: Budget(ratioAtMost: 1.25)
        )
    }
    return [
        beside("one thread alone", alone, isOurs: true),
        beside("two threads on two bare atomics 4 KiB apart", barely),
    ]
}

/// Two cells that have at least so many bytes between them, and what lies there.
private func bareCells(apart distance: Int) -> (cells: [BareCell], apart: [BareCell]) {
    func address(_ cell: BareCell) -> Int { Int(bitPattern: Unmanaged.passUnretained(cell).toOpaque()) }
    let first = opaque(BareCell())
    var between = [opaque(BareCell())]
    while let last = between.last, abs(address(last) - address(first)) < distance { between.append(opaque(BareCell())) }
    return ([first, between[between.count - 1]], between)
}

/// Runs `work` on so many threads, all of which are there before any begins.
///
/// - Parameter work: takes the thread's number.
/// - Returns: the nanoseconds that a thread had of a processor for it, on average: a cache line that both write costs that, and
///   a busy machine doesn't. And whether all ran at the same time, nearly.
private func timeTogether(_ count: Int, _ work: @Sendable @escaping (Int) -> Void) -> (
    nanoseconds: Double, wasAtOnce: Bool
) {
    let shared = opaque(Start())
    let threads = (0..<count).map { index in
        Thread {
            shared.arrived.add(1, ordering: .acquiringAndReleasing)
            while shared.arrived.load(ordering: .acquiring) < count {}
            _ = shared.begin.min(Timing.now, ordering: .relaxed)
            let start = Timing.threadTime()
            work(index)
            shared.nanoseconds.add(Timing.threadTime() - start, ordering: .relaxed)
            _ = shared.end.max(Timing.now, ordering: .relaxed)
            shared.ended.signal()
        }
    }
    for thread in threads { thread.start() }
    for _ in threads { shared.ended.wait() }
    let nanoseconds = Double(shared.nanoseconds.load(ordering: .relaxed)) / Double(count)
    let elapsed = Double(shared.end.load(ordering: .relaxed) - shared.begin.load(ordering: .relaxed))
    return (nanoseconds, elapsed < 1.5 * nanoseconds)
}

/// What threads that begin together have in common.
private final class Start: Sendable {
    let arrived = Atomic(0)
    let nanoseconds = Atomic<Int64>(0)
    let begin = Atomic(Int64.max)
    let end = Atomic<Int64>(0)
    let ended = DispatchSemaphore(value: 0)
}

private func startAndComplete(_ tracker: OperationTracker, _ peers: Peers, _ scale: Int) async throws -> [Measurement] {
    let body = { (count: Int) async throws in
        for _ in 0..<count {
            let handle = try tracker.start(type: .download, description: "bench")
            try await tracker.complete(handle.id)
        }
    }
    let name = "start and complete, in memory"
    return [
        Measurement(
            name,
            try await Timing.measure(repetitions: 10_000 * scale, body),
            peer: .init(name: "the original's start and complete", value: peers["original_start_complete"]),
            budget: Budget(valueAtMost: 1500)
        )
    ] + Measurement.allocations(name, try await allocations(repetitions: 10_000, body), atMost: 4)
}

private func snapshotAsJSON(_ tracker: OperationTracker, _ scale: Int) throws -> [Measurement] {
    let handle = try tracker.start(type: .pullModel, description: "Pull llama3.2", total: 3_000_000_000)
    handle.setPhase("downloading", message: "half way")
    handle.update(completed: 1_500_000_000)
    let encoder = JSONEncoder()
    let twin = WireTwin()
    guard try keys(Data(handle.operation.jsonBytes())) == keys(encoder.encode(twin)) else { throw OtherFields() }
    let body = { (count: Int) in
        for _ in 0..<count { _ = opaque(handle.operation.jsonBytes().count) }
    }
    let (ours, codable) = try Timing.measure(repetitions: 2000 * scale, body) { count in
        for _ in 0..<count { _ = opaque(try encoder.encode(twin).count) }
    }
    let name = "snapshot of one operation as JSON"
    return [
        Measurement(
            name,
            ours,
            peer: .init(name: "JSONEncoder on the same fields", value: codable.median),
            budget: Budget(valueAtMost: 1300)
        )
    ] + Measurement.allocations(name, allocations(repetitions: 1000, body))
}

/// The names in an object, those inside it included.
private func keys(_ json: Data) throws -> Set<String> {
    let object = try JSONSerialization.jsonObject(with: json) as? [String: Any] ?? [:]
    let inside = object.values.compactMap { $0 as? [String: Any] }.flatMap(\.keys)
    return Set(object.keys).union(inside)
}

private struct OtherFields: Error, CustomStringConvertible {
    let description =
        "An operation on the wire has other fields than WireTwin.swift, by which its cost is judged: make them the same."
}
