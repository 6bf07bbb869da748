import OperationTrackingTesting
import TestSupport
import Testing

@testable import OperationTracking

struct OperationTrackerTests {
    @Test(arguments: [Duration.seconds(Int64.max), .seconds(Int64.min), .seconds(-1_000_000_000_000)])
    func anyEarliestEndCanBeSaid(_ duration: Duration) async throws {
        let clock = ManualClock()
        let tracker = OperationTracker(clock: clock)
        let handle = try tracker.start(type: .download, description: "held back", total: 10)
        handle.setEarliestEnd(after: duration)
        for step in 1...8 {
            handle.update(completed: Int64(step))
            await clock.advance(by: .seconds(1))
            _ = tracker.tick()
        }
        #expect(handle.operation.status == .inProgress)
    }

    @Test func anyDurationIsSoManyNanosecondsAsThereCanBe() {
        let most = Int64.max
        #expect(Duration.seconds(most).nanoseconds == .max)
        #expect(Duration.seconds(-most).nanoseconds == .min)
        // The whole seconds fit, and the rest is too much.
        #expect((Duration.nanoseconds(most) + .milliseconds(200)).nanoseconds == .max)
        #expect(most.later(by: .seconds(1)) == .max)
        #expect(Int64(5).later(by: .seconds(-1)) == 5)
    }

    @Test func theSystemsClockIsAskedForNoMoreThanItCan() async {
        let sleeper = Task { try await SystemTrackingClock().sleep(for: .seconds(Int64.max)) }
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
    }

    @Test func aTickIsNeverTakenAllTheTime() {
        var configuration = OperationTracker.Configuration()
        configuration.tickInterval = .seconds(-1)
        #expect(OperationTracker(configuration: configuration).configuration.tickInterval == .milliseconds(10))
    }

    private let clock = ManualClock()
    private let tracker: OperationTracker

    init() {
        tracker = OperationTracker(clock: clock)
    }

    @Test func aClosureThatReturnsIsCompleted() async throws {
        let (value, id) = try await tracker.withOperation(type: .seed, description: "work") { handle in (42, handle.id)
        }
        #expect(value == 42)
        #expect(tracker.operation(id)?.status == .completed)
        #expect(tracker.summary.totalActive == 0)
        #expect(tracker.summary[.completed] == 1)
    }

    @Test func operationsAreListedInTheOrderInWhichTheyBegan() async throws {
        var begun: [OperationID] = []
        for number in 0..<50 {
            // Most are of the same millisecond.
            if number % 20 == 19 { await clock.advance(by: .milliseconds(1)) }
            begun.append(try tracker.start(type: .seed, description: "\(number)").id)
        }
        #expect(tracker.activeOperations.map(\.id) == begun)
    }

    @Test func aClosureThatThrowsIsFailedWithItsReason() async throws {
        let failure = OperationFailure(.diskFull, "The disk is full: free some room.")
        await #expect(throws: failure) {
            try await tracker.withOperation(type: .seed, description: "work") { _ in throw failure }
        }
        let operation = try #require(tracker.recentOperations().first)
        #expect(operation.status == .failed)
        #expect(operation.failure == failure)
    }

    @Test func anErrorOfAnyTypeIsRecordedAsTheProviders() async throws {
        struct Odd: Error {}
        await #expect(throws: Odd.self) {
            try await tracker.withOperation(type: .seed, description: "work") { _ in throw Odd() }
        }
        #expect(tracker.recentOperations().first?.failure?.code == .providerError)
    }

    @Test func aCancelledCallerLeavesACancelledOperation() async throws {
        let started = AsyncStream.makeStream(of: OperationID.self)
        let task = Task {
            try await tracker.withOperation(type: .seed, description: "work") { [clock] handle in
                started.continuation.yield(handle.id)
                try await clock.sleep(for: .seconds(1000))
            }
        }
        var ids = started.stream.makeAsyncIterator()
        let id = try #require(await ids.next())
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(tracker.operation(id)?.status == .cancelled)
        #expect(tracker.operation(id)?.failure == nil)
    }

    @Test func cancellingReachesWorkWhereverItWaitsAndCountsAsCancelledNotFailed() async throws {
        let started = AsyncStream.makeStream(of: OperationID.self)
        let work = Task {
            try await tracker.withOperation(type: .seed, description: "work") { [clock] handle in
                started.continuation.yield(handle.id)
                try await clock.sleep(for: .seconds(1000))
            }
        }
        var ids = started.stream.makeAsyncIterator()
        let id = try #require(await ids.next())
        try await tracker.cancel(id)
        await #expect(throws: CancellationError.self) { try await work.value }
        #expect(tracker.operation(id)?.status == .cancelled)
        #expect(tracker.summary[.cancelled] == 1)
        #expect(tracker.summary[.failed] == 0)
    }

    @Test func workThatIgnoresARequestToStopAndReturnsIsCompleted() async throws {
        let id = try await tracker.withOperation(type: .seed, description: "work") { [tracker] handle in
            try await tracker.cancel(handle.id)
            #expect(handle.operation.status == .inProgress)
            #expect(handle.operation.pendingRequest == .cancel)
            return handle.id
        }
        #expect(tracker.operation(id)?.status == .completed)
    }

    @Test func pausedWorkWaitsAtItsCheckpointAndItsClockStands() async throws {
        let handle = try tracker.start(type: .seed, description: "work")
        await clock.advance(by: .seconds(10))
        try await tracker.pause(handle.id)
        #expect(handle.operation.status == .inProgress)
        #expect(handle.operation.pendingRequest == .pause)

        var events = tracker.events().makeAsyncIterator()
        let work = Task { try await handle.checkpoint() }
        while let event = await events.next(), event.operation?.status != .paused {}
        #expect(handle.operation.pendingRequest == nil)
        await clock.advance(by: .seconds(100))
        #expect(handle.operation.activeSeconds == 10)

        try await tracker.resume(handle.id)
        try await work.value
        #expect(handle.operation.status == .inProgress)
        await clock.advance(by: .seconds(5))
        #expect(handle.operation.activeSeconds == 15)
    }

    @Test func pausedWorkCanBeCancelled() async throws {
        let handle = try tracker.start(type: .seed, description: "work")
        try await tracker.pause(handle.id)
        var events = tracker.events().makeAsyncIterator()
        let work = Task { try await handle.checkpoint() }
        while let event = await events.next(), event.operation?.status != .paused {}
        try await tracker.cancel(handle.id)
        await #expect(throws: CancellationError.self) { try await work.value }
        #expect(handle.operation.pendingRequest == .cancel)
        try await tracker.report(handle.id, .cancelled)
        #expect(handle.operation.status == .cancelled)
    }

    @Test func workDoneByAnotherIsToldOfAWish() async throws {
        let handle = try tracker.start(type: .install, description: "work")
        let watcher = Task { try await handle.waitForRequest() }
        try await tracker.pause(handle.id)
        #expect(try await watcher.value == .pause)
        let ended = Task { [tracker] in
            let other = try tracker.start(type: .install, description: "other")
            async let wish = other.waitForRequest()
            try await tracker.complete(other.id)
            return try await wish
        }
        await #expect(throws: CancellationError.self) { try await ended.value }
    }

    @Test func aCheckpointWithoutAWishReturnsAtOnce() async throws {
        let handle = try tracker.start(type: .seed, description: "work")
        try await handle.checkpoint()
    }

    @Test func aSecondEndingIsRefusedAndTheFirstStays() async throws {
        let handle = try tracker.start(type: .seed, description: "work")
        try await tracker.complete(handle.id)
        let error = await #expect(throws: OperationError.self) {
            try await tracker.fail(handle.id, OperationFailure(.stalled, "late"))
        }
        #expect(error?.code == .invalidTransition)
        #expect(handle.operation.status == .completed)
        try await tracker.complete(handle.id)
        #expect(tracker.summary[.completed] == 1)
    }

    @Test func anUnknownNameIsSaidToBeUnknown() async throws {
        let id = try #require(OperationID(rawValue: "op_nobody"))
        let error = await #expect(throws: OperationError.self) { try await tracker.cancel(id) }
        #expect(error?.code == .unknownOperation)
        #expect(tracker.operation(id) == nil)
    }

    @Test func theSummaryCountsByTypeAndStatusAndAddsUpCosts() async throws {
        let one = try tracker.start(type: .download, description: "one")
        let two = try tracker.start(type: .download, description: "two")
        let three = try tracker.start(type: .seed, description: "three")
        one.report(ResourceImpact(cpuPercent: 50.5, memoryBytes: 1000))
        two.report(ResourceImpact(cpuPercent: 25, memoryBytes: 500, networkBitsPerSecond: 8000))
        _ = tracker.tick()
        try await tracker.report(three.id, .paused)

        var summary = tracker.summary
        #expect(summary.totalActive == 3)
        #expect(summary.activeByType == [.download: 2, .seed: 1])
        #expect(summary[.inProgress] == 2)
        #expect(summary[.paused] == 1)
        #expect(summary.cpuPercent == 75.5)
        #expect(summary.memoryBytes == 1500)
        #expect(summary.networkBitsPerSecond == 8000)

        try await tracker.complete(two.id)
        try await tracker.cancel(three.id)
        try await tracker.report(three.id, .cancelled)
        summary = tracker.summary
        #expect(summary.activeByType == [.download: 1])
        #expect(summary.cpuPercent == 50.5)
        #expect(summary.memoryBytes == 1000)
        #expect(summary.networkBitsPerSecond == 0)
        #expect(summary[.cancelled] == 1)
    }

    @Test func pausedWorkTransfersNothing() async throws {
        let handle = try tracker.start(type: .download, description: "work", total: 1_000_000, unit: .bytes)
        try await eventually {
            handle.update(completed: handle.operation.progress.completedUnits + 1000)
            await clock.advance(by: .seconds(1))
            return handle.operation.resources.networkBitsPerSecond ?? 0 > 0
        }
        try await tracker.report(handle.id, .paused)
        await clock.advance(by: .milliseconds(250))
        _ = tracker.tick()
        #expect(handle.operation.resources.networkBitsPerSecond == 0)
    }

    @Test func timeRemainingAppearsOnceThereIsProgressAndGoesWithTheEnd() async throws {
        let handle = try tracker.start(type: .download, description: "work", total: 1000)
        #expect(handle.operation.remaining == nil)
        for step in 1...40 {
            await clock.advance(by: .milliseconds(250))
            handle.update(completed: Int64(step * 10))
            _ = tracker.tick()
        }
        let remaining = try #require(handle.operation.remaining)
        #expect((12...18).contains(remaining.expected))
        #expect(remaining.low <= remaining.expected && remaining.expected <= remaining.high)
        try await tracker.complete(handle.id)
        #expect(handle.operation.remaining == nil)
    }

    @Test func timeRemainingIsNeverLessThanWhatHoldsTheWorkBack() async throws {
        let handle = try tracker.start(type: .download, description: "work", total: 1000)
        handle.setEarliestEnd(after: .seconds(100))
        _ = tracker.tick()
        #expect(handle.operation.remaining?.expected == 100)
        for step in 1...40 {
            await clock.advance(by: .milliseconds(250))
            handle.update(completed: Int64(step * 20))
            _ = tracker.tick()
        }
        #expect(handle.operation.remaining?.low == 90)
        handle.setEarliestEnd(after: nil)
        _ = tracker.tick()
        #expect((handle.operation.remaining?.expected ?? .infinity) < 10)
    }

    @Test func timeRemainingIsNeverLessThanASpeedLimitAllows() async throws {
        let handle = try tracker.start(type: .download, description: "work", total: 10_000)
        _ = handle.limiter
        for step in 1...8 {
            await clock.advance(by: .milliseconds(250))
            handle.update(completed: Int64(step * 250))
            _ = tracker.tick()
        }
        #expect((handle.operation.remaining?.expected ?? .infinity) < 12)
        try tracker.setBandwidthLimit(10, of: handle.id)
        _ = tracker.tick()
        #expect(handle.operation.remaining?.low == 800)
        try tracker.bandwidth.setLimit(5)
        _ = tracker.tick()
        #expect(handle.operation.remaining?.low == 1600)
        #expect(handle.operation.bandwidthLimit == 10)
        try tracker.setBandwidthLimit(nil, of: handle.id)
        try tracker.bandwidth.setLimit(nil)
        _ = tracker.tick()
        #expect((handle.operation.remaining?.expected ?? .infinity) < 12)
        #expect(handle.operation.bandwidthLimit == nil)
    }

    @Test func aNewSpeedLimitIsTold() async throws {
        let handle = try tracker.start(type: .download, description: "work")
        _ = handle.limiter
        _ = tracker.tick()
        var events = tracker.events().makeAsyncIterator()
        try tracker.setBandwidthLimit(10, of: handle.id)
        _ = tracker.tick()
        while let event = await events.next(), event.operation?.bandwidthLimit != 10 {}
    }

    @Test func theTickerSleepsWhenNothingRuns() async throws {
        let handle = try tracker.start(type: .download, description: "work")
        await clock.waitForSleepers(1)
        try await tracker.complete(handle.id)
        await clock.advance(by: .seconds(1))
        #expect(clock.sleeperCount == 0)
        _ = try tracker.start(type: .download, description: "again")
        await clock.waitForSleepers(1)
    }

    @Test func aClosedTrackerTakesNoMoreAndEndsWhatRuns() async throws {
        let handle = try tracker.start(type: .download, description: "work")
        let events = tracker.events()
        await tracker.close()
        #expect(handle.operation.status == .failed)
        #expect(handle.operation.failure?.code == .interrupted)
        let error = #expect(throws: OperationError.self) { try tracker.start(type: .seed, description: "late") }
        #expect(error?.code == .closed)
        var kinds: [OperationEvent.Kind] = []
        for await event in events { kinds.append(event.kind) }
        #expect(kinds == [.finished(durable: true)])
        for await _ in tracker.events() { Issue.record("a closed tracker has no events") }
    }
}
