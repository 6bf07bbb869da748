import OperationTrackingTesting
import Synchronization
import Testing

@testable import OperationTracking

/// What work needs, by its own word or by what its like has needed, beside what there is.
struct DemandTests {
    private let clock = ManualClock()
    private let tracker: OperationTracker

    init() {
        tracker = OperationTracker(clock: clock)
        tracker.overloadPolicy = .ofOperationsAlone
    }

    /// - Parameter tracker: another than the test's.
    private func runner(_ response: AdmissionPolicy.Response, _ tracker: OperationTracker? = nil) -> OperationRunner {
        var configuration = OperationRunner.Configuration()
        configuration.admission = AdmissionPolicy(whenOverloaded: response)
        return OperationRunner(tracker: tracker ?? self.tracker, configuration: configuration)
    }

    /// A tracker that looks after the space on a disk, however little there is.
    private func trackerOfDisk(_ history: InMemoryHistoryStore? = nil) -> OperationTracker {
        var configuration = OperationTracker.Configuration()
        configuration.dataDirectory = "/"
        let tracker = OperationTracker(history: history, clock: clock, configuration: configuration)
        tracker.overloadPolicy = .ofOperationsAlone
        tracker.overloadPolicy.minimumDiskBytes = nil
        return tracker
    }

    @Test func whatWaitsLongForMemoryHoldsBackOnlyWhatWantsItToo() async throws {
        let host = try #require(await tracker.assessOverload().host)
        let (free, most) = (try #require(host.usableMemoryBytes), try #require(host.memoryLimitBytes))
        let runner = runner(.wait)
        let provider = WantingProvider()
        let big = try await runner.submit(.init(memoryBytes: free + (most - free) * 9 / 10), to: provider)
        #expect(tracker.operation(big.id)?.phase == "waiting")
        await clock.advance(by: .seconds(61))
        let small = try await runner.submit(.init(), to: provider)
        while provider.scripted.runningCount < 1 { await briefPause() }
        #expect(tracker.operation(small.id)?.status == .inProgress)
        // It would fit, and so would the next of its kind, and the first would wait for ever.
        let alike = try await runner.submit(.init(memoryBytes: 1 << 20), to: provider)
        #expect(tracker.operation(alike.id)?.status == .pending)
        #expect(tracker.operation(alike.id)?.message?.contains("promised") == true)
        // With nothing running there is nobody to wait for.
        provider.scripted.finish("")
        _ = try await small.output
        while provider.scripted.runningCount < 1 { await briefPause() }
        #expect(tracker.operation(alike.id)?.status == .inProgress)
        #expect(tracker.operation(big.id)?.status == .pending)
    }

    @Test func nothingIsKeptFromAPartOfWhatRuns() async throws {
        let host = try #require(await tracker.assessOverload().host)
        let (free, most) = (try #require(host.usableMemoryBytes), try #require(host.memoryLimitBytes))
        let runner = runner(.wait)
        let provider = WantingProvider()
        let whole = try await runner.submit(.init(), to: provider)
        while provider.scripted.runningCount < 1 { await briefPause() }
        let big = try await runner.submit(.init(memoryBytes: free + (most - free) * 9 / 10), to: provider)
        await clock.advance(by: .seconds(61))
        let other = try await runner.submit(.init(memoryBytes: 1 << 20), to: provider)
        #expect(tracker.operation(other.id)?.status == .pending)
        var options = OperationRunner.Options()
        options.parent = whole.id
        let part = try await runner.submit(.init(memoryBytes: 1 << 20), to: provider, options: options)
        while provider.scripted.runningCount < 2 { await briefPause() }
        #expect(tracker.operation(part.id)?.status == .inProgress)
        // The same for a part of a part that nobody runs but its whole.
        options.parent = try tracker.start(type: .install, description: "middle", parent: whole.id).id
        _ = try await runner.submit(.init(memoryBytes: 1 << 20), to: provider, options: options)
        while provider.scripted.runningCount < 3 { await briefPause() }
        #expect(tracker.operation(big.id)?.status == .pending)
    }

    @Test func manyThatWaitHoldBackNobodyWhoAsksForNothing() async throws {
        let tracker = trackerOfDisk()
        let free = try #require(await tracker.assessOverload().host?.diskAvailableBytes)
        let runner = runner(.wait, tracker)
        let provider = WantingProvider()
        _ = try await runner.submit(.init(diskBytes: free / 10 * 6), to: provider)
        while provider.scripted.runningCount < 1 { await briefPause() }
        for _ in 0..<40 { _ = try await runner.submit(.init(diskBytes: free / 10 * 6), to: provider) }
        let small = try await runner.submit(.init(), to: provider)
        while provider.scripted.runningCount < 2 { await briefPause() }
        #expect(tracker.operation(small.id)?.status == .inProgress)
    }

    @Test func whatIsWrittenAlreadyIsPromisedNoMore() async throws {
        let tracker = trackerOfDisk()
        let free = try #require(await tracker.assessOverload().host?.diskAvailableBytes)
        let runner = runner(.wait, tracker)
        let provider = WantingProvider()
        let first = try await runner.submit(.init(diskBytes: free / 10 * 6), to: provider)
        while provider.scripted.runningCount < 1 { await briefPause() }
        let more = ResourceDemand(diskBytes: free / 10 * 6)
        guard case .wait = await runner.admission(of: more) else {
            Issue.record("the same space was promised twice")
            return
        }
        try #require(tracker.handle(first.id)).update(completed: free / 10 * 5)
        #expect(await runner.admission(of: more) == .start(warning: nil))
        provider.scripted.finish("")
        _ = try await first.output
    }

    @Test func aTotalDoesNotReplaceWhatTheProviderHasAskedFor() async throws {
        let tracker = trackerOfDisk()
        let free = try #require(await tracker.assessOverload().host?.diskAvailableBytes)
        let runner = runner(.wait, tracker)
        let provider = WritingProvider(named: { free / 10 * 6 })
        let first = try await runner.submit(.init("unpacks"), to: provider)
        while provider.scripted.runningCount < 1 { await briefPause() }
        try #require(tracker.handle(first.id)).setTotal(1 << 20)
        guard case .wait = await runner.admission(of: ResourceDemand(diskBytes: free / 10 * 6)) else {
            Issue.record("what it asked for was given away")
            return
        }
        provider.scripted.finish("unpacks")
        _ = try await first.output
    }

    /// What has been written counts as used by the disk itself, so it is not to be asked for again.
    @Test(arguments: [false, true])
    func pausedWorkNeedsOnlyWhatIsLeftOfItToGoOn(_ isNamed: Bool) async throws {
        let tracker = trackerOfDisk()
        let free = try #require(await tracker.assessOverload().host?.diskAvailableBytes)
        let runner = runner(.wait, tracker)
        let left = Mutex(free / 10 * 9)
        let provider = WritingProvider(pausing: .byRestart, named: { isNamed ? left.withLock(\.self) : nil })
        let paused = try await runner.submit(.init("paused"), to: provider)
        while provider.scripted.runningCount < 1 { await briefPause() }
        let handle = try #require(tracker.handle(paused.id))
        handle.setTotal(free / 10 * 9)
        handle.update(completed: free / 10 * 8)
        left.withLock { $0 -= free / 10 * 8 }
        try await tracker.pause(paused.id)
        while await runner.runningCount > 0 { await briefPause() }

        let other = WantingProvider()
        _ = try await runner.submit(.init(diskBytes: free / 2), to: other)
        while other.scripted.runningCount < 1 { await briefPause() }
        try await tracker.resume(paused.id)
        while provider.scripted.runningCount < 1, tracker.operation(paused.id)?.phase != "waiting" {
            await briefPause()
        }
        #expect(tracker.operation(paused.id)?.message == nil)
        #expect(tracker.operation(paused.id)?.status == .inProgress)
        // It has promised to write no more than that.
        #expect(await runner.admission(of: ResourceDemand(diskBytes: free / 10 * 3)) == .start(warning: nil))
    }

    @Test func whatItsLikeHasNeededHoldsWorkBackWhileOtherWorkRuns() async throws {
        let history = InMemoryHistoryStore()
        let provider = ScriptedProvider()
        let earlier = OperationTracker(history: history, clock: clock)
        let learned = try await OperationRunner(tracker: earlier).submit(.init("learned"), to: provider)
        try #require(earlier.handle(learned.id)).report(ResourceImpact(memoryBytes: 1 << 60))
        provider.finish("learned")
        _ = try await learned.output

        // Another program on the same history.
        let tracker = OperationTracker(history: history, clock: clock)
        tracker.overloadPolicy = .ofOperationsAlone
        let runner = runner(.refuse, tracker)
        // More than there is in all, but with nothing to wait for it may try.
        let first = try await runner.submit(.init("first"), to: provider)
        while provider.runningCount < 1 { await briefPause() }
        let refusal = await #expect(throws: OperationError.self) {
            try await runner.submit(.init("second"), to: provider)
        }
        #expect(refusal?.code == .overloaded)
        #expect(refusal?.message.contains("memory") == true)
        provider.finish("first")
        _ = try await first.output
    }

    @Test func workThatNeverFitsIsToldSo() async throws {
        let runner = runner(.wait)
        let decision = await runner.admission(of: ResourceDemand(memoryBytes: 1 << 60))
        guard case .neverFits(let reason) = decision else {
            Issue.record("\(decision)")
            return
        }
        #expect(reason.contains("memory"))
        let error = await #expect(throws: OperationError.self) {
            try await runner.submit(.init(), to: GreedyProvider())
        }
        #expect(error?.code == .neverFits)
        #expect(tracker.summary.totalActive == 0)
    }

    // MARK: What was learned

    /// A runner that refuses what doesn't fit, of another program on the same history, with a disk to look after.
    private func later(_ history: InMemoryHistoryStore) async throws -> (runner: OperationRunner, free: Int64) {
        let tracker = trackerOfDisk(history)
        return (runner(.refuse, tracker), try #require(await tracker.assessOverload().host?.diskAvailableBytes))
    }

    /// Runs a request that transfers so much.
    private func transfer(
        _ bytes: Int64,
        present: Int64 = 0,
        isHere: Bool = true,
        _ history: InMemoryHistoryStore
    ) async throws {
        let tracker = OperationTracker(history: history, clock: clock)
        let provider = WritingProvider(isHere: isHere)
        let running = try await OperationRunner(tracker: tracker).submit(.init("learned"), to: provider)
        let handle = try #require(tracker.handle(running.id))
        handle.setPresent(present)
        handle.update(completed: bytes)
        provider.scripted.finish("learned")
        _ = try await running.output
        // What ends later than another tracker begins is learned by that one itself.
        await clock.advance(by: .seconds(1))
    }

    @Test func asMuchDiskAsItsLikeHasWrittenIsLookedForWhileOtherWorkRuns() async throws {
        let history = InMemoryHistoryStore()
        try await transfer(1 << 60, history)
        let (runner, _) = try await later(history)
        let provider = WritingProvider()
        // More than there is in all, but with nothing to wait for it may try.
        _ = try await runner.submit(.init("first"), to: provider)
        while provider.scripted.runningCount < 1 { await briefPause() }
        let refusal = await #expect(throws: OperationError.self) {
            try await runner.submit(.init("second"), to: provider)
        }
        #expect(refusal?.code == .overloaded)
        #expect(refusal?.message.contains("disk space") == true)
    }

    @Test func whatIsWrittenElsewhereOrWasThereBeforeIsNotLearned() async throws {
        let history = InMemoryHistoryStore()
        try await transfer(1 << 60, present: 1 << 60, history)
        let (runner, _) = try await later(history)
        let here = WritingProvider()
        for name in ["a", "b"] { _ = try await runner.submit(.init(name), to: here) }

        try await transfer(1 << 60, history)
        let (another, _) = try await later(history)
        let elsewhere = WritingProvider(isHere: false)
        for name in ["a", "b"] { _ = try await another.submit(.init(name), to: elsewhere) }
        while here.scripted.runningCount + elsewhere.scripted.runningCount < 4 { await briefPause() }
    }

    @Test func whatWasWrittenElsewhereOrByAClientIsNotLearned() async throws {
        let history = InMemoryHistoryStore()
        try await transfer(1 << 60, isHere: false, history)
        let clients = OperationTracker(history: history, clock: clock)
        let reported = try clients.start(type: WritingProvider.operationType, description: "a client's")
        reported.update(completed: 1 << 60)
        try await clients.complete(reported.id)
        await clock.advance(by: .seconds(1))
        let (runner, _) = try await later(history)
        // The same in one program.
        let own = try runner.tracker.start(type: WritingProvider.operationType, description: "a client's")
        own.update(completed: 1 << 60)
        try await runner.tracker.complete(own.id)
        let provider = WritingProvider()
        for name in ["a", "b"] { _ = try await runner.submit(.init(name), to: provider) }
        while provider.scripted.runningCount < 2 { await briefPause() }
    }

    @Test func aTotalThatTheWorkHasToldGoesBeforeWhatWasLearned() async throws {
        let history = InMemoryHistoryStore()
        try await transfer(1 << 60, history)
        let (runner, free) = try await later(history)
        let provider = WritingProvider()
        let first = try await runner.submit(.init("first"), to: provider)
        while provider.scripted.runningCount < 1 { await briefPause() }
        let half = ResourceDemand(diskBytes: free / 2)
        guard case .refuse = await runner.admission(of: half) else {
            Issue.record("what was learned is not kept for it")
            return
        }
        let handle = try #require(runner.tracker.handle(first.id))
        handle.setTotal(free)
        handle.update(completed: free / 10 * 4)
        guard case .refuse = await runner.admission(of: half) else {
            Issue.record("what it has told is not kept for it")
            return
        }
        handle.update(completed: free / 10 * 9)
        #expect(await runner.admission(of: half) == .start(warning: nil))
    }
}

extension OverloadPolicy {
    /// The machine's own load is left out, since tests run on any.
    static var ofOperationsAlone: OverloadPolicy {
        var policy = OverloadPolicy()
        policy.hostCPUPercent = nil
        policy.minimumAvailableMemoryBytes = nil
        policy.memoryPressurePercent = nil
        policy.settleTime = .seconds(4)
        return policy
    }
}

/// Wants as much memory as it is asked to.
private struct WantingProvider: OperationProvider {
    struct Request: Codable {
        var memoryBytes: Int64?
        var diskBytes: Int64?
    }

    static let operationType = OperationType("wanting")
    let scripted = ScriptedProvider()
    var unit: OperationUnit { .bytes }

    func description(of request: Request) -> String { "wanting" }
    func demand(of request: Request) -> ResourceDemand {
        ResourceDemand(memoryBytes: request.memoryBytes, diskBytes: request.diskBytes)
    }

    @concurrent
    func perform(_ request: Request, reporting handle: OperationHandle) async throws -> String {
        try await scripted.perform(.init(""), reporting: handle)
    }
}

private struct GreedyProvider: OperationProvider {
    struct Request: Codable {}
    struct Output: Codable {}

    static let operationType = OperationType("greedy")

    func description(of request: Request) -> String { "greedy" }
    func demand(of request: Request) -> ResourceDemand { ResourceDemand(memoryBytes: 1 << 60) }

    @concurrent
    func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Output { Output() }
}

/// Transfers bytes, to the file system that is looked after unless it says otherwise.
private struct WritingProvider: OperationProvider {
    static let operationType = OperationType("writing")
    let scripted = ScriptedProvider()
    var isHere = true
    var pausing = ProviderTraits.Pausing.unsupported
    /// How much it says that it will write.
    var named: @Sendable () -> Int64? = { nil }
    var unit: OperationUnit { .bytes }
    var traits: ProviderTraits { ProviderTraits(pausing: pausing, writesToDataDirectory: isHere) }

    func description(of request: ScriptedProvider.Request) -> String { request.name }
    func demand(of request: ScriptedProvider.Request) -> ResourceDemand { ResourceDemand(diskBytes: named()) }

    @concurrent
    func perform(_ request: ScriptedProvider.Request, reporting handle: OperationHandle) async throws -> String {
        try await scripted.perform(request, reporting: handle)
    }
}
