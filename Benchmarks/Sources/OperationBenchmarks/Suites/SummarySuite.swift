import OperationHTTP
import OperationTracking

extension Suite {
    /// What looking at everything costs: counts and totals however many operations there are, and all of them as JSON.
    static let summary = Suite(name: "summary") { isQuick in
        let scale = isQuick ? 1 : 20
        var results: [Measurement] = []
        for count in [10, 1000, isQuick ? 10_000 : 100_000] {
            let tracker = OperationTracker()
            for number in 0..<count { _ = try tracker.start(type: .download, description: "bench \(number)") }
            let ten = results.first?.value
            results.append(
                Measurement(
                    "summary counts and totals, \(count) active",
                    Timing.measure(repetitions: 10_000 * scale) { repetitions in
                        for _ in 0..<repetitions { _ = opaque(tracker.summary.totalActive) }
                    },
                    peer: ten.map { .init(name: "10 active", value: $0) },
                    budget: Budget(ratioAtMost: ten == nil ? nil : 1.2, valueAtMost: 150)
                )
            )
            await tracker.close()
        }
        return results + (try await listsAsJSON(isQuick))
    }
}

/// The summary as the HTTP API answers it, with all active operations in it: the cost for each should not grow with their
/// number.
private func listsAsJSON(_ isQuick: Bool) async throws -> [Measurement] {
    var results: [Measurement] = []
    for count in [100, 1000, 10_000] {
        let tracker = OperationTracker()
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
        _ = await tracker.assessOverload()
        let timing = Timing.measure(repetitions: 1, runs: isQuick ? 3 : 25) { repetitions in
            for _ in 0..<repetitions {
                guard let answer = api.respondNow(to: request), answer.status == 200 else {
                    preconditionFailure("the summary was not answered at once")
                }
                _ = opaque(answer)
            }
        }
        let perOperation = results.first.map { $0.value / 100 * Double(count) }
        results.append(
            Measurement(
                "full summary as JSON, \(count) active",
                timing,
                peer: perOperation.map { .init(name: "as for 100 active, for each", value: $0) },
                budget: Budget(
                    ratioAtMost: perOperation == nil ? nil : 1.3,
                    valueAtMost: count == 1000 ? 1_400_000 : nil
                )
            )
        )
        await tracker.close()
    }
    return results
}
