import CAllocationCounter
import OperationTracking

extension Suite {
    /// What an operation holds while it is active.
    static let memory = Suite(name: "memory") { isQuick in
        guard allocation_counter_works() else {
            leaveOut("the heap of an active operation: how much of the heap is in use can't be told on this system.")
            return []
        }
        let count = isQuick ? 2000 : 100_000
        let runs = isQuick ? 2 : 5
        var atStart: [Double] = []
        for _ in 0..<runs { atStart.append(try await heap(of: count, reporting: [])) }
        var halfWay: [Double] = []
        // Long enough for an estimate, and past the shares at which it is kept to be judged.
        for _ in 0..<runs { halfWay.append(try await heap(of: 10_000, reporting: [5, 120, 300, 500])) }
        return [
            inBytes("heap of an active operation, just begun", atStart),
            inBytes("heap of an active operation, half way, with its estimate", halfWay),
        ]
    }
}

private func inBytes(_ name: String, _ runs: [Double]) -> Measurement {
    var result = Measurement(name, Timing(runs: runs), budget: Budget(valueAtMost: 700))
    result.unit = "bytes"
    return result
}

/// What each of so many operations takes from the heap, its place in the tracker's tables included and its own strings not: its id
/// is measured apart and taken off, and its description is short enough to need none.
private func heap(of count: Int, reporting amounts: [Int64]) async throws -> Double {
    var configuration = OperationTracker.Configuration()
    configuration.tickInterval = .milliseconds(50)
    let tracker = OperationTracker(configuration: configuration)
    var handles: [OperationHandle] = []
    handles.reserveCapacity(count)
    var texts: [String] = []
    texts.reserveCapacity(count)
    // What a tracker makes once, such as buffers to measure with, is made before.
    _ = try tracker.start(type: .download, description: "first", total: 1000)
    try await Task.sleep(for: .milliseconds(500))
    let before = allocated_bytes()
    for _ in 0..<count { handles.append(try tracker.start(type: .download, description: "bench", total: 1000)) }
    for amount in amounts {
        for handle in handles { handle.update(completed: amount) }
        try await Task.sleep(for: .milliseconds(400))
    }
    let after = allocated_bytes()
    for handle in handles { texts.append(String(decoding: Array(handle.id.rawValue.utf8), as: UTF8.self)) }
    let strings = allocated_bytes() - after
    await tracker.close()
    return Double(after - before - strings) / Double(count)
}
