import Foundation
import OperationTrackingTesting
import TestSupport
import Testing

@testable import OperationTracking

struct PastRunsTests {
    private let clock = ManualClock()

    private func history(
        _ runs: [(Double, Int64?)],
        of type: OperationType = .download,
        feature: String? = nil
    ) -> RunHistory {
        var history = RunHistory()
        for (seconds, work) in runs {
            history.add(RunHistory.Run(seconds: seconds, work: work, unit: .bytes, feature: feature), of: type)
        }
        return history
    }

    private func past(
        _ history: RunHistory,
        of type: OperationType = .download,
        work: Int64?,
        unit: OperationUnit = .bytes,
        feature: String? = nil
    ) -> PastDurations? {
        var history = history
        let key = RunHistory.Likeness(size: RunHistory.sizeClass(work), unit: unit, feature: feature)
        return history.past(of: type, like: key).durations
    }

    @Test func runsOfTheSameSizeAreComparedFirst() throws {
        let history = history(
            Array(repeating: (10, 1_000), count: 5) + Array(repeating: (1_000, 1_000_000), count: 5)
        )
        let small = try #require(past(history, work: 900))
        let large = try #require(past(history, work: 1_010_000))
        #expect(small.samples == 5 && small.late == 10)
        #expect(large.samples == 5 && large.late == 1_000)
    }

    @Test func whereThereAreTooFewOfASizeThoseNearestInSizeAreCompared() throws {
        // Four large ones must not drown in many small ones.
        let history = history(Array(repeating: (1_000, 1 << 30), count: 4) + Array(repeating: (5, 1 << 20), count: 30))
        let large = try #require(past(history, work: 1 << 30))
        #expect(large.samples == 5)
        #expect(try #require(large.prior(after: 0)).logMedian > 6)
        #expect(try #require(past(history, work: nil)).samples == 34)
        #expect(try #require(past(history, work: 1 << 30, unit: .items)).samples == 34)
    }

    @Test func runsOfQuiteAnotherSizeSayNothing() throws {
        let small = history(Array(repeating: (5, 1 << 20), count: 30))
        #expect(past(small, work: 1 << 30) == nil)
        #expect(past(small, of: .seed, work: 1 << 30) == nil, "no more do those of another type")
        #expect(try #require(past(small, work: 1 << 22)).samples == 5, "four times as much is near enough")
        #expect(try #require(past(small, work: nil)).samples == 30, "where no size is known, all there is counts")
    }

    @Test func runsWithTheSameFeatureAreComparedFirst() throws {
        var history = RunHistory()
        for number in 0..<40 {
            let isSlow = number.isMultiple(of: 2)
            let size: Int64 = number.isMultiple(of: 4) || number % 4 == 1 ? 1_000 : 1_000_000
            let seconds = (isSlow ? 50.0 : 10) * (size > 1_000 ? 100 : 1)
            let feature = isSlow ? "slow.example:443" : "fast.example:443"
            history.add(RunHistory.Run(seconds: seconds, work: size, unit: .bytes, feature: feature), of: .download)
        }
        #expect(try #require(past(history, work: 1_000, feature: "slow.example:443")).late == 50)
        #expect(try #require(past(history, work: 1_000, feature: "fast.example:443")).late == 10)
        #expect(try #require(past(history, work: 1_000_000, feature: "fast.example:443")).late == 1_000)
        #expect(try #require(past(history, work: nil, feature: "fast.example:443")).samples == 20)
        let unknown = try #require(past(history, work: 1_000, feature: "new.example:443"))
        #expect(unknown.samples == 20, "those of its size, from anywhere")
    }

    @Test func aNewTypeIsComparedWithAllOnceThereAreMany() {
        #expect(past(history(Array(repeating: (10, nil), count: 19)), of: .seed, work: nil, unit: .items) == nil)
        let many = past(history(Array(repeating: (10, nil), count: 20)), of: .seed, work: nil, unit: .items)
        #expect(many?.samples == 20)
    }

    @Test func theLatestRunsCount() throws {
        let history = history(
            Array(repeating: (10, nil), count: 300) + Array(repeating: (99, nil), count: RunHistory.keptRuns)
        )
        #expect(try #require(past(history, work: nil)).late == 99)
    }

    @Test func alikeOperationsShareWhatWasFoundUntilARunEnds() {
        var history = history(Array(repeating: (10, 1_000), count: 9))
        let key = RunHistory.Likeness(size: RunHistory.sizeClass(1_000), unit: .bytes)
        let first = history.past(of: .download, like: key)
        #expect(history.past(of: .download, like: key) === first)
        history.add(RunHistory.Run(seconds: 20, work: 1_000, unit: .bytes), of: .download)
        #expect(history.past(of: .download, like: key).samples == 10)
    }

    @Test func whatPastRunsSayMovesSmoothlyAsTimePasses() throws {
        // Durations spread evenly on a logarithmic scale from 10 to 100 s.
        let logUniform = (0..<200).map { 10 * pow(10, Double($0) / 199) }
        let durations = try #require(PastDurations(logUniform))
        var before = try #require(durations.prior(after: 0))
        for step in 1...850 {
            let now = try #require(durations.prior(after: Double(step) / 10))
            #expect(abs(now.variance / before.variance - 1) < 0.2)
            #expect(abs(now.logMedian - before.logMedian) < 0.2)
            before = now
        }
    }

    @Test(arguments: [(5, 0.5), (5, 1), (20, 1), (200, 1)]) func fewRunsPromiseLittle(_ count: Int, _ spread: Double) {
        var chance = SeededGenerator(seed: 5)
        func duration() -> Double {
            // The sum of twelve uniform numbers is nearly normal.
            exp(spread * (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &chance) })
        }
        var covered = 0
        for _ in 0..<1_000 {
            var estimator = RemainingTimeEstimator()
            let past = (0..<count).map { _ in 100 * duration() }
            estimator.compare(with: PastRuns(durations: PastDurations(past)))
            estimator.observe(at: 0, completed: 0, present: 0, total: nil)
            let truth = 100 * duration()
            if let given = estimator.estimate, given.low <= truth, truth <= given.high { covered += 1 }
        }
        #expect((740...870).contains(covered), "\(covered) of 1,000")
    }

    @Test(arguments: [(5, 0.3), (5, 1), (8, 0.3), (20, 0.3), (20, 0.8)])
    func runsThatAreNearlyOverdueAreNoNearerTheirEnd(_ count: Int, _ spread: Double) {
        var chance = SeededGenerator(seed: 5)
        func duration() -> Double {
            100 * exp(spread * (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &chance) })
        }
        for share in [0.9, 0.97, 0.995] {
            var (covered, all) = (0, 0)
            for _ in 0..<4_000 {
                let past = (0..<count).map { _ in duration() }
                guard let durations = PastDurations(past) else { continue }
                let (elapsed, truth) = (share * durations.late, duration())
                guard truth > elapsed else { continue }
                var estimator = RemainingTimeEstimator()
                estimator.compare(with: PastRuns(durations: durations))
                estimator.observe(at: elapsed, completed: 0, present: 0, total: nil)
                guard let given = estimator.estimate else { continue }
                all += 1
                if given.low <= truth - elapsed, truth - elapsed <= given.high { covered += 1 }
            }
            #expect(Double(covered) / Double(all) > 0.68, "\(covered) of \(all) at \(share) of the 95th percentile")
        }
    }

    @Test func runsOfAnyLengthGiveANumber() throws {
        var estimator = RemainingTimeEstimator()
        let runs = [0, 1, 1e11, 9e11, 1e12, 1e300, .infinity]
        estimator.compare(with: PastRuns(durations: PastDurations(runs), widthFactor: 2))
        estimator.observe(at: 0, completed: 0, present: 0, total: nil)
        let given = try #require(estimator.estimate)
        #expect(given.low >= 0 && given.expected.isFinite && given.high.isFinite)
        #expect(given.samples == 4)
    }

    @Test func theMostThatWasTransferredIsForgottenBitByBit() throws {
        var history = RunHistory()
        #expect(history.writtenBytes(of: .download) == nil)
        for bytes: Int64 in [1_000, 0, 100, 950] {
            let run = RunHistory.Run(seconds: 1, work: nil, unit: .bytes)
            history.add(RunHistory.Lesson(id: .make(at: 0), type: .download, run: run, bytes: bytes, accuracy: nil))
        }
        #expect(history.writtenBytes(of: .download) == 950)
        let run = RunHistory.Run(seconds: 1, work: nil, unit: .bytes)
        history.add(RunHistory.Lesson(id: .make(at: 0), type: .download, run: run, bytes: 10, accuracy: nil))
        #expect(history.writtenBytes(of: .download) == 855)
        #expect(history.writtenBytes(of: .pullModel) == nil)
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

    @Test func aRunThatIsBothReadAndToldOfCountsOnce() throws {
        var past = Past()
        let isFirstTurn = past.takeTurn(at: 0)
        #expect(isFirstTurn)
        let records = (1...6).map { record(seconds: Double($0)) }
        // Two end while the history is being read; it has one of them already.
        for ended in records.suffix(2) { past.add(try #require(RunHistory.Lesson(ended))) }
        past.begin(with: records.dropLast().reversed(), at: 0)
        #expect(try #require(self.past(past.runs, work: nil)).samples == 6)
        let isNextTurn = past.takeTurn(at: 600_000_000_000)
        #expect(isNextTurn)
        past.begin(with: records.reversed(), at: 0)
        #expect(try #require(self.past(past.runs, work: nil)).samples == 6)
    }

    @Test func aRunThatEndsAsTheReadingBeginsIsNotLost() async throws {
        let store = InMemoryHistoryStore()
        let earlier = OperationTracker(history: store, clock: clock)
        for _ in 1...5 {
            let handle = try earlier.start(type: .download, description: "work")
            await clock.advance(by: .seconds(50))
            try await earlier.complete(handle.id)
        }
        // In the very same millisecond.
        let tracker = OperationTracker(history: store, clock: clock)
        let handle = try tracker.start(type: .download, description: "work")
        while !tracker.knowsPast { await briefPause() }
        _ = tracker.tick()
        #expect(handle.operation.remaining?.samples == 5)
        try await tracker.cancel(handle.id)
    }

    @Test func olderRunsComeBeforeOnes() throws {
        var past = Past()
        past.add(try #require(RunHistory.Lesson(record(seconds: 1))))
        past.begin(with: (2...600).map { record(seconds: Double($0)) })
        let durations = try #require(self.past(past.runs, work: nil))
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
        estimator.compare(with: PastRuns(durations: PastDurations((1...20).map { 90 + Double($0) })))
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
        estimator.compare(with: PastRuns(durations: PastDurations(Array(repeating: 60, count: 9))))
        for second in 0...20 { estimator.observe(at: Double(second), completed: Int64(second), present: 0, total: nil) }
        let remaining = try #require(estimator.estimate)
        #expect(abs(remaining.expected - 40) < 4)
        #expect(remaining.basis == .history && remaining.samples == 9 && estimator.isOverdue == false)
    }

    @Test func aRunThatTakesLongerThanNearlyAllBeforeIsOverdue() throws {
        var estimator = RemainingTimeEstimator()
        estimator.compare(with: PastRuns(durations: PastDurations(Array(repeating: 60, count: 9))))
        for second in 0...61 {
            estimator.observe(at: Double(second), completed: Int64(second), present: 0, total: 1_000)
        }
        #expect(estimator.isOverdue == true)
        let remaining = try #require(estimator.estimate)
        #expect(remaining.basis == .rate && remaining.samples == 0, "what those say no longer counts")
    }

    @Test func nothingIsOverdueByRunsOfOtherTypes() throws {
        var history = history(Array(repeating: (5, nil), count: 20), of: .install)
        let key = RunHistory.Likeness(size: nil, unit: .bytes)
        for (type, isOverdue) in [(OperationType.install, true), (.pullModel, nil)] {
            var estimator = RemainingTimeEstimator()
            estimator.compare(with: history.past(of: type, like: key))
            estimator.observe(at: 0, completed: 0, present: 0, total: nil)
            #expect(estimator.estimate?.samples == 20)
            estimator.observe(at: 6, completed: 1, present: 0, total: nil)
            #expect(estimator.isOverdue == isOverdue)
        }
    }

    @Test(.timeLimit(.minutes(Patience.minutes))) func thatIsTold() async throws {
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
