import OperationTracking
import OperationTrackingTesting
import Testing

/// Operations under names that their callers choose.
@Suite struct NamedOperationTests {
    let history = InMemoryHistoryStore()
    let id = OperationID(rawValue: "op_nightly")!

    private func makeTracker() -> OperationTracker { OperationTracker(history: history, clock: ManualClock()) }

    private func start(_ description: String, by tracker: OperationTracker) async throws -> OperationHandle {
        try await tracker.start(named: id, type: .seed, description: description)
    }

    private func expectDuplicate(_ body: @escaping () async throws -> OperationHandle) async {
        let error = await #expect(throws: OperationError.self) { _ = try await body() }
        #expect(error?.code == .duplicateOperation)
    }

    @Test func aNameIsTakenOnce() async throws {
        let tracker = makeTracker()
        _ = try await start("one", by: tracker)
        await expectDuplicate { try await start("two", by: tracker) }
        #expect(tracker.activeOperations.map(\.description) == ["one"])
    }

    @Test func aNameOfTheHistoryIsNotGivenToAnotherTracker() async throws {
        let earlier = makeTracker()
        try await earlier.complete(try await start("Monday", by: earlier).id)
        let later = makeTracker()
        await expectDuplicate { try await start("Tuesday", by: later) }
        #expect(later.activeOperations.isEmpty)
        #expect(try await history.record(id)?.operation.description == "Monday")
    }

    @Test func aNameThatAnotherTrackerHoldsOnTheSameHistoryIsTaken() async throws {
        let (one, other) = (makeTracker(), makeTracker())
        _ = try await start("one", by: one)
        await expectDuplicate { try await start("two", by: other) }
    }

    @Test func aNameStaysTakenWhenManyOperationsHaveEndedSince() async throws {
        let tracker = makeTracker()
        try await tracker.complete(try await start("one", by: tracker).id)
        for number in 0..<300 {
            try await tracker.complete(try tracker.start(type: .seed, description: "\(number)").id)
        }
        #expect(tracker.operation(id) == nil)
        await expectDuplicate { try await start("two", by: tracker) }
    }

    @Test func ofManyThatWantANameAtOnceOneGetsIt() async throws {
        let trackers = [makeTracker(), makeTracker()]
        let count = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<20 {
                group.addTask { (try? await self.start("\(number)", by: trackers[number % 2])) != nil }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(count == 1)
        #expect(trackers.flatMap(\.activeOperations).count == 1)
    }

    @Test func withoutAHistoryANameIsTakenAsLongAsItIsRemembered() async throws {
        let tracker = OperationTracker(clock: ManualClock())
        try await tracker.complete(try await start("one", by: tracker).id)
        await expectDuplicate { try await start("two", by: tracker) }
    }

    @Test func aClosedTrackerTakesNoName() async throws {
        let tracker = makeTracker()
        await tracker.close()
        let error = await #expect(throws: OperationError.self) { _ = try await start("late", by: tracker) }
        #expect(error?.code == .closed)
    }

    @Test func aNamedOperationIsReportedByHandAndKept() async throws {
        let tracker = makeTracker()
        let handle = try await start("one", by: tracker)
        handle.update(completed: 3)
        #expect(tracker.operation(id)?.progress.completedUnits == 3)
        try await tracker.complete(id)
        #expect(try await history.record(id)?.operation.status == .completed)
    }
}
