import Foundation
import OperationTracking
import OperationTrackingTesting
import Testing

@testable import OperationHistorySQLite

/// What one service leaves in the history, the next takes up.
struct RestartTests {
    private let directory = TemporaryDirectory()
    private let provider = ScriptedProvider(traits: ProviderTraits(pausing: .byRestart, isUnique: true))

    private struct Service {
        let tracker: OperationTracker
        let runner: OperationRunner

        init(_ store: SQLiteHistoryStore, _ provider: ScriptedProvider, limit: Int = 4) {
            tracker = OperationTracker(history: store)
            var configuration = OperationRunner.Configuration()
            configuration.maximumRunning = limit
            configuration.keepsQueue = true
            runner = OperationRunner(tracker: tracker, configuration: configuration)
            runner.providers.register(provider)
        }

        func stop() async {
            await runner.shutDown(within: .zero)
            await tracker.close()
        }
    }

    private func until(_ condition: () -> Bool) async {
        while !condition() { await briefPause() }
    }

    @Test func aPausedOperationSurvivesARestartWithItsNumbersAndGoesOn() async throws {
        let first = Service(try await directory.open(), provider)
        let submitted = try await first.runner.submit(.init("a"), to: provider)
        await until { provider.runningCount == 1 }
        let handle = try #require(first.tracker.handle(submitted.id))
        handle.setTotal(200)
        handle.update(completed: 80)
        handle.update(completed: 50)
        try handle.saveResumeState(Array(#"{"at":50}"#.utf8))
        try await first.tracker.pause(submitted.id)
        await until { first.tracker.operation(submitted.id)?.status == .paused }
        let before = try #require(first.tracker.operation(submitted.id))
        await first.stop()

        let second = Service(try await directory.open(), provider)
        #expect(try await second.runner.takeUp() == 1)
        let after = try #require(second.tracker.operation(submitted.id))
        #expect(after.status == .paused)
        #expect(after.progress == before.progress)
        #expect(after.attempt == before.attempt)
        #expect(after.createdAt == before.createdAt)
        #expect(abs((after.activeSeconds ?? 0) - (before.activeSeconds ?? 0)) < 0.001)
        let resumed = try #require(second.tracker.handle(submitted.id))
        #expect(resumed.resumeState == Array(#"{"at":50}"#.utf8))

        try await second.tracker.resume(submitted.id)
        await until { provider.runningCount == 1 }
        provider.finish("a")
        await until { second.tracker.operation(submitted.id)?.status == .completed }
        #expect(second.tracker.operation(submitted.id)?.progress.rewoundUnits == 30)
        await second.stop()
    }

    @Test func whatStillWaitedIsQueuedByTheNextService() async throws {
        let first = Service(try await directory.open(), provider, limit: 1)
        _ = try await first.runner.submit(.init("running"), to: provider)
        await until { provider.runningCount == 1 }
        let waiting = try await first.runner.submit(.init("waiting"), to: provider, options: .init(priority: .high))
        await first.stop()

        let store = try await directory.open()
        #expect(try await store.record(waiting.id)?.operation.status == .pending)
        let second = Service(store, provider)
        provider.finish("waiting")
        #expect(try await second.runner.takeUp() == 1)
        await until { second.tracker.operation(waiting.id)?.status == .completed }
        #expect(second.tracker.operation(waiting.id)?.priority == .high)
        await second.stop()
    }

    @Test func retriesAreMadeAsTheyWereSubmitted() async throws {
        let first = Service(try await directory.open(), provider, limit: 1)
        _ = try await first.runner.submit(.init("running"), to: provider)
        await until { provider.runningCount == 1 }
        let retry = RetryPolicy(maximumAttempts: 2, baseDelay: .zero, retryable: [.timeout])
        let waiting = try await first.runner.submit(.init("waiting"), to: provider, options: .init(retry: retry))
        await first.stop()

        let second = Service(try await directory.open(), provider)
        provider.fail("waiting", with: OperationFailure(.timeout, "too slow"))
        #expect(try await second.runner.takeUp(retry: .never) == 1)
        await until { second.tracker.operation(waiting.id)?.attempt == 2 }
        provider.finish("waiting")
        await until { second.tracker.operation(waiting.id)?.status == .completed }
        await second.stop()
    }

    @Test func aPartFindsItsWholeAgain() async throws {
        let first = Service(try await directory.open(), provider)
        let whole = try await first.runner.submit(.init("whole"), to: provider)
        let part = try await first.runner.submit(
            .init("part"),
            to: provider,
            options: .init(parent: whole.id, band: 0.5..<1)
        )
        await until { provider.runningCount == 2 }
        let handle = try #require(first.tracker.handle(part.id))
        handle.setTotal(10)
        handle.update(completed: 5)
        try await first.tracker.pause(whole.id)
        await until { [whole, part].allSatisfy { first.tracker.operation($0.id)?.status == .paused } }
        #expect(first.tracker.operation(whole.id)?.progress.percent == 25)
        await first.stop()

        let second = Service(try await directory.open(), provider)
        #expect(try await second.runner.takeUp() == 2)
        let restored = try #require(second.tracker.operation(whole.id))
        #expect(restored.progress.percent == 25)
        try await second.tracker.resume(whole.id)
        await until { second.tracker.operation(part.id)?.status == .inProgress }
        second.tracker.handle(part.id)?.update(completed: 10)
        #expect(second.tracker.operation(whole.id)?.progress.completedUnits == restored.progress.completedUnits * 2)
        for name in ["whole", "part"] { provider.finish(name) }
        await until { second.tracker.summary.totalActive == 0 }
        await second.stop()
    }

    @Test func anEqualRequestTakesOverWhatWasLeftBehind() async throws {
        let first = Service(try await directory.open(), provider)
        let left = try await first.runner.submit(.init("a"), to: provider)
        await until { provider.runningCount == 1 }
        try await first.tracker.pause(left.id)
        await until { first.tracker.operation(left.id)?.status == .paused }
        await first.stop()

        let second = Service(try await directory.open(), provider)
        provider.finish("a")
        let joined = try await second.runner.submit(.init("a"), to: provider)
        #expect(joined.hasJoined)
        #expect(joined.id == left.id)
        #expect(try await joined.output == "a")
        await second.stop()
    }

    /// What is on the disk at this moment, as a crash leaves it: no other process holds the copy's owners' locks.
    private func crashImage(of directory: TemporaryDirectory) throws -> TemporaryDirectory {
        let (image, files) = (TemporaryDirectory(), FileManager.default)
        // Nobody commits meanwhile, so that the file and its log belong together.
        let lock = HistoryPaths(directory: directory.path).commitLock
        try CommitLock(path: lock, patience: TemporaryDirectory.patience).hold {
            try files.copyItem(atPath: directory.path, toPath: image.path)
        }
        return image
    }

    @Test(arguments: 0..<8)
    func whateverWasSubmittedEndsHoweverOftenTheServiceRestartsOrCrashes(_ seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        // Unique, so that the row of whatever was taken is durable at once.
        let traits = ProviderTraits(pausing: .byRestart, isUnique: true)
        var (directory, provider) = (self.directory, ScriptedProvider(traits: traits))
        var service = Service(try await directory.open(), provider, limit: 2)
        var crashed: [(service: Service, directory: TemporaryDirectory)] = []
        var ids: [OperationID: String] = [:]
        for step in 0..<60 {
            let target = ids.keys.sorted().randomElement(using: &generator)
            switch Int.random(in: 0..<9, using: &generator) {
            case 0, 1:
                let name = "\(step)"
                ids[try await service.runner.submit(.init(name), to: provider).id] = name
            case 2: if let target { try? await service.tracker.pause(target) }
            case 3: if let target { try? await service.tracker.resume(target) }
            case 4: if let target { try? await service.tracker.cancel(target) }
            case 5: if let target { provider.finish(ids[target] ?? "") }
            case 6:
                await service.stop()
                service = Service(try await directory.open(), provider, limit: 2)
                try await service.runner.takeUp()
            case 7:
                crashed.append((service, directory))
                directory = try crashImage(of: directory)
                provider = ScriptedProvider(traits: traits)
                service = Service(try await directory.open(), provider, limit: 2)
                try await service.runner.takeUp()
            default: for _ in 0..<20 { await Task.yield() }
            }
            #expect(provider.runningCount <= 2)
        }
        for (id, name) in ids where service.tracker.operation(id)?.status.isActive == true {
            try? await service.tracker.resume(id)
            provider.finish(name)
        }
        let tracker = service.tracker
        await until { tracker.summary.totalActive == 0 }
        await service.stop()
        for crash in crashed { await crash.service.stop() }

        let store = try await directory.open()
        for id in ids.keys { #expect(try await store.record(id)?.operation.status.isTerminal == true) }
        let open = try directory.integer(
            "SELECT count(*) FROM operations WHERE status IN ('pending', 'in_progress', 'paused')"
        )
        #expect(open == 0)
        await store.close()
    }

    @Test func anEqualRequestJoinsAnotherProcessOnTheSameHistory() async throws {
        let first = Service(try await directory.open(), provider)
        let second = Service(try await directory.open(), provider)
        let here = try await first.runner.submit(.init("a"), to: provider)
        let there = try await second.runner.submit(.init("a"), to: provider)
        #expect(there.hasJoined)
        #expect(there.id == here.id)
        provider.finish("a")
        #expect(try await here.output == "a")
        #expect(try await there.output == "a")
        let again = try await second.runner.submit(.init("a"), to: provider)
        #expect(!again.hasJoined)
        provider.finish("a")
        _ = try await again.output
        await first.stop()
        await second.stop()
    }
}
