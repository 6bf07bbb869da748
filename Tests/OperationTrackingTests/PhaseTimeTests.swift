import OperationTrackingTesting
import Testing

@testable import OperationTracking

struct PhaseTimeTests {
    private let clock = ManualClock()

    @Test func aLogHoldsHowLongEachPhaseTook() {
        var log = PhaseLog()
        log.see(nil, at: 0)
        log.see("downloading", at: 1)
        log.see("downloading", at: 2)
        log.see("verifying", at: 11)
        #expect(
            log.phases(endingAt: 14) == [
                PhaseTime(phase: nil, seconds: 1), PhaseTime(phase: "downloading", seconds: 10),
                PhaseTime(phase: "verifying", seconds: 3),
            ]
        )
    }

    @Test func workWithoutPhasesHasNone() {
        var log = PhaseLog()
        log.see(nil, at: 0)
        #expect(log.phases(endingAt: 5) == [] && log.farthest == nil)
    }

    @Test func waitingAndTryingAgainBelongToThePhaseThatWasReached() {
        var log = PhaseLog()
        for (second, phase) in ["connecting", "downloading", PhaseLog.waitingToRetry, nil, "connecting", "downloading"]
            .enumerated()
        {
            log.see(phase, at: Double(second))
        }
        log.see("verifying", at: 8)
        #expect(log.farthest?.phase == "verifying")
        #expect(log.phases(endingAt: 9).map(\.seconds) == [1, 7, 1])
    }

    @Test func phasesWithoutEndAreBounded() {
        var log = PhaseLog()
        for number in 0..<1_000 { log.see("\(number)", at: Double(number)) }
        #expect(log.phases(endingAt: 1_000).count == 16)
    }

    private func past(_ phase: String, began: Double, _ runs: [(own: Double, later: Double)]) -> PastOfType {
        var history = RunHistory()
        for (own, later) in runs {
            let phases = [PhaseTime(phase: "downloading", seconds: own), PhaseTime(phase: "verifying", seconds: later)]
            history.add(RunHistory.Run(seconds: own + later, work: 1_000, unit: .bytes, phases: phases), of: .download)
        }
        return history.past(of: .download, work: 1_000, unit: .bytes, phase: (name: phase, began: began))
    }

    @Test func whatComesAfterTheTransferIsPartOfWhatRemains() throws {
        let runs = Array(repeating: (own: 100.0, later: 40.0), count: 40)
        var (estimator, blind) = (RemainingTimeEstimator(), RemainingTimeEstimator())
        estimator.compare(with: past("downloading", began: 0, runs))
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
        estimator.compare(with: past("downloading", began: 0, runs))
        for second in 0...50 {
            estimator.observe(at: Double(second), completed: Int64(second * 20), present: 0, total: 1_000)
        }
        #expect(abs(try #require(estimator.estimate).expected - 40) < 3, "this run was twice as fast as those")
        estimator.compare(with: past("verifying", began: 51, runs))
        for second in 51...71 { estimator.observe(at: Double(second), completed: 1_000, present: 0, total: 1_000) }
        let remaining = try #require(estimator.estimate)
        #expect(abs(remaining.expected - 20) < 3)
        #expect(remaining.basis == .history && remaining.samples == 40)
        #expect(remaining.low > 0 && remaining.low < remaining.expected && remaining.high > remaining.expected)
    }

    @Test func aPhaseThatFewRunsHadSaysNothing() {
        let few = Array(repeating: (own: 100.0, later: 40.0), count: 4)
        #expect(past("verifying", began: 0, few).phase == nil)
        let many = Array(repeating: (own: 100.0, later: 40.0), count: 9)
        #expect(past("unpacking", began: 0, many).phase == nil)
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
        _ = second.tick()
        let remaining = try #require(handle.operation.remaining)
        #expect(abs(remaining.expected - 30) < 3 && remaining.basis == .history)
        try await second.cancel(handle.id)
    }
}
