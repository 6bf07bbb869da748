import CAllocationCounter
import OperationTracking

extension Suite {
    /// What an operation holds while it is active.
    static let memory = Suite(name: "memory") { isQuick in
        let count = isQuick ? 2000 : 100_000
        var runs: [Double] = []
        for _ in 0..<(isQuick ? 2 : 5) {
            let tracker = OperationTracker()
            // A description that needs no memory of its own, so that only the operation is counted.
            let before = allocated_bytes()
            for _ in 0..<count { _ = try tracker.start(type: .download, description: "bench") }
            runs.append(Double(allocated_bytes() - before) / Double(count))
            await tracker.close()
        }
        guard allocation_counter_works() else { return [] }
        var result = Measurement("heap of an active operation", Timing(runs: runs), budget: Budget(valueAtMost: 700))
        result.unit = "bytes"
        return [result]
    }
}
