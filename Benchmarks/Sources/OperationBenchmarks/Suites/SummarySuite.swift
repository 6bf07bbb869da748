import OperationHTTP
import OperationTracking

extension Suite {
    /// What things cost as there are more and more active operations: counts and totals, an update, starting and ending one,
    /// and all of them as JSON.
    static let summary = Suite(name: "summary") { isQuick in
        let scale = isQuick ? 1 : 20
        let peers = try Peers.measure("summary")
        var results: [Measurement] = []
        for count in [10, 100, 1000, 10_000, isQuick ? 20_000 : 100_000] {
            results += try await manyActive(count, scale)
        }
        for count in [100, 1000, 10_000] {
            results += try await listAsJSON(count, results.first { $0.name == listName(100) }?.value, peers, isQuick)
        }
        return results
    }
}

/// What doesn't look at every operation should cost the same however many there are. Ten and as many as there are to be are measured
/// in turn.
private func manyActive(_ count: Int, _ scale: Int) async throws -> [Measurement] {
    let (few, tracker) = (OperationTracker(), OperationTracker())
    for _ in 0..<10 { _ = try few.start(type: .download, description: "bench") }
    let handles = try (0..<count).map { try tracker.start(type: .download, description: "bench \($0)") }
    func look(at tracker: OperationTracker) -> (Int) -> Void {
        { repetitions in for _ in 0..<repetitions { _ = opaque(tracker.summary.totalActive) } }
    }
    let (counts, ten) = Timing.measure(repetitions: 10_000 * scale, look(at: tracker), beside: look(at: few))
    let asked = allocations(repetitions: 10_000, look(at: tracker))
    var round: Int64 = 0
    let updates = Timing.measure(repetitions: max(100_000 * scale, count * 100), by: Timing.threadTime) { repetitions in
        for _ in 0..<max(1, repetitions / count / 100) {
            let first = round
            round += 100
            for handle in handles {
                for amount in first..<first + 100 { handle.update(completed: amount) }
            }
        }
    }
    let ends = try await Timing.measure(repetitions: 1000 * scale) { repetitions in
        for _ in 0..<repetitions {
            let handle = try tracker.start(type: .download, description: "bench")
            try await tracker.complete(handle.id)
        }
    }
    await few.close()
    await tracker.close()
    let name = "summary counts and totals, \(count) active"
    return [
        Measurement(
            name,
            counts,
            peer: count == 10 ? nil : .init(name: "10 active", value: ten.median, isOurs: true),
            budget: count == 10
                ? Budget(valueAtMost: 150) : Budget(ratioAtMost: 1.2, ratioAtLeast: 0.8, valueAtMost: 150)
        )
    ] + Measurement.allocations(name, asked) + [
        Measurement("update, a hundred of each in turn, \(count) active", updates),
        Measurement("start and complete one more, \(count) active", ends),
    ]
}

private func listName(_ count: Int) -> String { "full summary as JSON, \(count) active" }

/// The summary as the HTTP API answers it, with all active operations in it: the cost for each should not grow with their
/// number.
private func listAsJSON(_ count: Int, _ hundred: Double?, _ peers: Peers, _ isQuick: Bool) async throws
    -> [Measurement]
{
    let tracker = try await OperationTracker.withFreshFigures()
    let api = OperationAPI(tracker: tracker)
    let request = APIRequest(
        method: "GET",
        target: "/api/ports/operations/summary",
        headers: [APIHeader("Host", "localhost")],
        caller: APICaller(isSameUser: true, address: "127.0.0.1")
    )
    for number in 0..<count {
        let handle = try tracker.start(type: .download, description: "bench \(number)", total: 1 << 30)
        handle.update(completed: Int64(number))
    }
    let body = { (repetitions: Int) in
        for _ in 0..<repetitions {
            guard case .now(let answer) = api.answer(to: request), answer.status == 200 else {
                preconditionFailure("the summary was not answered at once")
            }
            _ = opaque(answer)
        }
    }
    let timing = Timing.measure(
        repetitions: isQuick ? 1 : max(1, 20_000 / count),
        by: Timing.threadTime,
        body
    )
    // Of more, others would ask for memory meanwhile.
    let asked = count == 1000 ? Measurement.allocations(listName(count), allocations(repetitions: 20, body)) : []
    await tracker.close()
    let perOperation = hundred.map { $0 / 100 * Double(count) }
    return [
        Measurement(
            listName(count),
            timing,
            peer: perOperation.map { .init(name: "as for 100 active, for each", value: $0, isOurs: true) },
            budget: perOperation.map { _ in
                Budget(ratioAtMost: 1.3, valueAtMost: count == 1000 ? 1_400_000 : nil)
            }
        ),
        Measurement(
            "\(listName(count)), beside the original's",
            timing,
            peer: .init(name: "the original's summary by json.dumps", value: peers["original_summary_\(count)"])
        ),
    ] + asked
}
