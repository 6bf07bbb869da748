import CAllocationCounter
import Foundation
import OperationTracking

/// How long something took in several runs, for each repetition.
struct Timing {
    /// In the order of size.
    let all: [Double]

    init(runs: [Double]) {
        precondition(!runs.isEmpty)
        all = runs.sorted()
    }

    var median: Double { (all[(all.count - 1) / 2] + all[all.count / 2]) / 2 }
    /// The quartiles: half of the runs lie between them. One run that something else disturbed doesn't move them.
    var spread: ClosedRange<Double> { all[all.count / 4]...all[all.count - 1 - all.count / 4] }

    /// Times `body`, which repeats what is measured as often as it is told, in nanoseconds for each repetition. A first run
    /// isn't counted.
    static func measure(repetitions: Int, runs: Int = 9, _ body: (Int) throws -> Void) rethrows -> Timing {
        try measure(repetitions: repetitions, runs: runs, by: { now }, body)
    }

    /// The same by a clock: ``threadTime`` for work of this thread alone, which a busy machine doesn't make longer then.
    static func measure(
        repetitions: Int,
        runs: Int = 9,
        by clock: () -> Int64,
        _ body: (Int) throws -> Void
    ) rethrows -> Timing {
        try body(repetitions / 10 + 1)
        return Timing(
            runs: try (0..<runs).map { _ in
                let start = clock()
                try body(repetitions)
                return Double(clock() - start) / Double(repetitions)
            }
        )
    }

    /// Times work that waits.
    static func measure(repetitions: Int, runs: Int = 9, _ body: (Int) async throws -> Void) async rethrows -> Timing {
        try await body(repetitions / 10 + 1)
        var times: [Double] = []
        for _ in 0..<runs {
            let start = now
            try await body(repetitions)
            times.append(Double(now - start) / Double(repetitions))
        }
        return Timing(runs: times)
    }

    /// Times two bodies of this thread alone in turn, so that what disturbs the machine disturbs both.
    static func measure(
        repetitions: Int,
        runs: Int = 9,
        _ body: (Int) throws -> Void,
        beside other: (Int) throws -> Void
    ) rethrows -> (ours: Timing, other: Timing) {
        var times: (ours: [Double], other: [Double]) = ([], [])
        for _ in 0..<runs {
            times.ours += try measure(repetitions: repetitions, runs: 1, by: threadTime, body).all
            times.other += try measure(repetitions: repetitions, runs: 1, by: threadTime, other).all
        }
        return (Timing(runs: times.ours), Timing(runs: times.other))
    }

    static var now: Int64 { SystemTrackingClock().monotonicNanoseconds }
    static func threadTime() -> Int64 { cpuNanoseconds(CLOCK_THREAD_CPUTIME_ID) }
}

/// The processor's time that a thread or the process has had: that others run meanwhile isn't in it.
func cpuNanoseconds(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// How often each repetition of `body` asks for memory, in several runs; `nil` where that can't be counted. All threads are counted,
/// so the repetitions should be many.
func allocations(repetitions: Int, _ body: (Int) throws -> Void) rethrows -> Timing? {
    guard allocation_counter_works() else { return nil }
    try body(1)
    return Timing(
        runs: try (0..<5).map { _ in
            let before = allocation_count()
            try body(repetitions)
            return Double(allocation_count() - before) / Double(repetitions)
        }
    )
}

/// The same of work that waits.
func allocations(repetitions: Int, _ body: (Int) async throws -> Void) async rethrows -> Timing? {
    guard allocation_counter_works() else { return nil }
    try await body(1)
    var counts: [Double] = []
    for _ in 0..<5 {
        let before = allocation_count()
        try await body(repetitions)
        counts.append(Double(allocation_count() - before) / Double(repetitions))
    }
    return Timing(runs: counts)
}

/// Hides from the optimizer what a value is, or it would leave out a loop whose result nobody sees.
@inline(never)
func opaque<Value>(_ value: Value) -> Value { value }
