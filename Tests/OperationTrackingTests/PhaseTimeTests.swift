import OperationTrackingTesting
import Testing

@testable import OperationTracking

struct PhaseTimeTests {
    private let clock = ManualClock()

    @Test func aLogHoldsHowLongEachPhaseTook() {
        var log = PhaseLog()
        log.see(nil, at: 0, done: 0)
        log.see("downloading", at: 1, done: 0)
        log.see("downloading", at: 2, done: 0)
        log.see("verifying", at: 11, done: 0)
        #expect(
            log.phases(endingAt: 14, done: 0) == [
                PhaseTime(phase: nil, seconds: 1, work: 0), PhaseTime(phase: "downloading", seconds: 10, work: 0),
                PhaseTime(phase: "verifying", seconds: 3, work: 0),
            ]
        )
    }

    @Test func workWithoutPhasesHasNone() {
        var log = PhaseLog()
        log.see(nil, at: 0, done: 0)
        #expect(log.phases(endingAt: 5, done: 0) == [] && log.farthest == nil)
    }

    @Test func waitingAndTryingAgainBelongToThePhaseThatWasReached() {
        var log = PhaseLog()
        for (second, phase) in ["connecting", "downloading", PhaseLog.waitingToRetry, nil, "connecting", "downloading"]
            .enumerated()
        {
            log.see(phase, at: Double(second), done: 0)
        }
        log.see("verifying", at: 8, done: 0)
        #expect(log.farthest?.phase == "verifying")
        #expect(log.phases(endingAt: 9, done: 0).map(\.seconds) == [1, 7, 1])
    }

    @Test func phasesWithoutEndAreBounded() {
        var log = PhaseLog()
        for number in 0..<1_000 { log.see("\(number)", at: Double(number), done: 0) }
        #expect(log.phases(endingAt: 1_000, done: 0).count == 16)
    }

    private func past(_ phase: String, _ runs: [[(phase: String, seconds: Double, work: Int64)]]) -> PastRuns {
        var history = RunHistory()
        for run in runs {
            let phases = run.map { PhaseTime(phase: $0.phase, seconds: $0.seconds, work: $0.work) }
            let seconds = phases.reduce(0) { $0 + $1.seconds }
            history.add(RunHistory.Run(seconds: seconds, work: 1_000, unit: .bytes, phases: phases), of: .download)
        }
        let key = RunHistory.Likeness(size: RunHistory.sizeClass(1_000), unit: .bytes, phase: phase)
        return history.past(of: .download, like: key)
    }

    private func past(_ phase: String, _ runs: [(own: Double, later: Double)]) -> PastRuns {
        past(phase, runs.map { [("downloading", $0.own, 1_000), ("verifying", $0.later, 0)] })
    }

    @Test(arguments: [1.0, 3]) func aRateThatSpansPhasesIsNotGivenTheLaterOnesTwice(_ pace: Double) throws {
        // A set-up: one total for all of it, of which each phase does a part.
        let runs = Array(repeating: [("install", 20.0, Int64(200)), ("pull", 60, 600), ("merge", 20, 200)], count: 40)
        var estimator = RemainingTimeEstimator()
        estimator.compare(with: past("install", runs))
        for second in 0...Int(60 / pace) {
            let done = Int64(Double(second) * 10 * pace)
            if done == 200 { estimator.compare(with: past("pull", runs), phaseBegan: Double(second)) }
            estimator.observe(at: Double(second), completed: done, present: 0, total: 1_000)
            guard let remaining = estimator.estimate, second > 3 else { continue }
            let truth = 100 / pace - Double(second)
            #expect(remaining.expected < (pace > 1 ? 2.5 : 1.1) * truth, "after \(second) s")
            #expect(remaining.expected > truth / 1.3, "after \(second) s")
        }
    }

    @Test func whatComesAfterTheTransferIsPartOfWhatRemains() throws {
        let runs = Array(repeating: (own: 100.0, later: 40.0), count: 40)
        var (estimator, blind) = (RemainingTimeEstimator(), RemainingTimeEstimator())
        estimator.compare(with: past("downloading", runs))
        for second in 0...50 {
            estimator.observe(at: Double(second), completed: Int64(second * 10), present: 0, total: 1_000)
            blind.observe(at: Double(second), completed: Int64(second * 10), present: 0, total: 1_000)
        }
        #expect(abs(try #require(estimator.estimate).expected - 90) < 8)
        #expect(try #require(blind.estimate).expected < 60)
    }

    @Test func workThatIsAllCountedIsNotSaidToBeDoneWhileMoreComes() throws {
        let runs = Array(repeating: (own: 100.0, later: 40.0), count: 40)
        var estimator = RemainingTimeEstimator()
        estimator.compare(with: past("downloading", runs))
        for second in 0...50 {
            estimator.observe(at: Double(second), completed: Int64(second * 20), present: 0, total: 1_000)
        }
        #expect(abs(try #require(estimator.estimate).expected - 40) < 3, "this run was twice as fast as those")
        estimator.compare(with: past("verifying", runs), phaseBegan: 51)
        for second in 51...71 { estimator.observe(at: Double(second), completed: 1_000, present: 0, total: 1_000) }
        let remaining = try #require(estimator.estimate)
        #expect(abs(remaining.expected - 20) < 3)
        #expect(remaining.basis == .history && remaining.samples == 40)
        #expect(remaining.low > 0 && remaining.low < remaining.expected && remaining.high > remaining.expected)
    }

    @Test func allCountedButNotCompletedIsNotSaidToTakeNoTime() async throws {
        let tracker = OperationTracker(clock: clock)
        let handle = try tracker.start(type: .download, description: "work", total: 1_000)
        for step in 1...10 {
            await clock.advance(by: .seconds(1))
            handle.update(completed: Int64(step * 100))
            _ = tracker.tick()
        }
        await clock.advance(by: .seconds(1))
        _ = tracker.tick()
        #expect(handle.operation.remaining == nil, "it may be verifying, for as long as that takes")
        try await tracker.cancel(handle.id)
    }

    @Test func whatNobodyWasShownIsNotJudged() {
        var estimator = RemainingTimeEstimator()
        for (second, completed) in [(0, 0), (1, 1_000), (2, 1_000), (10, 1_000)] {
            estimator.observe(at: Double(second), completed: Int64(completed), present: 0, total: 1_000)
        }
        #expect(estimator.accuracy(endingAt: 11) == nil)
    }

    @Test func runsOfWhichNobodyLookedWhatEachPhaseDidSayNothingOfPhases() {
        var history = RunHistory()
        let phases = [PhaseTime(phase: "installing", seconds: 60), PhaseTime(phase: "pulling", seconds: 40)]
        for _ in 0..<9 {
            history.add(RunHistory.Run(seconds: 100, work: 1_000, unit: .bytes, phases: phases), of: .okSetup)
        }
        let key = RunHistory.Likeness(size: RunHistory.sizeClass(1_000), unit: .bytes, phase: "installing")
        let past = history.past(of: .okSetup, like: key)
        #expect(past.phase == nil && past.samples == 9)
    }

    @Test func aPhaseThatFewRunsHadSaysNothing() {
        let few = Array(repeating: (own: 100.0, later: 40.0), count: 4)
        #expect(past("verifying", few).phase == nil)
        let many = Array(repeating: (own: 100.0, later: 40.0), count: 9)
        #expect(past("unpacking", many).phase == nil)
    }

    @Test func phasesAreLearnedThroughTheHistory() async throws {
        let store = InMemoryHistoryStore()
        let first = OperationTracker(history: store, clock: clock)
        for _ in 1...5 {
            let handle = try first.start(type: .download, description: "work", total: 1_000)
            handle.setPhase("downloading")
            _ = first.tick()
            await clock.advance(by: .seconds(50))
            handle.update(completed: 1_000)
            handle.setPhase("verifying")
            _ = first.tick()
            await clock.advance(by: .seconds(30))
            try await first.complete(handle.id)
        }
        let record = try #require(try await store.page(HistoryQuery(limit: 1)).records.first)
        #expect(record.phases.map(\.phase) == ["downloading", "verifying"])

        await clock.advance(by: .seconds(1))
        let second = OperationTracker(history: store, clock: clock)
        let handle = try second.start(type: .download, description: "work", total: 1_000)
        while !second.knowsPast { await briefPause() }
        handle.setPhase("downloading")
        _ = second.tick()
        await clock.advance(by: .seconds(10))
        handle.update(completed: 1_000)
        handle.setPhase("verifying")
        // The tracker's own tick may have come between the two, and a second look at the same moment is none.
        await clock.advance(by: .seconds(1))
        _ = second.tick()
        let remaining = try #require(handle.operation.remaining)
        #expect(abs(remaining.expected - 30) < 3 && remaining.basis == .history)
        try await second.cancel(handle.id)
    }
}
