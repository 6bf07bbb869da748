import CAllocationCounter
import Foundation
import OperationTracking
import Synchronization

extension Suite {
    /// What being watched costs.
    static let events = Suite(name: "events") { isQuick in
        let seconds = isQuick ? 0.3 : 3
        var (alone, watched): ([Paced], [Paced]) = ([], [])
        // Longer only where nothing was told yet, as on a machine that has little time for this.
        while watched.count < 5 || (watched.allSatisfy { $0.events == 0 } && watched.count < 50) {
            alone.append(try await updates(watched: false, seconds: seconds))
            watched.append(try await updates(watched: true, seconds: seconds))
        }
        guard watched.contains(where: { $0.events > 0 }) else { throw NothingTold() }
        let asked = allocation_counter_works() ? Timing(runs: watched.map(\.allocations)) : nil
        let name = "update with an event subscriber, 1,000,000 a second"
        return [
            Measurement(
                name,
                Timing(runs: watched.map(\.cost)),
                peer: .init(name: "without one", value: Timing(runs: alone.map(\.cost)).median, isOurs: true),
                budget: Budget(ratioAtMost: 3)
            ),
            try await inALoop(alone, watched, isQuick),
            Measurement(
                "events that the subscriber was told of",
                Timing(runs: watched.map(\.events)),
                unit: "events/s",
                budget: Budget(valueAtLeast: 2)
            ),
        ] + Measurement.allocations(name, asked)
    }
}

/// What a run came to.
private struct Paced {
    /// Nanoseconds for an update.
    var cost: Double
    /// Those that the subscriber was told of in a second.
    var events: Double
    /// How often memory was asked for, for an update.
    var allocations: Double
}

/// What an update costs the whole process, the ticker's and the subscriber's part included, where a million are made in a
/// second. The time between them is slept, and what the sleeping costs isn't counted.
private func updates(watched: Bool, seconds: Double) async throws -> Paced {
    let tracker = OperationTracker()
    let told = Counter()
    // Not on this task's actor, which is busy: nothing would be told.
    let reader =
        watched
        ? Task.detached { [events = tracker.events()] in
            for await event in events where event.kind == .updated { told.add() }
        } : nil
    let handle = try tracker.start(type: .download, description: "bench", total: .max)
    let (start, toldBefore, askedBefore) = (Timing.now, told.count, allocation_count())
    let processStart = cpuNanoseconds(CLOCK_PROCESS_CPUTIME_ID)
    let threadStart = Timing.threadTime()
    var spent: Int64 = 0
    var updates: Int64 = 0
    while Timing.now - start < Int64(seconds * 1e9) {
        let before = Timing.now
        for amount in updates..<updates + 2000 { handle.update(completed: amount) }
        spent += Timing.now - before
        updates += 2000
        let ahead = updates * 1000 - (Timing.now - start)
        if ahead > 0 { usleep(UInt32(ahead / 1000)) }
    }
    let others = cpuNanoseconds(CLOCK_PROCESS_CPUTIME_ID) - processStart - (Timing.threadTime() - threadStart)
    let result = Paced(
        cost: Double(spent + others) / Double(updates),
        events: Double(told.count - toldBefore) * 1e9 / Double(Timing.now - start),
        allocations: Double(allocation_count() - askedBefore) / Double(updates)
    )
    await tracker.close()
    await reader?.value
    return result
}

/// In a loop that does nothing else, as the suite `core` has it: what it takes there, and what being watched added above, where
/// each burst of updates comes after a sleep, with the processor's caches cold.
private func inALoop(_ alone: [Paced], _ watched: [Paced], _ isQuick: Bool) async throws -> Measurement {
    let tracker = OperationTracker()
    let handle = try tracker.start(type: .download, description: "bench", total: .max)
    let loop = Timing.measure(
        repetitions: isQuick ? 1_000_000 : 20_000_000,
        by: Timing.threadTime,
        ascending { report($0, to: handle) }
    ).median
    await tracker.close()
    return Measurement(
        "update in a loop, and what a subscriber adds",
        Timing(runs: zip(alone, watched).map { loop + max(0, $1.cost - $0.cost) }),
        peer: .init(name: "without one", value: loop, isOurs: true),
        budget: Budget(ratioAtMost: 3)
    )
}

private final class Counter: Sendable {
    private let number = Atomic(0)
    var count: Int { number.load(ordering: .relaxed) }
    func add() { number.add(1, ordering: .relaxed) }
}

private struct NothingTold: Error, CustomStringConvertible {
    let description =
        "The subscriber was told of no update while they were made: what being watched costs was not measured."
}
