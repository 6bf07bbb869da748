import Foundation
import OperationTrackingTesting
import Testing

@testable import OperationTracking

/// A tracker looks at work four times a second, however seldom that reports.
struct SilenceTests {
    /// What is estimated at `end`, of work that reports what `rate` says at the moments in `reports`.
    ///
    /// - Parameter isLookedAt: whether it is looked at four times a second too, or told at the reports alone.
    private func estimates(
        of reports: [Double],
        until end: Double,
        isLookedAt: Bool,
        total: Int64 = 10_000,
        rate: (Double) -> Double = { $0 * 50 }
    ) -> [(seconds: Double, given: RemainingTime)] {
        var estimator = RemainingTimeEstimator()
        var (estimates, next, completed) = ([(seconds: Double, given: RemainingTime)](), 0, Int64(0))
        let looks = isLookedAt ? stride(from: 0.25, through: end, by: 0.25).map { $0 } : reports.filter { $0 <= end }
        estimator.observe(at: 0, completed: 0, present: 0, total: total)
        for look in looks {
            while next < reports.count, reports[next] <= look {
                completed = Int64(rate(reports[next]))
                next += 1
            }
            estimator.observe(at: look, completed: completed, present: 0, total: total)
            if let given = estimator.estimate { estimates.append((look, given)) }
        }
        return estimates
    }

    private func reports(every gap: Double, until end: Double) -> [Double] {
        Array(stride(from: gap, through: end, by: gap))
    }

    @Test(arguments: [0.5, 1, 2, 5, 10, 20]) func howSeldomSteadyWorkReportsDoesNotMatter(gap: Double) throws {
        for moment in [60.0, 100, 140] {
            let reports = reports(every: gap, until: moment)
            let remaining = try #require(estimates(of: reports, until: moment, isLookedAt: true).last?.given)
            #expect(abs(remaining.expected / (200 - moment) - 1) < 0.08)
            #expect(remaining.low <= 200 - moment && 200 - moment <= remaining.high)
            #expect(remaining.high / remaining.low < 1.6)
        }
    }

    @Test(arguments: [40.0, 60, 90, 150]) func stepsOfMinutesAreNoStandstill(gap: Double) throws {
        for moment in stride(from: gap + 10, through: 1_000, by: 35) {
            let shown = estimates(of: reports(every: gap, until: moment), until: moment, isLookedAt: true) { $0 * 5 }
            let remaining = try #require(shown.last?.given)
            #expect(abs(remaining.expected / (2_000 - moment) - 1) < 0.12)
            #expect(remaining.high / remaining.low < 1.6)
        }
    }

    @Test func workThatBeginsLateIsKnownAfterASecond() throws {
        let moments = (0...50).map { 10 + Double($0) / 4 }
        let shown = estimates(of: moments, until: 20, isLookedAt: true) { max(0, $0 - 10) * 50 }
        for (seconds, given) in shown where seconds >= 11 {
            #expect(given.expected < 1.5 * (210 - seconds))
            #expect(given.low <= 210 - seconds && 210 - seconds <= given.high)
        }
    }

    /// Looks four times a second at even work of `length` seconds that waits first, from its first byte on.
    private func looks(
        at length: Double,
        after wait: Double,
        comparedWith past: PastRuns? = nil
    ) -> [(left: Double, given: RemainingTime?)] {
        var estimator = RemainingTimeEstimator()
        if let past { estimator.compare(with: past) }
        var looks: [(left: Double, given: RemainingTime?)] = []
        for look in stride(from: 0, to: wait + length, by: 0.25) {
            let completed = Int64(max(0, look - wait) / length * 1e8)
            estimator.observe(at: look, completed: completed, present: 0, total: 100_000_000)
            if completed > 0 { looks.append((wait + length - look, estimator.estimate)) }
        }
        return looks
    }

    @Test(arguments: [(0.35, 60.0), (1.1, 60), (3.2, 60), (10.05, 20), (10.2, 20), (60.1, 120), (10.1, 6_000)])
    func whatWasWaitedForAtFirstMisleadsAtNoLook(_ wait: Double, _ length: Double) {
        let looks = looks(at: length, after: wait)
        #expect(looks.dropFirst().allSatisfy { $0.given != nil }, "after the second it is known")
        for case (let left, let given?) in looks where left > 2 {
            #expect(given.expected < 2 * left && left < 2 * given.expected, "\(given) for \(left)")
            #expect(given.low <= left && left <= given.high, "\(given) for \(left)")
        }
    }

    @Test(arguments: [1.1, 5.2, 30.1]) func aWaitIsNoReasonToForgetPastRuns(wait: Double) {
        let past = PastRuns(durations: PastDurations((0..<40).map { wait + 55 + Double($0 % 10) }))
        for (left, given) in looks(at: 60, after: wait, comparedWith: past).prefix(20) {
            #expect(given?.basis != .rate && given?.samples == 40)
            #expect(abs((given?.expected ?? 0) / left - 1) < 0.2)
        }
    }

    @Test func theFirstReportOfASecondIsNoReasonToForgetPastRuns() throws {
        var estimator = RemainingTimeEstimator()
        estimator.compare(with: PastRuns(durations: PastDurations((0..<40).map { 55 + Double($0 % 10) })))
        for second in 0...6 {
            let completed = Int64(max(0, second - 5) * 1_000)
            estimator.observe(at: Double(second), completed: completed, present: 0, total: 55_000)
        }
        let given = try #require(estimator.estimate)
        #expect(given.basis != .rate && abs(given.expected / 54 - 1) < 0.2)
    }

    @Test func theFinishOfWorkThatBeginsLateMovesAsFarHoweverOftenIsReported() {
        /// How far the finish moves from one whole second to the next, in all.
        func movement(every gap: Double, seed: UInt64) -> Double {
            var chance = SeededGenerator(seed: seed)
            let rates = (0..<90).map { Double.random(in: 200...1_800, using: &chance) * ($0 < 8 ? 0 : 1) }
            let done = rates.reduce(into: [0.0]) { $0.append($0.last! + $1) }
            var estimator = RemainingTimeEstimator()
            var (moved, before) = (0.0, Double?.none)
            for step in 0...Int((85 / gap).rounded()) {
                let time = Double(step) * gap
                let second = Int(time + 1e-9)
                let completed = Int64(done[second] + (time - Double(second)) * rates[second])
                estimator.observe(at: time, completed: completed, present: 0, total: Int64(done[90]))
                guard abs(time - time.rounded()) < 1e-9, let given = estimator.estimate else { continue }
                if let before { moved += abs(time + given.expected - before) }
                before = time + given.expected
            }
            return moved
        }
        let seeds = 1...12 as ClosedRange<UInt64>
        let seldom = seeds.reduce(0) { $0 + movement(every: 1, seed: $1) }
        let often = seeds.reduce(0) { $0 + movement(every: 0.1, seed: $1) }
        #expect(abs(often / seldom - 1) < 0.2)
    }

    @Test func whoLooksBetweenReportsSeesNoMoreThanTheyTell() throws {
        let reports = reports(every: 4, until: 120)
        let uneven = { (time: Double) in time * 40 + (time / 24).rounded(.down) * 200 }
        let told = try #require(estimates(of: reports, until: 120, isLookedAt: false, rate: uneven).last?.given)
        let looked = try #require(estimates(of: reports, until: 120, isLookedAt: true, rate: uneven).last?.given)
        #expect(abs(looked.expected / told.expected - 1) < 0.05)
        #expect(abs(looked.high / told.high - 1) < 0.1)
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>) func irregularReportsOfSteadyWorkLeaveItSteady(seed: UInt64) throws
    {
        var chance = SeededGenerator(seed: seed)
        var reports: [Double] = []
        while (reports.last ?? 0) < 120 { reports.append((reports.last ?? 0) + .random(in: 2...5, using: &chance)) }
        let shown = estimates(of: reports, until: 120, isLookedAt: true)
        for (seconds, given) in shown where seconds >= 30 {
            #expect(abs(given.expected - (200 - seconds)) < 0.1 * (200 - seconds))
        }
    }

    @Test func aBurstOfReportsIsOne() throws {
        // Ten within half a second, every five seconds: two or three looks see each burst.
        let bursts = (1...24).flatMap { burst in (0..<10).map { Double(burst) * 5 + Double($0) * 0.05 } }
        let shown = estimates(of: bursts, until: 120, isLookedAt: true) { time in
            let burst = (time / 5).rounded(.down)
            return (burst - 1) * 250 + 25 * (((time - burst * 5) / 0.05).rounded() + 1)
        }
        let last = try #require(shown.last { $0.seconds < 119 })
        #expect(abs(last.given.expected / (200 - last.seconds) - 1) < 0.15)
        #expect(last.given.high / last.given.low < 4)
    }

    @Test(arguments: [1.0, 5]) func aSilenceMuchLongerThanUsualIsAStandstill(gap: Double) throws {
        let shown = estimates(of: reports(every: gap, until: 50), until: 150, isLookedAt: true)
        var before = try #require(shown.last { $0.seconds <= 50 }).given
        let first = before
        for (seconds, given) in shown where seconds > 50 {
            #expect(given.high >= before.high)
            #expect(given.low <= before.low)
            before = given
        }
        #expect(before.high > 2 * first.high)
        #expect(before.expected > first.expected)
    }

    @Test func theEndsOfTheIntervalStayWhileBurstyWorkGoesOn() throws {
        var estimator = RemainingTimeEstimator()
        estimator.observe(at: 0, completed: 0, present: 0, total: 100_000)
        var (completed, moves) = (Int64(0), 0)
        var before: (low: Double, high: Double)?
        for step in 1...1200 {
            // Most of each second's work comes in its first tenth.
            completed += step % 10 == 1 ? 410 : 10
            estimator.observe(at: Double(step) / 10, completed: completed, present: 0, total: 100_000)
            guard step > 300, let given = estimator.estimate else { continue }
            let now = (low: given.low / given.expected, high: given.high / given.expected)
            if let before, abs(log(now.high / before.high)) > 1e-6 || abs(log(now.low / before.low)) > 1e-6 {
                moves += 1
            }
            before = now
        }
        #expect(moves < 20, "they moved \(moves) times in 90 s")
    }

    @Test func atAStandstillTheLowEndComesNearerAndTheHighEndDoesNot() throws {
        var estimator = RemainingTimeEstimator()
        estimator.observe(at: 0, completed: 0, present: 0, total: 10_000)
        for second in 1...100 {
            let bursts = second % 10 == 0 ? 60 : 0
            estimator.observe(at: Double(second), completed: Int64(second * 50 + bursts), present: 0, total: 10_000)
        }
        var before = try #require(estimator.estimate)
        let first = before
        for second in 101...130 {
            estimator.observe(at: Double(second), completed: 5_060, present: 0, total: 10_000)
            let now = try #require(estimator.estimate)
            #expect(now.low <= before.low)
            #expect(now.high >= before.high)
            before = now
        }
        #expect(before.low > 0.5 * 4_940.0 / 110, "it hardly falls below what is left at the pace of the best second")
        #expect(before.low < first.low)
        #expect(before.expected > first.expected)
    }

    @Test func atAStandstillOfEvenWorkTheLowEndNeverStops() throws {
        var estimator = RemainingTimeEstimator()
        var low = Double.infinity
        for second in 0...400 {
            let completed = Int64(min(second, 60) * 50)
            estimator.observe(at: Double(second), completed: completed, present: 0, total: 10_000)
            guard second >= 60, let now = estimator.estimate else { continue }
            #expect(0 < now.low && now.low < low)
            low = now.low
        }
        #expect(low < .infinity)
    }
}
