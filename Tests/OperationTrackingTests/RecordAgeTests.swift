import Foundation
import Testing

@testable import OperationTracking

struct RecordAgeTests {
    /// Of work that began at 0 and, when its row was written, had been active for a minute.
    private func record(movedAt moved: Double = 50, status: OperationStatus = .inProgress) -> OperationRecord {
        var operation = BackgroundOperation(
            id: OperationID.make(at: 0),
            type: .download,
            description: "work",
            status: status,
            createdAt: Date(timeIntervalSince1970: 0)
        )
        operation.startedAt = operation.createdAt
        operation.updatedAt = Date(timeIntervalSince1970: moved)
        operation.activeSeconds = 60
        operation.remaining = RemainingTime(expected: 20, low: 10, high: 40, basis: .rate)
        return OperationRecord(operation: operation)
    }

    private func remaining(_ record: OperationRecord, at seconds: Double) -> RemainingTime? {
        record.read(at: Date(timeIntervalSince1970: seconds)).operation.remaining
    }

    @Test func anotherProcessesEstimateCountsDownWhenRead() {
        #expect(remaining(record(), at: 64) == RemainingTime(expected: 16, low: 6, high: 40, basis: .rate))
        #expect(remaining(record(), at: 76) == RemainingTime(expected: 4, low: 0, high: 40, basis: .rate))
        #expect(remaining(record(), at: 1_000) == RemainingTime(expected: 0, low: 0, high: 40, basis: .rate))
        #expect(remaining(record(), at: 30) == record().operation.remaining, "a clock that was set back adds nothing")
    }

    @Test func aPauseBeforeTheRowWasWrittenIsNoAge() {
        let moved = record(movedAt: 90)
        #expect(remaining(moved, at: 94) == RemainingTime(expected: 16, low: 6, high: 40, basis: .rate))
    }

    @Test func anotherProcessesTimeGoesOnWhenRead() {
        var record = record()
        record.operation.remaining = nil
        func time(_ record: OperationRecord) -> Double? {
            record.read(at: Date(timeIntervalSince1970: 64)).operation.activeSeconds
        }
        #expect(time(record) == 64)
        record.operation.status = .paused
        #expect(time(record) == 60)
    }

    @Test func whatIsPausedStays() {
        let paused = record(status: .paused)
        #expect(remaining(paused, at: 1_000) == paused.operation.remaining)
    }
}
