#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationHistorySQLite
import OperationTracking
import Synchronization

/// A service that does everything a service can do to its operations, at random, until it is killed.
///
/// It writes `taken ID` for what it has taken, and `ended ID STATUS` for what has ended. Both are true for good.
struct Service {
    private static let limit = 3

    private let tracker: OperationTracker
    private let runner: OperationRunner
    private let provider = StepProvider()

    init(_ store: SQLiteHistoryStore) {
        tracker = OperationTracker(history: store)
        var configuration = OperationRunner.Configuration()
        configuration.maximumRunning = Self.limit
        configuration.keepsQueue = true
        runner = OperationRunner(tracker: tracker, configuration: configuration)
        runner.providers.register(provider)
    }

    /// Takes up what others left, and goes on at random.
    func run() async throws {
        try await runner.takeUp()
        while true {
            let target = tracker.activeOperations.randomElement()?.id
            switch Int.random(in: 0..<8) {
            case 0, 1, 2: try await submit("\(Int.random(in: 0..<8))")
            case 3, 4: if let target { try? await tracker.pause(target) }
            case 5: if let target { try? await tracker.resume(target) }
            case 6: if let target { try? await tracker.cancel(target) }
            default: try await Task.sleep(for: .milliseconds(5))
            }
            if provider.peak > Self.limit { report("TOO MANY RUN") }
        }
    }

    /// Takes up what others left, sees it to its end, and ends.
    func finish() async throws {
        repeat {
            try await runner.takeUp()
            for operation in tracker.activeOperations { try? await tracker.resume(operation.id) }
            try await Task.sleep(for: .milliseconds(5))
        } while tracker.summary.totalActive > 0
        await runner.shutDown(within: .seconds(10))
        await tracker.close()
    }

    private func submit(_ name: String) async throws {
        let submitted = try await runner.submit(StepProvider.Request(name: name), to: provider)
        guard !submitted.hasJoined else { return }
        report("taken \(submitted.id)")
        Task {
            let status: OperationStatus
            do {
                _ = try await submitted.output
                status = .completed
            } catch {
                status = error is CancellationError ? .cancelled : .failed
            }
            report("ended \(submitted.id) \(status.rawValue)")
        }
    }
}

/// Takes some steps of a millisecond, and fails now and then.
final class StepProvider: OperationProvider {
    struct Request: Codable, Sendable {
        var name: String
    }

    static let operationType = OperationType("steps")
    let traits = ProviderTraits(pausing: .byRestart, isUnique: true)
    private let running = Mutex((now: 0, peak: 0))

    var peak: Int { running.withLock(\.peak) }

    func description(of request: Request) -> String { request.name }

    @concurrent
    func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Int {
        running.withLock { $0 = ($0.now + 1, max($0.peak, $0.now + 1)) }
        defer { running.withLock { $0.now -= 1 } }
        var step = handle.resumeState.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
        while step < 20 {
            try await handle.checkpoint()
            try await Task.sleep(for: .milliseconds(1))
            step += 1
            handle.update(completed: Int64(step))
            if step % 5 == 0 { try handle.saveResumeState(Array("\(step)".utf8)) }
        }
        if Int.random(in: 0..<10) == 0 { throw OperationFailure(.integrityError, "as drawn") }
        return step
    }
}
