import OperationTrackingTesting
import Testing

@testable import OperationTracking

/// Random schedules of everything that can be done to a runner: nothing is lost, no limit is exceeded, nothing starves.
struct RunnerPropertyTests {
    @Test(arguments: 0..<40, [ProviderTraits.Pausing.inPlace, .byRestart, .unsupported])
    func anyScheduleEndsWell(_ seed: Int, _ pausing: ProviderTraits.Pausing) async throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let clock = ManualClock()
        let history = InMemoryHistoryStore()
        let tracker = OperationTracker(history: history, clock: clock)
        var configuration = OperationRunner.Configuration()
        configuration.maximumRunning = Int.random(in: 1...4, using: &generator)
        let runner = OperationRunner(tracker: tracker, configuration: configuration)
        let provider = ScriptedProvider(traits: ProviderTraits(pausing: pausing))
        let failure = OperationFailure(.providerError, "as told")
        var submitted: [SubmittedOperation<String>] = []

        for step in 0..<120 {
            let target = submitted.randomElement(using: &generator)
            let name = target.flatMap { tracker.operation($0.id)?.description } ?? ""
            switch Int.random(in: 0..<9, using: &generator) {
            case 0, 1:
                let priority = OperationPriority.allCases.randomElement(using: &generator) ?? .normal
                submitted.append(
                    try await runner.submit(.init("\(step)"), to: provider, options: .init(priority: priority))
                )
            case 2: if let target { try? await tracker.pause(target.id) }
            case 3: if let target { try? await tracker.resume(target.id) }
            case 4: if let target { try? await tracker.cancel(target.id) }
            case 5: provider.finish(name)
            case 6: provider.fail(name, with: failure)
            case 7: if let target { try? await runner.setPriority(.high, of: target.id) }
            default: for _ in 0..<Int.random(in: 1...30, using: &generator) { await Task.yield() }
            }
            #expect(provider.runningCount <= configuration.maximumRunning)
            if pausing == .unsupported {
                // A wish to pause is refused or holds back what has not begun; it never stands where nobody can follow it.
                let stuck = tracker.activeOperations.filter { $0.status == .inProgress && $0.pendingRequest == .pause }
                #expect(stuck.isEmpty)
            }
        }

        // Everything that is still open is resumed and told to finish, so everything must end.
        for operation in submitted where tracker.operation(operation.id)?.status.isActive == true {
            try? await tracker.resume(operation.id)
            provider.finish(tracker.operation(operation.id)?.description ?? "")
        }
        while tracker.summary.totalActive > 0 { await briefPause() }

        #expect(provider.peakRunningCount <= configuration.maximumRunning)
        #expect(await runner.queuedCount == 0)
        #expect(await runner.runningCount == 0)
        let summary = tracker.summary
        #expect(summary[.completed] + summary[.failed] + summary[.cancelled] == submitted.count)
        #expect(summary.activeByType.isEmpty)
        for operation in submitted {
            let status = try #require(try await history.record(operation.id)).operation.status
            #expect(status.isTerminal)
            #expect(status == tracker.operation(operation.id)?.status)
        }
    }
}
