import Foundation
import OperationTrackingTesting
import Testing

@testable import OperationTracking

struct RemainingTimeTests {
    private func estimate(
        after seconds: Int,
        of total: Int64? = 10_000,
        present: Int64 = 0,
        perSecond: Int = 1,
        rate: (Double) -> Double
    ) -> RemainingTime? {
        var estimator = RemainingTimeEstimator()
        estimator.observe(at: 0, completed: present, present: present, total: total)
        for step in 1...(seconds * perSecond) {
            let time = Double(step) / Double(perSecond)
            estimator.observe(at: time, completed: present + Int64(rate(time)), present: present, total: total)
        }
        return estimator.estimate
    }

    @Test func aSteadyRateIsTakenAtItsWord() throws {
        let remaining = try #require(estimate(after: 60) { $0 * 50 })
        #expect(abs(remaining.expected - 140) < 9)
        #expect(remaining.low < 140 && 140 < remaining.high)
        #expect(remaining.high / remaining.low < 1.6)
        #expect(remaining.basis == .rate && remaining.samples == 0)
    }

    @Test func aSteadyFinishDoesNotMove() {
        var estimator = RemainingTimeEstimator()
        estimator.observe(at: 0, completed: 0, present: 0, total: 10_000)
        var finishes: Set<Int> = []
        for second in 20...190 {
            estimator.observe(at: Double(second), completed: Int64(second * 50), present: 0, total: 10_000)
            guard let remaining = estimator.estimate else { continue }
            finishes.insert(Int(((remaining.expected + Double(second)) * 1000).rounded()))
        }
        #expect(finishes.count <= 5, "it moved to \(finishes.sorted())")
    }

    @Test func aShownFinishStaysWithinASecond() throws {
        var estimator = RemainingTimeEstimator()
        estimator.observe(at: 0, completed: 0, present: 0, total: 1_000_000)
        var finish: Double?
        var moves: [Double] = []
        var completed: Int64 = 0
        var chance = SeededGenerator(seed: 4)
        for step in 1...1000 {
            let time = Double(step) / 10
            completed += Int64.random(in: 0...1000, using: &chance) * (step % 300 < 150 ? 1 : 3)
            estimator.observe(at: time, completed: completed, present: 0, total: 1_000_000)
            guard time >= 1, let remaining = estimator.estimate else { continue }
            let next = time + remaining.expected
            if let finish, abs(next - finish) > 1e-6 { moves.append(time) }
            finish = next
        }
        #expect(!moves.isEmpty)
        for (before, after) in zip(moves, moves.dropFirst()) { #expect(after - before > 0.9) }
    }

    @Test func moreLeftTakesLonger() throws {
        var before = 0.0
        for total in stride(from: Int64(4_000), through: 40_000, by: 1_000) {
            let remaining = try #require(estimate(after: 60, of: total) { $0 * 50 + ($0 / 7).rounded(.down) * 30 })
            #expect(remaining.expected > before)
            before = remaining.expected
        }
    }

    @Test func aFasterRunEndsSooner() throws {
        var before = Double.infinity
        for rate in stride(from: 10.0, through: 100, by: 10) {
            let remaining = try #require(estimate(after: 60) { $0 * rate })
            #expect(remaining.expected < before)
            before = remaining.expected
        }
    }

    @Test func theUnitDoesNotMatter() throws {
        let course = { (time: Double) in time * 50 + (time / 7).rounded(.down) * 30 }
        let items = try #require(estimate(after: 60, of: 10_000, rate: course))
        let bytes = try #require(estimate(after: 60, of: 10_000_000_000) { course($0).rounded(.down) * 1_000_000 })
        #expect(abs(items.expected - bytes.expected) < 1e-6 * items.expected)
        #expect(abs(items.low - bytes.low) < 1e-6 * items.low)
        #expect(abs(items.high - bytes.high) < 1e-6 * items.high)
    }

    @Test func whatTakesTenTimesAsLongIsEstimatedTenTimesAsLong() throws {
        // Far beyond the half minute after which a rate is believed; nearer it the prior and the recent rate have a say.
        let short = try #require(estimate(after: 1_000, of: 100_000) { $0 * 50 })
        let long = try #require(estimate(after: 10_000, of: 1_000_000) { $0 * 50 })
        #expect(abs(long.expected / short.expected - 10) < 0.3)
    }

    @Test func anEvenRateIsBelievedSoon() throws {
        let remaining = try #require(estimate(after: 10, of: 600_000) { $0 * 1_000 })
        #expect(abs(remaining.expected / 590 - 1) < 0.08)
    }

    @Test func burstsThatLastASecondAreSoonSeen() throws {
        var sum = 0.0
        for seed in 1...40 as ClosedRange<UInt64> {
            var chance = SeededGenerator(seed: seed)
            let done = (0..<120).reduce(into: [0.0]) { done, _ in
                done.append(done.last! - 1_000 * log(Double.random(in: 0.0001...1, using: &chance)))
            }
            var estimator = RemainingTimeEstimator()
            for second in 0...40 {
                let (completed, total) = (Int64(done[second]), Int64(done[120]))
                estimator.observe(at: Double(second), completed: completed, present: 0, total: total)
                if second >= 10 { sum += log(try #require(estimator.estimate).expected / Double(120 - second)) }
            }
        }
        #expect(abs(sum / 40 / 31) < 0.55)
    }

    @Test func howOftenIsReportedDoesNotMatter() throws {
        let course = { (time: Double) in time * 40 + (time / 20).rounded(.down) * 200 }
        let seldom = try #require(estimate(after: 100, rate: course))
        // Between the seconds in a straight line, as if it were reported there too.
        let often = try #require(
            estimate(after: 100, perSecond: 20) { time in
                let second = time.rounded(.down)
                return course(second) + (time - second) * (course(second + 1) - course(second))
            }
        )
        #expect(abs(seldom.expected / often.expected - 1) < 0.05)
        #expect(abs(seldom.high / often.high - 1) < 0.05)
    }

    /// How far the shown finish moves in all, from report to report, in seconds.
    ///
    /// - Parameter parts: how many reports there are for each of them.
    private func movement(gap: Double, parts: Int64, seed: UInt64) -> Double {
        var chance = SeededGenerator(seed: seed)
        var estimator = RemainingTimeEstimator()
        var (completed, movement, finish) = (Int64(0), 0.0, Double.nan)
        for step in 0..<120 {
            let work = Int64(1_000_000 * gap * exp(Double.random(in: -1.5...1.5, using: &chance)))
            for part in 0...parts {
                estimator.observe(
                    at: gap * (Double(step) + Double(part) / Double(parts)),
                    completed: completed + work * part / parts,
                    present: 0,
                    total: Int64(200_000_000 * gap)
                )
            }
            completed += work
            guard step > 8, let expected = estimator.estimate?.expected else { continue }
            let next = gap * Double(step + 1) + expected
            if !finish.isNaN { movement += abs(next - finish) }
            finish = next
        }
        return movement
    }

    @Test(arguments: [1, 1.7, 3.7]) func theFinishMovesAsFarHoweverOftenIsReported(gap: Double) {
        let seeds = (1...20 as ClosedRange<UInt64>)
        let seldom = seeds.reduce(0) { $0 + movement(gap: gap, parts: 1, seed: $1) }
        let often = seeds.reduce(0) { $0 + movement(gap: gap, parts: 20, seed: $1) }
        #expect(seldom > 0 && abs(often / seldom - 1) < 0.03, "\(often) and \(seldom)")
    }

    @Test func whatWasThereAlreadyIsNoSpeed() throws {
        let resumed = try #require(estimate(after: 60, of: 100_000, present: 90_000) { $0 * 50 })
        let fresh = try #require(estimate(after: 60, of: 10_000) { $0 * 50 })
        #expect(abs(resumed.expected - fresh.expected) < 1e-9)
    }

    @Test func aRewindAddsTheWorkThatIsToBeDoneAgain() throws {
        var estimator = RemainingTimeEstimator()
        estimator.observe(at: 0, completed: 0, present: 0, total: 10_000)
        for second in 1...100 {
            estimator.observe(at: Double(second), completed: Int64(second * 50), present: 0, total: 10_000)
        }
        let before = try #require(estimator.estimate)
        for second in 101...102 {
            estimator.observe(at: Double(second), completed: 2_500, present: 0, total: 10_000)
        }
        let after = try #require(estimator.estimate)
        #expect(after.expected > 1.3 * before.expected)
    }

    @Test func aTotalMayComeLateAndGrow() throws {
        var estimator = RemainingTimeEstimator()
        estimator.observe(at: 0, completed: 0, present: 0, total: nil)
        for second in 1...50 {
            estimator.observe(at: Double(second), completed: Int64(second * 50), present: 0, total: nil)
        }
        #expect(estimator.estimate == nil)
        estimator.observe(at: 51, completed: 2_550, present: 0, total: 5_050)
        let first = try #require(estimator.estimate)
        #expect(abs(first.expected - 50) < 5)
        estimator.observe(at: 52, completed: 2_600, present: 0, total: 10_100)
        let second = try #require(estimator.estimate)
        #expect(abs(second.expected - 150) < 10)
    }

    @Test func aTotalThatGrowsAtTheMomentOfTheLastReportCounts() throws {
        func finished() -> RemainingTimeEstimator {
            var estimator = RemainingTimeEstimator()
            for second in 0...60 {
                estimator.observe(at: Double(second), completed: Int64(second * 50), present: 0, total: 3000)
            }
            return estimator
        }
        var estimator = finished()
        #expect(estimator.estimate?.expected == 0)
        estimator.observe(at: 60, completed: 3000, present: 0, total: 6000)
        let remaining = try #require(estimator.estimate)
        #expect(abs(remaining.expected - 60) < 6)
        #expect(remaining.low < 60 && 60 < remaining.high)
        var earlier = finished()
        earlier.observe(at: 59, completed: 3000, present: 0, total: 6000)
        #expect(earlier.estimate?.expected == 0)
    }

    @Test func aTotalThatGrowsAtTheMomentOfTheLastReportCountsOnTheWay() throws {
        var (once, twice) = (RemainingTimeEstimator(), RemainingTimeEstimator())
        for second in stride(from: 0, through: 60, by: 10) {
            let total: Int64 = second < 60 ? 6000 : 12_000
            once.observe(at: Double(second), completed: Int64(second * 50), present: 0, total: total)
            twice.observe(at: Double(second), completed: Int64(second * 50), present: 0, total: 6000)
            twice.observe(at: Double(second), completed: Int64(second * 50), present: 0, total: total)
        }
        let (expected, found) = (try #require(once.estimate), try #require(twice.estimate))
        #expect(abs(found.expected / expected.expected - 1) < 0.1)
        #expect(expected.expected > 150)
    }

    @Test func whatIsReportedTwiceAtAMomentIsNoRate() throws {
        var (once, twice) = (RemainingTimeEstimator(), RemainingTimeEstimator())
        for second in 0...60 {
            once.observe(at: Double(second), completed: Int64(second * 50), present: 0, total: 9000)
            twice.observe(at: Double(second), completed: Int64(second * 50) - 20, present: 0, total: 9000)
            twice.observe(at: Double(second), completed: Int64(second * 50), present: 0, total: 9000)
        }
        let (expected, found) = (try #require(once.estimate), try #require(twice.estimate))
        #expect(abs(found.expected / expected.expected - 1) < 0.02)
        #expect(found.high / found.low < 1.05 * expected.high / expected.low)
    }

    @Test func whatIsTakenBackAtTheMomentOfTheLastReportIsWorkOnceMore() throws {
        var (after, at) = (RemainingTimeEstimator(), RemainingTimeEstimator())
        for second in 0...60 {
            after.observe(at: Double(second), completed: Int64(second * 50), present: 0, total: 9000)
            at.observe(at: Double(second), completed: Int64(second * 50), present: 0, total: 9000)
        }
        at.observe(at: 60, completed: 1000, present: 0, total: 9000)
        after.observe(at: 60.001, completed: 1000, present: 0, total: 9000)
        for second in 61...80 {
            let completed = Int64(1400 + (second - 60) * 50)
            at.observe(at: Double(second), completed: completed, present: 0, total: 9000)
            after.observe(at: Double(second), completed: completed, present: 0, total: 9000)
        }
        let (expected, found) = (try #require(after.estimate), try #require(at.estimate))
        #expect(abs(found.expected / expected.expected - 1) < 0.02)
    }

    @Test func nothingIsSaidWithoutProgress() {
        var estimator = RemainingTimeEstimator()
        for second in 0...10 { estimator.observe(at: Double(second), completed: 7, present: 7, total: 100) }
        #expect(estimator.estimate == nil)
    }

    @Test func whatIsDoneNeedsNoTime() throws {
        let remaining = try #require(estimate(after: 200) { min(10_000, $0 * 50) })
        #expect(remaining == RemainingTime(expected: 0, low: 0, high: 0, basis: .rate))
    }

    @Test func nonsenseIsIgnored() throws {
        var estimator = RemainingTimeEstimator()
        estimator.observe(at: 0, completed: 0, present: 0, total: 1_000)
        for second in 1...10 {
            estimator.observe(at: Double(second), completed: Int64(second * 10), present: 0, total: 1_000)
        }
        let before = try #require(estimator.estimate)
        estimator.observe(at: .nan, completed: 500, present: 0, total: 1_000)
        estimator.observe(at: .infinity, completed: 500, present: 0, total: 1_000)
        estimator.observe(at: 3, completed: 500, present: 0, total: 1_000)
        #expect(estimator.estimate == before)
    }

    @Test(arguments: [3.0, 5, 8, 12]) func workOfSecondsIsNotTakenForLong(_ length: Double) throws {
        for share in [0.3, 0.5, 0.7] {
            var estimator = RemainingTimeEstimator()
            let total = Int64(length * 1_000_000)
            for step in 0...Int(length * share * 4) {
                let completed = Int64(Double(step) * 250_000)
                estimator.observe(at: Double(step) / 4, completed: completed, present: 0, total: total)
            }
            let truth = length - (length * share * 4).rounded(.down) / 4
            let remaining = try #require(estimator.estimate)
            #expect(remaining.expected < 1.6 * truth)
            #expect(remaining.low <= truth && truth <= remaining.high)
        }
    }

    @Test(arguments: [0.5, 1, 2, 3], [4.0, 6, 8]) func whatWasWaitedForAtFirstMayBeDoneSooner(
        _ wait: Double,
        _ length: Double
    ) throws {
        for share in [0.25, 0.5, 0.75, 0.9] {
            var estimator = RemainingTimeEstimator()
            let steps = Int((wait + length * share) * 4)
            for step in 0...steps {
                estimator.observe(
                    at: Double(step) / 4,
                    completed: Int64(max(0, Double(step) / 4 - wait) * 1_000_000),
                    present: 0,
                    total: Int64(length * 1_000_000)
                )
            }
            let truth = wait + length - Double(steps) / 4
            let remaining = try #require(estimator.estimate)
            #expect(remaining.low <= truth && truth <= remaining.high)
        }
    }

    @Test func timesThatAreNoneDoNoHarm() throws {
        var estimator = RemainingTimeEstimator()
        estimator.observe(at: 0, completed: 0, present: 0, total: 1_000)
        estimator.observe(at: 1e-308, completed: 5, present: 0, total: 1_000)
        for second in 1...20 {
            estimator.observe(at: Double(second), completed: Int64(second * 10), present: 0, total: 1_000)
        }
        estimator.observe(at: 1e300, completed: 300, present: 0, total: 1_000)
        let remaining = try #require(estimator.estimate)
        #expect(remaining.expected.isFinite && remaining.high.isFinite)
        #expect(abs(remaining.expected - 80) < 15)
    }

    @Test func aTotalThatShrinksAtAStandstillCounts() throws {
        var estimator = RemainingTimeEstimator()
        for second in 0...60 {
            estimator.observe(at: Double(second), completed: Int64(second * 10), present: 0, total: 100_000)
        }
        for second in 61...80 { estimator.observe(at: Double(second), completed: 600, present: 0, total: 100_000) }
        let before = try #require(estimator.estimate)
        for second in 81...83 { estimator.observe(at: Double(second), completed: 600, present: 0, total: 1_000) }
        #expect(try #require(estimator.estimate).high < before.high / 10)
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>) func anyCourseGivesAnOrderedInterval(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        var estimator = RemainingTimeEstimator()
        var (time, completed, present) = (0.0, Int64(0), Int64(0))
        var total: Int64? = Bool.random(using: &chance) ? 1_000_000 : nil
        let scale = pow10(Int.random(in: 0...12, using: &chance))
        var estimates = 0
        for _ in 0..<500 {
            time +=
                Double.random(in: 0...1, using: &chance) * Double(pow10(Int.random(in: 0...3, using: &chance))) / 100
            switch Int.random(in: 0..<20, using: &chance) {
            case 0: completed = max(0, completed - Int64.random(in: 0...scale, using: &chance))
            case 1: total = Int64.random(in: 0...(scale * 1000), using: &chance)
            case 2: total = nil
            case 3: present = Int64.random(in: 0...max(1, completed), using: &chance)
            case 4...10: break
            default: completed += Int64.random(in: 0...scale, using: &chance)
            }
            estimator.observe(at: time, completed: completed, present: present, total: total)
            guard let remaining = estimator.estimate else { continue }
            estimates += 1
            #expect(remaining.expected.isFinite && remaining.high.isFinite)
            #expect(0 <= remaining.low && remaining.low <= remaining.expected && remaining.expected <= remaining.high)
        }
        #expect(estimates > 50)
    }

    private func pow10(_ exponent: Int) -> Int64 { (0..<exponent).reduce(1) { power, _ in power * 10 } }
}
