import OperationTracking
import Testing

@testable import Wizard

struct ShowCommandTests {
    private func lines(_ unit: OperationUnit) async throws -> [String: String] {
        let history = InMemoryHistoryStore()
        let tracker = OperationTracker(history: history)
        let handle = try tracker.start(type: .install, description: "work", total: 1_000, unit: unit)
        if unit == .fraction { handle.update(fraction: 1) } else { handle.update(completed: 1_000) }
        try await tracker.fail(handle.id, OperationFailure(.timeout, "too late"))
        let record = try #require(try await history.record(handle.id))
        return Dictionary(ShowCommand.lines(record)) { $1 }
    }

    @Test func oneHundredPercentIsNotSaidOfWhatFailedAfterAllItsWork() async throws {
        let share = try await lines(.fraction)
        #expect(share["progress"] == "99.99 %")
        #expect(share["done"] == nil)
        let items = try await lines(.items)
        #expect(items["progress"] == "99.99 %")
        #expect(items["done"] == "1000 of 1000")
    }
}
