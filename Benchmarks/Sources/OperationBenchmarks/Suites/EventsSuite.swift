import Foundation
import OperationTracking

extension Suite {
    /// What being watched costs.
    static let events = Suite(name: "events") { isQuick in
        let seconds = isQuick ? 0.3 : 3
        let alone = try await costOfUpdates(watched: false, seconds: seconds)
        let watched = try await costOfUpdates(watched: true, seconds: seconds)
        return [
            Measurement(
                "update with an event subscriber, 1,000,000 a second",
                watched,
                peer: .init(name: "without one", value: alone.median),
                budget: Budget(ratioAtMost: 3)
            )
        ]
    }
}

/// What an update costs the whole process, the ticker's and the subscriber's part included, where a million are made in a
/// second. The time between them is slept, and what the sleeping costs isn't counted.
private func costOfUpdates(watched: Bool, seconds: Double) async throws -> Timing {
    let tracker = OperationTracker()
    let reader = watched ? Task { [events = tracker.events()] in for await _ in events {} } : nil
    let handle = try tracker.start(type: .download, description: "bench", total: .max)
    var runs: [Double] = []
    var amount: Int64 = 0
    for _ in 0..<5 {
        let start = Timing.now
        let processStart = cpuNanoseconds(CLOCK_PROCESS_CPUTIME_ID)
        let threadStart = cpuNanoseconds(CLOCK_THREAD_CPUTIME_ID)
        var spent: Int64 = 0
        var updates = 0
        while Timing.now - start < Int64(seconds * 1e9) {
            let before = Timing.now
            for _ in 0..<2000 {
                amount += 1
                handle.update(completed: amount)
            }
            spent += Timing.now - before
            updates += 2000
            let ahead = Int64(updates) * 1000 - (Timing.now - start)
            if ahead > 0 { usleep(UInt32(ahead / 1000)) }
        }
        let others =
            cpuNanoseconds(CLOCK_PROCESS_CPUTIME_ID) - processStart
            - (cpuNanoseconds(CLOCK_THREAD_CPUTIME_ID) - threadStart)
        runs.append(Double(spent + others) / Double(updates))
    }
    await tracker.close()
    await reader?.value
    return Timing(runs: runs)
}
