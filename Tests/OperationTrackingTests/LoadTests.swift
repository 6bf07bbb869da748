#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import OperationTrackingTesting
import TestSupport
import Testing

@testable import OperationTracking

/// The tracker and the runner under load. The machine's own load is left out of the policy, since tests run on any.
struct LoadTests {
    private let clock = ManualClock()
    private let tracker: OperationTracker

    init() {
        tracker = OperationTracker(clock: clock)
        tracker.overloadPolicy = .ofOperationsAlone
    }

    private func runner(_ response: AdmissionPolicy.Response) -> OperationRunner {
        var configuration = OperationRunner.Configuration()
        configuration.admission = AdmissionPolicy(whenOverloaded: response)
        return OperationRunner(tracker: tracker, configuration: configuration)
    }

    /// An operation whose client says that it costs so much.
    private func burden(cpuPercent: Double = 0, memoryBytes: Int64 = 0) throws -> OperationHandle {
        let handle = try tracker.start(type: .install, description: "burden")
        handle.report(ResourceImpact(cpuPercent: cpuPercent, memoryBytes: memoryBytes))
        _ = tracker.tick()
        return handle
    }

    /// Lets one measurement after the other be made until a condition holds.
    private func passTime(until condition: () -> Bool) async {
        let measurements = AsyncStream.makeStream(of: Void.self)
        tracker.observeLoad {
            measurements.continuation.yield()
            return true
        }
        var measured = measurements.stream.makeAsyncIterator()
        while !condition() {
            // The ticker measures when it wakes and the figures are two seconds old.
            await clock.waitForSleepers(1)
            await clock.advance(by: .seconds(2))
            await measured.next()
            for _ in 0..<20 { await Task.yield() }
        }
    }

    @Test func theOriginalsThresholdsHold() async throws {
        let burden = try burden(cpuPercent: 80)
        #expect(await tracker.assessOverload().isOverloaded == false)
        burden.report(ResourceImpact(cpuPercent: 80.5, memoryBytes: 4001 << 20))
        _ = tracker.tick()
        await passTime { tracker.latestAssessment.reasons.count == 2 }
        let assessment = await tracker.assessOverload()
        #expect(assessment.reasons.map(\.code) == [.operationsCPU, .operationsMemory])
        #expect(assessment.message?.contains("80") == true)
    }

    @Test func overloadIsAnEventWhenItComesAndWhenItGoes() async throws {
        let events = tracker.events()
        let burden = try burden(cpuPercent: 200)
        await passTime { tracker.latestAssessment.isOverloaded }
        burden.report(ResourceImpact(cpuPercent: 1))
        await passTime { !tracker.latestAssessment.isOverloaded }
        await tracker.close()
        var overloads: [Bool] = []
        for await event in events {
            if case .overloadChanged(let assessment) = event.kind { overloads.append(assessment.isOverloaded) }
        }
        #expect(overloads == [true, false])
    }

    @Test func aFreshFigureIsNotMeasuredAgain() async throws {
        _ = await tracker.assessOverload()
        let before = await tracker.resourceHistory().count
        _ = await tracker.assessOverload()
        #expect(await tracker.resourceHistory().count == before)
        await clock.advance(by: .seconds(3))
        _ = await tracker.assessOverload()
        #expect(await tracker.resourceHistory().count == before + 1)
    }

    @Test func manyWhoAskAtOnceHaveOneMeasurementMade() async throws {
        for _ in 0..<3 {
            let before = await tracker.resourceHistory().count
            await withDiscardingTaskGroup { group in
                for _ in 0..<24 { group.addTask { [tracker] in _ = await tracker.assessOverload() } }
            }
            #expect(await tracker.resourceHistory().count == before + 1)
            await clock.advance(by: .seconds(3))
        }
    }

    @Test func theSameFiguresAgainAreNoNews() async throws {
        let idle = try tracker.start(type: .install, description: "idle", pid: getppid())
        let process = try #require(idle.cell.withState(\.process))
        let impact = ResourceImpact(cpuPercent: 0, memoryBytes: 5)
        idle.cell.take(impact)
        _ = tracker.tick()
        #expect(idle.operation.resources == impact)
        idle.cell.take(impact)
        #expect(!idle.cell.withState(\.isDirty))
        idle.cell.take(nil)
        #expect(idle.cell.withState(\.isDirty))
        #expect(process.pid == getppid())
    }

    @Test func aRunnerThatIsGoneIsNotToldOfTheLoad() async throws {
        for _ in 0..<5 { _ = OperationRunner(tracker: tracker) }
        _ = await tracker.assessOverload()
        #expect(tracker.loadObserverCount == 0)
    }

    @Test func aPolicyThatSomebodySetsWhileAnotherIsLearnedHolds() {
        let learned = ThresholdChange(code: .operationsCPU, old: 80, new: 50, reason: "learned")
        let changes = tracker.monitor.changePolicy { policy in
            policy.cpuPercent = 50
            tracker.overloadPolicy.memoryBytes = 1
            return [learned]
        }
        #expect(changes == [])
        #expect(tracker.overloadPolicy.cpuPercent == 80)
        #expect(tracker.overloadPolicy.memoryBytes == 1)
        #expect(
            tracker.monitor.changePolicy {
                $0.cpuPercent = 50; return [learned]
            } == [learned]
        )
        #expect(tracker.overloadPolicy.cpuPercent == 50)
    }

    @Test func typesThatComeFromOutsideAreLearnedAboutUpToANumber() async throws {
        let types = try (0..<70).map { try #require(OperationType(rawValue: "type_\($0)")) }
        for type in types {
            let handle = try tracker.start(type: type, description: "one of many")
            handle.report(ResourceImpact(memoryBytes: 1000))
            try await tracker.complete(handle.id)
        }
        #expect(types.count { tracker.learnedDemand(of: $0).memoryBytes != nil } == 64)
    }

    @Test func failuresOfWorkThatMovesNoBytesMoveTheThresholdToo() async throws {
        var configuration = OperationTracker.Configuration()
        configuration.adaptsOverloadPolicy = true
        let tracker = OperationTracker(clock: clock, configuration: configuration)
        let failure = OperationFailure(.stalled, "too much at once")
        // Calm and load take turns, and under load something always fails.
        for round in 0..<120 {
            let isLoaded = round / 10 % 2 == 1
            let handles = try (0..<2).map {
                try tracker.start(type: .install, description: "\($0)", unit: .items)
            }
            handles[0].report(ResourceImpact(cpuPercent: isLoaded ? 78 : 50))
            _ = tracker.tick()
            if isLoaded { try await tracker.fail(handles[1].id, failure) }
            await clock.advance(by: .seconds(11))
            _ = await tracker.assessOverload()
            for handle in handles { _ = try? await tracker.complete(handle.id) }
        }
        #expect(tracker.overloadPolicy.cpuPercent == 50)
    }

    @Test(.timeLimit(.minutes(Patience.minutes)))
    func whatATypeIsKnownToNeedIsNotPromisedTwiceWhenCalmReturns() async throws {
        // What is free is the machine's own, and others take of it, and give back, meanwhile.
        func learn() {
            let free = tracker.latestAssessment.host?.usableMemoryBytes ?? 0
            tracker.registry.learnMemory(of: ScriptedProvider.operationType, free / 10 * 6)
        }
        try #require(await tracker.assessOverload().host?.usableMemoryBytes != nil)
        let runner = runner(.wait)
        let provider = ScriptedProvider()
        let burden = try burden(cpuPercent: 200)
        await passTime {
            learn()
            return tracker.latestAssessment.isOverloaded
        }
        for name in ["a", "b"] { _ = try await runner.submit(.init(name), to: provider) }
        #expect(await runner.queuedCount == 2)
        burden.report(ResourceImpact(cpuPercent: 1))
        _ = tracker.tick()
        await passTime {
            learn()
            return provider.runningCount > 0
        }
        await passTime {
            learn()
            return tracker.activeOperations.contains { $0.message?.contains("promised") == true }
        }
        #expect(provider.peakRunningCount == 1)
    }

    @Test func workWaitsWhileTheMachineIsOverloadedAndBeginsWhenCalmReturns() async throws {
        let runner = runner(.wait)
        let provider = ScriptedProvider()
        let burden = try burden(cpuPercent: 200)
        _ = await tracker.assessOverload()
        await passTime { tracker.latestAssessment.isOverloaded }
        let waiting = try await runner.submit(.init("a"), to: provider)
        let operation = try #require(tracker.operation(waiting.id))
        #expect(operation.status == .pending)
        #expect(operation.phase == "waiting")
        #expect(operation.message?.contains("CPU") == true)

        burden.report(ResourceImpact(cpuPercent: 1))
        _ = tracker.tick()
        await passTime { tracker.operation(waiting.id)?.status == .inProgress }
        #expect(tracker.operation(waiting.id)?.phase == nil)
        provider.finish("a")
        #expect(try await waiting.output == "a")
    }

    @Test func workIsRefusedOrBegunWithAWarningAsThePolicySays() async throws {
        let burden = try burden(memoryBytes: 5000 << 20)
        await passTime { tracker.latestAssessment.isOverloaded }
        let provider = ScriptedProvider()
        let refusal = await #expect(throws: OperationError.self) {
            try await runner(.refuse).submit(.init("a"), to: provider)
        }
        #expect(refusal?.code == .overloaded)
        let warned = try await runner(.warn).submit(.init("b"), to: provider)
        #expect(warned.warning?.contains("memory") == true)
        provider.finish("b")
        _ = try await warned.output
        try await tracker.complete(burden.id)
    }

    @Test func aQueueIsBoundedAlsoWhileTheMachineIsOverloaded() async throws {
        var configuration = OperationRunner.Configuration()
        configuration.admission = AdmissionPolicy(whenOverloaded: .wait)
        configuration.maximumQueued = 3
        let runner = OperationRunner(tracker: tracker, configuration: configuration)
        _ = try burden(cpuPercent: 200)
        await passTime { tracker.latestAssessment.isOverloaded }
        for number in 0..<3 { _ = try await runner.submit(.init("\(number)"), to: ScriptedProvider()) }
        let error = await #expect(throws: OperationError.self) {
            try await runner.submit(.init("one too many"), to: ScriptedProvider())
        }
        #expect(error?.code == .queueFull)
    }

    @Test func onlyTheFrontOfALongQueueIsLookedAt() async throws {
        let runner = runner(.wait)
        _ = try burden(cpuPercent: 200)
        await passTime { tracker.latestAssessment.isOverloaded }
        for number in 0..<100 { _ = try await runner.submit(.init("\(number)"), to: ScriptedProvider()) }
        let waiting = tracker.activeOperations.filter { $0.status == .pending }
        #expect(waiting.count == 100)
        #expect(Set(waiting.filter { $0.phase == "waiting" }.map(\.description)) == Set((0..<32).map { "\($0)" }))
    }

    @Test func thresholdsChangeWhileRunning() async throws {
        _ = try burden(cpuPercent: 50)
        await passTime { tracker.latestAssessment.activeOperations == 1 }
        #expect(!tracker.latestAssessment.isOverloaded)
        tracker.overloadPolicy.cpuPercent = 40
        await passTime { tracker.latestAssessment.isOverloaded }
    }

    @Test func aProcessThatTwoOperationsNameCountsOnceInTheTotals() async throws {
        let pid = getppid()
        let one = try tracker.start(type: .install, description: "one", pid: pid)
        let two = try tracker.start(type: .install, description: "two", pid: pid)
        await passTime { one.operation.resources.memoryBytes != nil && two.operation.resources.memoryBytes != nil }
        let memory = try #require(one.operation.resources.memoryBytes)
        #expect(memory > 0)
        #expect(abs(tracker.summary.memoryBytes - memory) <= memory / 5)
        try await tracker.complete(one.id)
        try await tracker.complete(two.id)
        #expect(tracker.summary.memoryBytes == 0)
    }

    @Test func workInsideThisProcessHasNoCostOfItsOwn() async throws {
        let handle = try tracker.start(type: .install, description: "inside", pid: getpid())
        await passTime { tracker.latestAssessment.activeOperations == 1 }
        await clock.advance(by: .seconds(5))
        #expect(handle.operation.resources.cpuPercent == nil)
        #expect(handle.operation.resources.memoryBytes == nil)
    }
}
