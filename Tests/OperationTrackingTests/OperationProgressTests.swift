import OperationTrackingTesting
import Testing

@testable import OperationTracking

struct OperationProgressTests {
    private let tracker = OperationTracker(clock: ManualClock())

    private func start(total: Int64? = nil, unit: OperationUnit = .bytes) throws -> OperationHandle {
        try tracker.start(type: .download, description: "test", total: total, unit: unit)
    }

    @Test func aHandleReadsItsOwnWrites() throws {
        let handle = try start(total: 200)
        handle.update(completed: 50)
        #expect(handle.operation.progress.completedUnits == 50)
        #expect(handle.operation.progress.percent == 25)
    }

    @Test func whatIsShownNeverGoesBackwardsAndWhatIsTrueIsKept() throws {
        let handle = try start(total: 100)
        handle.update(completed: 80)
        handle.update(completed: 30)
        handle.update(completed: 40)
        let progress = handle.operation.progress
        #expect(progress.percent == 80)
        #expect(progress.completedUnits == 40)
        #expect(progress.rewoundUnits == 50)
    }

    @Test func aGrowingTotalDoesNotTakeBackWhatWasShown() throws {
        let handle = try start(total: 100)
        handle.update(completed: 90)
        handle.setTotal(1000)
        #expect(handle.operation.progress.percent == 90)
        handle.update(completed: 950)
        #expect(handle.operation.progress.percent == 95)
    }

    @Test func anUnknownTotalIsNil() throws {
        let handle = try start()
        handle.update(completed: 5)
        #expect(handle.operation.progress.totalUnits == nil)
        #expect(handle.operation.progress.percent == 0)
        handle.setTotal(-1)
        #expect(handle.operation.progress.totalUnits == nil)
    }

    @Test func aHundredIsShownOnlyWhenCompleted() async throws {
        let handle = try start(total: 100)
        handle.update(completed: 100)
        #expect(handle.operation.progress.percent < 100)
        try await tracker.complete(handle.id)
        #expect(handle.operation.progress.percent == 100)
    }

    @Test func aFailedOperationKeepsItsProgress() async throws {
        let handle = try start(total: 100)
        handle.update(completed: 60)
        try await tracker.fail(handle.id, OperationFailure(.stalled, "test"))
        #expect(handle.operation.progress.percent == 60)
    }

    @Test(arguments: [Int64.min, -1, 0])
    func negativeAmountsAreNothing(_ amount: Int64) throws {
        let handle = try start(total: 100)
        handle.update(completed: amount)
        #expect(handle.operation.progress.completedUnits == 0)
    }

    @Test(arguments: [101, Int64.max])
    func moreThanTheTotalIsTheTotal(_ amount: Int64) throws {
        let handle = try start(total: 100)
        handle.update(completed: amount)
        #expect(handle.operation.progress.completedUnits == 100)
        #expect(handle.operation.progress.percent < 100)
    }

    @Test(arguments: [(0.5, 50), (-1, 0), (Double.nan, 0), (0.25, 25)])
    func aFractionIsHeldWithinItsRange(_ fraction: Double, _ percent: Double) throws {
        let handle = try start(unit: .fraction)
        handle.update(fraction: fraction)
        #expect(handle.operation.progress.percent == percent)
    }

    @Test func everyUpdateOfTwoWritersOnTwoOperationsIsSeen() async throws {
        let handles = [try start(total: 100_000), try start(total: 100_000)]
        await withTaskGroup { group in
            for handle in handles {
                group.addTask { for amount in 1...100_000 { handle.update(completed: Int64(amount)) } }
            }
        }
        #expect(handles.allSatisfy { $0.operation.progress.completedUnits == 100_000 })
    }
}
