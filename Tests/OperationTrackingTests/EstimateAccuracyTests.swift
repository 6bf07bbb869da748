import OperationTrackingTesting
import Testing

@testable import OperationTracking

struct EstimateAccuracyTests {
    @Test func aRunIsJudgedAtFiveSharesOfItsWork() {
        var estimator = RemainingTimeEstimator()
        for second in 0...100 {
            estimator.observe(at: Double(second), completed: Int64(second * 10), present: 0, total: 1_000)
        }
        let score = estimator.score(endingAt: 100)
        #expect(score.count == 5)
        #expect(score.covered >= 4)
        #expect(score.logErrorSum / 5 < 0.2)
    }

    @Test func estimatesThatWereFarOffCountAsMisses() {
        var estimator = RemainingTimeEstimator()
        for second in 0...50 {
            estimator.observe(at: Double(second), completed: Int64(second * 10), present: 0, total: 1_000)
        }
        let score = estimator.score(endingAt: 1_000)
        #expect(score.count == 3 && score.covered == 0)
        #expect(score.logErrorSum / 3 > 1.5)
    }

    @Test func aRunOfAMomentIsNotJudged() {
        var estimator = RemainingTimeEstimator()
        for step in 0...4 {
            estimator.observe(at: Double(step) / 10, completed: Int64(step * 250), present: 0, total: 1_000)
        }
        #expect(estimator.score(endingAt: 0.4).count == 0)
    }

    /// Errors with a spread that the usual interval doesn't fit.
    private func coverage(
        spread: Double,
        runs: Int,
        _ accuracy: inout EstimateAccuracy,
        _ chance: inout SeededGenerator
    ) -> Double {
        var covered = 0
        for _ in 0..<runs {
            var score = PredictionScore()
            for _ in 0..<5 {
                // The sum of twelve uniform numbers is nearly normal; 1.28 standard deviations hold 80 %.
                let normal = (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &chance) }
                score.count += 1
                if abs(normal * spread) <= 1.28 * accuracy.widthFactor { score.covered += 1 }
            }
            covered += score.covered
            accuracy.add(score)
        }
        return Double(covered) / Double(5 * runs)
    }

    @Test(arguments: [0.7, 1.0, 1.6]) func theIntervalComesToHoldFourInFive(spread: Double) {
        var (accuracy, chance) = (EstimateAccuracy(), SeededGenerator(seed: 7))
        _ = coverage(spread: spread, runs: 100, &accuracy, &chance)
        let later = coverage(spread: spread, runs: 400, &accuracy, &chance)
        #expect(abs(later - 0.8) < 0.03)
        #expect(accuracy.count == 2_500)
    }

    @Test func itFollowsWhenConditionsChange() {
        var (accuracy, chance) = (EstimateAccuracy(), SeededGenerator(seed: 8))
        for spread in [1.0, 1.6, 0.7, 1.0] {
            _ = coverage(spread: spread, runs: 60, &accuracy, &chance)
            #expect(abs(coverage(spread: spread, runs: 300, &accuracy, &chance) - 0.8) < 0.04)
        }
    }

    @Test func itStaysWithinBounds() {
        var (accuracy, chance) = (EstimateAccuracy(), SeededGenerator(seed: 9))
        _ = coverage(spread: 1_000, runs: 500, &accuracy, &chance)
        #expect(accuracy.widthFactor < 2.001)
        _ = coverage(spread: 0, runs: 500, &accuracy, &chance)
        #expect(accuracy.widthFactor > 0.499)
    }

    @Test func aTrackerKeepsHowItsEstimatesHeld() async throws {
        let clock = ManualClock()
        let tracker = OperationTracker(clock: clock)
        #expect(tracker.estimateAccuracy(of: .download).coverage == nil)
        let handle = try tracker.start(type: .download, description: "work", total: 1_000)
        for step in 1...100 {
            await clock.advance(by: .seconds(1))
            handle.update(completed: Int64(step * 10))
            _ = tracker.tick()
        }
        try await tracker.complete(handle.id)
        let accuracy = tracker.estimateAccuracy(of: .download)
        #expect(accuracy.count == 5)
        #expect(try #require(accuracy.coverage) >= 0.8)
        // How close depends on which ticks fall between two reports; that it is kept, and small, does not.
        #expect(try #require(accuracy.meanLogError) < 0.5)
        let failing = try tracker.start(type: .download, description: "work", total: 1_000)
        try await tracker.fail(failing.id, OperationFailure(.providerError, "no"))
        #expect(tracker.estimateAccuracy(of: .download).count == 5)
    }
}
