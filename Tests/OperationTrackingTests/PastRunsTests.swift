#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTrackingTesting
import Testing

@testable import OperationTracking

struct PastRunsTests {
    private let clock = ManualClock()

    private func history(_ runs: [(Double, Int64?)], of type: OperationType = .download) -> RunHistory {
        var history = RunHistory()
        for (seconds, work) in runs {
            history.add(RunHistory.Run(seconds: seconds, work: work, unit: .bytes), of: type)
        }
        return history
    }

    @Test func runsOfTheSameSizeAreComparedFirst() throws {
        let history = history(
            Array(repeating: (10, 1_000), count: 5) + Array(repeating: (1_000, 1_000_000), count: 5)
        )
        let small = try #require(history.past(of: .download, work: 900, unit: .bytes).durations)
        let large = try #require(history.past(of: .download, work: 1_010_000, unit: .bytes).durations)
        #expect(small.samples == 5 && small.late == 10)
        #expect(large.samples == 5 && large.late == 1_000)
    }

    @Test func whereThereAreTooFewOfASizeAllOfTheTypeAreCompared() throws {
        let history = history(Array(repeating: (10, 1_000), count: 4) + Array(repeating: (20, 1_000_000), count: 4))
        #expect(try #require(history.past(of: .download, work: 1_000, unit: .bytes).durations).samples == 8)
        #expect(try #require(history.past(of: .download, work: nil, unit: .bytes).durations).samples == 8)
        #expect(try #require(history.past(of: .download, work: 1_000, unit: .items).durations).samples == 8)
    }

    @Test func aNewTypeIsComparedWithAllOnceThereAreMany() {
        #expect(
            history(Array(repeating: (10, nil), count: 19)).past(of: .seed, work: nil, unit: .items).durations == nil
        )
        let many = history(Array(repeating: (10, nil), count: 20)).past(of: .seed, work: nil, unit: .items).durations
        #expect(many?.samples == 20)
    }

    @Test func theLatestRunsCount() throws {
        let history = history(
            Array(repeating: (10, nil), count: 300) + Array(repeating: (99, nil), count: RunHistory.keptRuns)
        )
        #expect(try #require(history.past(of: .download, work: nil, unit: .bytes).durations).late == 99)
    }

    @Test func theMostThatWasTransferredIsForgottenBitByBit() throws {
        var history = RunHistory()
        #expect(history.transferredBytes(of: .download) == nil)
        for bytes: Int64 in [1_000, 0, 100, 950] {
            let run = RunHistory.Run(seconds: 1, work: nil, unit: .bytes)
            history.add(RunHistory.Lesson(type: .download, run: run, bytes: bytes, accuracy: nil))
        }
        #expect(history.transferredBytes(of: .download) == 950)
        let run = RunHistory.Run(seconds: 1, work: nil, unit: .bytes)
        history.add(RunHistory.Lesson(type: .download, run: run, bytes: 10, accuracy: nil))
        #expect(history.transferredBytes(of: .download) == 855)
        #expect(history.transferredBytes(of: .pullModel) == nil)
    }

    private func record(seconds: Double) -> OperationRecord {
        var operation = BackgroundOperation(
            id: OperationID.make(at: 0),
            type: .download,
            description: "work",
            status: .completed,
            createdAt: .now
        )
        operation.activeSeconds = seconds
        return OperationRecord(operation: operation)
    }

    @Test func olderRunsComeBeforeOnes() throws {
        var past = Past()
        past.add(try #require(RunHistory.Lesson(record(seconds: 1))))
        past.begin(with: (2...600).map { record(seconds: Double($0)) })
        let durations = try #require(past.runs.past(of: .download, work: nil, unit: .bytes).durations)
        #expect(durations.samples == RunHistory.keptRuns)
        #expect(durations.late < 256, "the newest are kept: 1 to 256")
    }

    @Test func whatRemainsIsJudgedByTheRunsThatTookLonger() throws {
        let durations = try #require(PastDurations((1...100).map(Double.init)))
        let first = try #require(durations.prior(after: 0))
        let later = try #require(durations.prior(after: 80))
        #expect(abs(first.logMedian - 3.93) < 0.1)
        #expect(abs(later.logMedian - 2.3) < 0.3)
        #expect(durations.prior(after: 96) == nil, "it says nothing about a run that takes longer than them")
    }

    @Test func anEstimateBeginsWithHistoryAndEndsWithTheRate() throws {
        var estimator = RemainingTimeEstimator()
        estimator.compare(with: PastOfType(durations: PastDurations((1...20).map { 90 + Double($0) })))
        estimator.observe(at: 0, completed: 0, present: 0, total: 10_000)
        let first = try #require(estimator.estimate)
        #expect((95...106).contains(first.expected))
        #expect(first.basis == .history && first.samples == 20)
        #expect(first.low > 60 && first.high < 160)
        // This run is four times as fast as those.
        var bases = [first.basis]
        for second in 1...24 {
            estimator.observe(at: Double(second), completed: Int64(second * 400), present: 0, total: 10_000)
            let basis = try #require(estimator.estimate).basis
            if basis != bases.last { bases.append(basis) }
        }
        #expect(bases == [.history, .blend] || bases == [.history, .blend, .rate])
        #expect(try #require(estimator.estimate).expected < 4)
    }

    @Test func historyServesWhereNoTotalIsKnown() throws {
        var estimator = RemainingTimeEstimator()
        estimator.compare(with: PastOfType(durations: PastDurations(Array(repeating: 60, count: 9))))
        for second in 0...20 { estimator.observe(at: Double(second), completed: Int64(second), present: 0, total: nil) }
        let remaining = try #require(estimator.estimate)
        #expect(abs(remaining.expected - 40) < 4)
        #expect(remaining.basis == .history && remaining.samples == 9 && estimator.isOverdue == false)
    }

    @Test func aRunThatTakesLongerThanNearlyAllBeforeIsOverdue() throws {
        var estimator = RemainingTimeEstimator()
        estimator.compare(with: PastOfType(durations: PastDurations(Array(repeating: 60, count: 9))))
        for second in 0...61 {
            estimator.observe(at: Double(second), completed: Int64(second), present: 0, total: 1_000)
        }
        #expect(estimator.isOverdue == true)
    }

    @Test(.timeLimit(.minutes(1))) func thatIsTold() async throws {
        let tracker = OperationTracker(history: InMemoryHistoryStore(), clock: clock)
        for _ in 1...5 {
            let handle = try tracker.start(type: .install, description: "work")
            await clock.advance(by: .seconds(60))
            try await tracker.complete(handle.id)
        }
        let slow = try tracker.start(type: .install, description: "work")
        while !tracker.knowsPast { await briefPause() }
        _ = tracker.tick()
        var events = tracker.events().makeAsyncIterator()
        await clock.advance(by: .seconds(59))
        _ = tracker.tick()
        #expect(slow.operation.isOverdue == false)
        await clock.advance(by: .seconds(2))
        _ = tracker.tick()
        while let event = await events.next(), event.operation?.isOverdue != true {}
        try await tracker.cancel(slow.id)
    }

    @Test func aTrackerComparesWithItsOwnRunsAndThoseOfItsHistory() async throws {
        let store = InMemoryHistoryStore()
        let first = OperationTracker(history: store, clock: clock)
        for _ in 1...5 {
            let handle = try first.start(type: .download, description: "work", total: 1_000)
            await clock.advance(by: .seconds(50))
            handle.update(completed: 1_000)
            try await first.complete(handle.id)
        }
        for tracker in [first, OperationTracker(history: store, clock: clock)] {
            await clock.advance(by: .seconds(1))
            let handle = try tracker.start(type: .download, description: "work", total: 1_000)
            while !tracker.knowsPast { await briefPause() }
            _ = tracker.tick()
            let remaining = try #require(handle.operation.remaining)
            #expect(remaining.basis == .history && remaining.samples == 5)
            #expect(abs(remaining.expected - 50) < 1)
            try await tracker.cancel(handle.id)
        }
    }
}
