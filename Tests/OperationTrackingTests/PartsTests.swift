import OperationTrackingTesting
import Testing

@testable import OperationTracking

struct PartsTests {
    private let clock = ManualClock()
    private let tracker: OperationTracker

    init() {
        tracker = OperationTracker(clock: clock)
    }

    private func whole() throws -> OperationHandle {
        try tracker.start(type: .install, description: "whole", unit: .fraction)
    }

    @Test func aPartMovesItsBandOfTheWhole() async throws {
        let whole = try whole()
        try await whole.withPart(type: .download, description: "first", band: 0..<0.5, total: 10) { part in
            part.update(completed: 5)
            #expect(whole.operation.progress.percent == 25)
            #expect(part.operation.parentID == whole.id)
        }
        #expect(whole.operation.progress.percent == 50)
        try await whole.withPart(type: .seed, description: "second", band: 0.5..<1, total: 10) { part in
            part.update(completed: 2)
            #expect(whole.operation.progress.percent == 60)
        }
        #expect(whole.operation.progress.percent < 100)
        try await tracker.complete(whole.id)
        #expect(whole.operation.progress.percent == 100)
    }

    @Test func aPartThatIsTriedAgainStartsItsBandAnewAndWhatIsShownStays() async throws {
        let whole = try whole()
        try? await whole.withPart(type: .download, description: "first", band: 0..<0.4, total: 10) { part in
            part.update(completed: 8)
            throw OperationFailure(.connectionLost, "cut")
        }
        let before = whole.operation.progress
        #expect(before.completedUnits == 320_000)
        try await whole.withPart(type: .download, description: "again", band: 0..<0.4, total: 10) { part in
            part.update(completed: 1)
            let progress = whole.operation.progress
            #expect(progress.completedUnits == 40_000)
            #expect(progress.percent == before.percent)
        }
        #expect(whole.operation.progress.completedUnits == 400_000)
    }

    @Test func aPartThatPausesByRestartIsStoppedAndCalledAgain() async throws {
        let whole = try whole()
        let tracker = tracker
        let calls = try await whole.withPart(
            type: .download,
            description: "part",
            band: 0..<1,
            total: 2,
            pausing: .byRestart
        ) { part in
            let call = part.resumeState == nil ? 1 : 2
            try part.saveResumeState(Array("\(call)".utf8))
            part.update(completed: 1)
            guard call == 1 else { return call }
            try await tracker.pause(whole.id)
            // Somebody resumes once both have paused.
            Task {
                while whole.operation.status != .paused || part.operation.status != .paused { await briefPause() }
                try await tracker.resume(whole.id)
            }
            try await part.checkpoint()
            return 0
        }
        #expect(calls == 2)
        #expect(whole.operation.status == .inProgress)
        #expect(tracker.recentOperations().first?.status == .completed)
        #expect(tracker.recentOperations().first?.progress.rewoundUnits == 0)
    }

    @Test func aPartThatIsStoppedForAPauseCanBeCancelled() async throws {
        let whole = try whole()
        let tracker = tracker
        let (stopped, work) = (
            try #require(tracker.handle(whole.id)),
            Task {
                try await whole.withPart(type: .download, description: "part", band: 0..<1, pausing: .byRestart) {
                    part in
                    try await tracker.pause(whole.id)
                    try await part.checkpoint()
                }
            }
        )
        while stopped.operation.status != .paused { await briefPause() }
        try await tracker.cancel(whole.id)
        await #expect(throws: CancellationError.self) { try await work.value }
        #expect(tracker.recentOperations().first?.status == .cancelled)
    }

    @Test func aFailedPartIsFailedAndTheWholeDecides() async throws {
        let whole = try whole()
        let failure = OperationFailure(.diskFull, "full")
        await #expect(throws: failure) {
            try await whole.withPart(type: .download, description: "part", band: 0..<1) { _ in throw failure }
        }
        #expect(tracker.recentOperations().first?.failure == failure)
        #expect(whole.operation.status == .inProgress)
    }

    @Test func pausingTheWholePausesItsPartsAndThenItself() async throws {
        let whole = try whole()
        let work = Task {
            try await whole.withPart(type: .download, description: "part", band: 0..<1) { part in
                while !part.isCancelled, part.operation.progress.completedUnits < 1 {
                    try await part.checkpoint()
                    if part.operation.message == "go" { part.update(completed: 1) }
                    await briefPause()
                }
            }
        }
        while tracker.activeOperations.count < 2 { await briefPause() }
        let part = try #require(tracker.activeOperations.first { $0.parentID == whole.id })
        try await tracker.pause(whole.id)
        while whole.operation.status != .paused { await briefPause() }
        #expect(tracker.operation(part.id)?.status == .paused)
        try await tracker.resume(whole.id)
        while whole.operation.status != .inProgress { await briefPause() }
        tracker.handle(part.id)?.setMessage("go")
        try await work.value
    }

    @Test func aPartThatBeginsAfterAWishToPausePausesToo() async throws {
        let whole = try whole()
        try await tracker.pause(whole.id)
        let work = Task {
            try await whole.withPart(type: .download, description: "part", band: 0..<1) { try await $0.checkpoint() }
        }
        while whole.operation.status != .paused { await briefPause() }
        try await tracker.resume(whole.id)
        try await work.value
        #expect(whole.operation.status == .inProgress)
    }

    @Test func cancellingTheWholeReachesItsParts() async throws {
        let started = AsyncStream.makeStream(of: OperationID.self)
        let whole = Task {
            try await tracker.withOperation(type: .install, description: "whole", unit: .fraction) { [clock] whole in
                try await whole.withPart(type: .download, description: "part", band: 0..<1) { part in
                    started.continuation.yield(part.id)
                    try await clock.sleep(for: .seconds(1000))
                }
            }
        }
        var ids = started.stream.makeAsyncIterator()
        let part = try #require(await ids.next())
        let id = try #require(tracker.operation(part)?.parentID)
        try await tracker.cancel(id)
        await #expect(throws: CancellationError.self) { try await whole.value }
        #expect(tracker.operation(part)?.status == .cancelled)
        #expect(tracker.operation(id)?.status == .cancelled)
    }

    @Test func bandsAreGuessedAndThenLearned() {
        var weights = PhaseWeights([("install", 1), ("pull", 2), ("seed", 1)])
        #expect(weights.band(of: "pull") == 0.25..<0.75)
        var pull = HistoryStatistics(type: OperationType("pull"), completed: 10, failed: 0, cancelled: 0)
        pull.p50Seconds = 90
        var install = HistoryStatistics(type: .install, completed: 10, failed: 0, cancelled: 0)
        install.p50Seconds = 30
        var rare = HistoryStatistics(type: .seed, completed: 1, failed: 0, cancelled: 0)
        rare.p50Seconds = 1_000_000
        weights.learn(from: [pull, install, rare])
        // 30 s and 90 s were learned for what was guessed as 1 and 2, so the guess of 1 stands for 40 s.
        #expect(weights.band(of: "install") == 0..<30.0 / 160)
        #expect(weights.band(of: "pull") == 30.0 / 160..<120.0 / 160)
        #expect(weights.band(of: "seed") == 120.0 / 160..<1)
        #expect(weights.band(of: "unknown").isEmpty)
    }

    @Test func aPartWhoseBandIsTakenStillHearsOfWishes() async throws {
        let whole = try whole()
        let first = try tracker.begin(
            OperationSpec(
                type: .download,
                description: "first",
                unit: .items,
                priority: .normal,
                parent: whole.id,
                band: 0..<1
            )
        )
        first.setTotal(10)
        first.update(completed: 9)
        try await whole.withPart(type: .download, description: "second", band: 0.5..<1, total: 10) { [tracker] part in
            part.update(completed: 2)
            #expect(whole.operation.progress.completedUnits == 100_000, "the band is the second's")
            try await tracker.pause(whole.id)
            #expect(first.operation.pendingRequest == .pause)
            try await tracker.report(part.id, .paused)
            #expect(whole.operation.status == .inProgress, "the first has not paused yet")
            try await tracker.report(first.id, .paused)
            #expect(whole.operation.status == .paused)
            try await tracker.resume(whole.id)
        }
    }

    @Test func weightsOfAnySizeMakeBands() {
        let weights = PhaseWeights([("a", 1e308), ("b", 1e308), ("c", 1e308)])
        #expect(weights.band(of: "a") == 0..<1.0 / 3)
    }

    @Test func bandsWithoutWeightsAreEqual() {
        let weights = PhaseWeights([("a", 0), ("b", .nan)])
        #expect(weights.band(of: "a") == 0..<0.5)
        #expect(weights.band(of: "b") == 0.5..<1)
    }
}
