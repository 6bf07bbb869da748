#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTrackingTesting
import Synchronization
import Testing

@testable import OperationTracking

struct EstimateAccuracyTests {
    @Test func aRunIsJudgedAtFiveSharesOfItsWork() throws {
        var estimator = RemainingTimeEstimator()
        for second in 0...100 {
            estimator.observe(at: Double(second), completed: Int64(second * 10), present: 0, total: 1_000)
        }
        let score = try #require(estimator.accuracy(endingAt: 100))
        #expect(score.count == 5)
        #expect(score.covered >= 4)
        #expect(score.logErrorSum / 5 < 0.2)
    }

    @Test func estimatesThatWereFarOffCountAsMisses() throws {
        var estimator = RemainingTimeEstimator()
        for second in 0...50 {
            estimator.observe(at: Double(second), completed: Int64(second * 10), present: 0, total: 1_000)
        }
        let score = try #require(estimator.accuracy(endingAt: 1_000))
        #expect(score.count == 3 && score.covered == 0)
        #expect(score.logErrorSum / 3 > 1.5)
    }

    @Test func aRunOfAMomentIsNotJudged() {
        var estimator = RemainingTimeEstimator()
        for step in 0...4 {
            estimator.observe(at: Double(step) / 10, completed: Int64(step * 250), present: 0, total: 1_000)
        }
        #expect(estimator.accuracy(endingAt: 0.4) == nil)
    }

    @Test func whatIsJudgedIsWhatWasShownOfWorkThatIsHeldBack() throws {
        var estimator = RemainingTimeEstimator()
        for second in 0...100 {
            estimator.observe(
                at: Double(second),
                completed: Int64(second * 10),
                present: 0,
                total: 1_000,
                notBefore: Double(1_000 - second)
            )
        }
        let score = try #require(estimator.accuracy(endingAt: 1_000))
        #expect(score.count == 5 && score.covered == 5)
        #expect(score.logErrorSum < 0.001)
    }

    /// Errors with a spread that the usual interval doesn't fit.
    private func coverage(
        spread: Double,
        runs: Int,
        _ width: inout IntervalWidth,
        _ chance: inout SeededGenerator,
        each: (EstimateAccuracy) -> Void = { _ in }
    ) -> Double {
        var covered = 0
        for _ in 0..<runs {
            var score = EstimateAccuracy()
            for _ in 0..<5 {
                // The sum of twelve uniform numbers is nearly normal; 1.28 standard deviations hold 80 %.
                let normal = (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &chance) }
                score.count += 1
                if abs(normal * spread) <= 1.28 * width.factor { score.covered += 1 }
            }
            covered += score.covered
            width.learn(from: score)
            each(score)
        }
        return Double(covered) / Double(5 * runs)
    }

    @Test(arguments: [0.7, 1.0, 1.6]) func theIntervalComesToHoldFourInFive(spread: Double) {
        var (width, chance) = (IntervalWidth(), SeededGenerator(seed: 7))
        _ = coverage(spread: spread, runs: 100, &width, &chance)
        let later = coverage(spread: spread, runs: 400, &width, &chance)
        #expect(abs(later - 0.8) < 0.03)
    }

    @Test func itFollowsWhenConditionsChange() {
        var (width, chance) = (IntervalWidth(), SeededGenerator(seed: 8))
        for spread in [1.0, 1.6, 0.7, 1.0] {
            _ = coverage(spread: spread, runs: 60, &width, &chance)
            #expect(abs(coverage(spread: spread, runs: 300, &width, &chance) - 0.8) < 0.04)
        }
    }

    @Test func itStaysWithinBounds() {
        var (width, chance) = (IntervalWidth(), SeededGenerator(seed: 9))
        _ = coverage(spread: 1_000, runs: 500, &width, &chance)
        #expect(width.factor < 2.001)
        _ = coverage(spread: 0, runs: 500, &width, &chance)
        #expect(width.factor > 0.499)
    }

    /// Does a hundred seconds of even work, a report and a look a second.
    private func work(_ tracker: OperationTracker, _ clock: ManualClock) async throws {
        let handle = try tracker.start(type: .download, description: "work", total: 1_000)
        for step in 1...100 {
            await clock.advance(by: .seconds(1))
            handle.update(completed: Int64(step * 10))
            _ = tracker.tick()
        }
        try await tracker.complete(handle.id)
    }

    @Test func howEstimatesHeldIsKeptInTheHistory() async throws {
        let (clock, store) = (ManualClock(), InMemoryHistoryStore())
        let tracker = OperationTracker(history: store, clock: clock)
        try await work(tracker, clock)
        let failing = try tracker.start(type: .download, description: "work", total: 1_000)
        try await tracker.fail(failing.id, OperationFailure(.providerError, "no"))

        let accuracy = try #require(try await store.statistics(types: nil).first).accuracy
        #expect(accuracy.count == 5)
        #expect(try #require(accuracy.coverage) >= 0.8)
        // How close depends on which ticks fall between two reports; that it is kept, and small, does not.
        #expect(try #require(accuracy.meanLogError) < 0.5)
        #expect(tracker.endedTotals.byType[.download]?.accuracy == accuracy)
    }

    @Test func theWidthOutlivesRunsThatAreNoLongerKnown() {
        var (width, chance, history) = (IntervalWidth(), SeededGenerator(seed: 10), [RunHistory.Lesson]())
        var run = RunHistory.Lesson(id: .make(at: 0), type: .download, run: .init(seconds: 10, unit: .bytes))
        for _ in 0..<600 {
            run.width = width.factor
            _ = coverage(spread: 1.6, runs: 1, &width, &chance) { run.accuracy = $0 }
            history.append(run)
        }
        #expect(width.factor > 1.4)
        for known in [1, 20, 100] {
            var later = RunHistory()
            for lesson in history.suffix(known) { later.add(older: lesson) }
            #expect(abs(later.widthFactor(of: .download) - width.factor) < 1e-9)
        }
    }

    @Test func runsSideBySideTeachOneAfterTheOther() {
        var missed = EstimateAccuracy()
        (missed.count, missed.covered) = (5, 0)
        var (live, later) = (IntervalWidth(), RunHistory())
        let seconds = RunHistory.Run(seconds: 10, unit: .bytes)
        let run = RunHistory.Lesson(id: .make(at: 0), type: .download, run: seconds, accuracy: missed, width: 1)
        for _ in 0..<10 {
            live.learn(from: missed)
            later.add(older: run)
        }
        #expect(live.factor > 1.5 && abs(later.widthFactor(of: .download) - live.factor) < 1e-9)
    }

    @Test func aRunKeepsTheWidthThatItUsed() async throws {
        let (clock, store) = (ManualClock(), InMemoryHistoryStore())
        let tracker = OperationTracker(history: store, clock: clock)
        for _ in 1...3 {
            try await work(tracker, clock)
            while !tracker.knowsPast { await briefPause() }
        }
        var width = IntervalWidth()
        for record in try await store.page(HistoryQuery(limit: 10)).records.reversed() {
            // The first may have begun before the history was known.
            #expect(record.estimateWidth ?? 1 == width.factor)
            width.learn(from: try #require(record.accuracy))
        }
    }

    @Test func aLaterTrackerBeginsWithTheWidthThatRunsCameTo() async throws {
        let (clock, store) = (ManualClock(), InMemoryHistoryStore())
        for second in 0..<40 {
            var operation = BackgroundOperation(
                id: OperationID.make(at: 0),
                type: .download,
                description: "work",
                status: .completed,
                createdAt: Date(milliseconds: clock.wallMilliseconds + Int64(second))
            )
            operation.finishedAt = operation.createdAt
            operation.activeSeconds = 10
            var record = OperationRecord(operation: operation)
            record.accuracy = EstimateAccuracy(count: 5, covered: 0, logErrorSum: 5)
            _ = await store.commit(record)
        }
        await clock.advance(by: .seconds(1))
        let tracker = OperationTracker(history: store, clock: clock)
        let handle = try tracker.start(type: .download, description: "work", total: 1_000)
        while !tracker.knowsPast { await briefPause() }
        let width = tracker.past.withLock { $0.runs.widthFactor(of: .download) }
        #expect(abs(width - 2) < 0.01)
        try await tracker.cancel(handle.id)
    }
}
