import OperationHistorySQLite
import OperationTracking

/// A tracker with its history, for the time of one command.
struct Session {
    let tracker: OperationTracker
    let history: SQLiteHistoryStore

    init(data: String, actor: String) async throws {
        history = try await History.open(in: data)
        var configuration = OperationTracker.Configuration()
        configuration.actor = actor
        tracker = OperationTracker(history: history, configuration: configuration)
    }

    /// Runs a request and shows it, with its parts, until it has ended. Ctrl-C cancels it.
    ///
    /// - Parameter report: tells a person of the result; not called for programs, which find it in the history.
    func run<Provider: OperationProvider>(
        _ request: Provider.Request,
        with provider: Provider,
        retry: RetryPolicy,
        json: Bool,
        report: (Provider.Output) -> Void = { _ in }
    ) async throws -> ExitCode {
        let events = tracker.events()
        let tracker = tracker
        let interrupt = Interrupt {
            Task {
                for operation in tracker.activeOperations { try? await tracker.cancel(operation.id) }
            }
        } last: {
            tracker.killProcesses()
        }
        defer { interrupt.stop() }
        let runner = OperationRunner(tracker: tracker)
        let running: SubmittedOperation<Provider.Output>
        do {
            running = try await runner.submit(request, to: provider, options: .init(retry: retry))
        } catch let error as OperationError where error.code == .invalidValue {
            throw UsageError(error.message)
        }
        if tracker.operation(running.id) == nil { return try await wait(for: running, json: json) }

        var view = OperationView(json: json)
        for await event in events {
            guard let operation = event.operation, view.take(operation, event.kind, of: running.id) else { continue }
            if event.kind == .finished(durable: false) { warnAboutDurability() }
            if !json, operation.status == .completed, let output = try? await running.output { report(output) }
            return operation.status.exitCode
        }
        return .failed
    }

    /// Waits for the same work in another process, which there are no events of here. Ctrl-C ends the waiting, not the work.
    private func wait<Output>(for running: SubmittedOperation<Output>, json: Bool) async throws -> ExitCode {
        Console.error(
            "wizard: another process is at this already (\(running.id)); waiting for it. Ctrl-C ends the waiting only."
        )
        let waiting = Task { _ = try? await running.output }
        let interrupt = Interrupt { waiting.cancel() }
        defer { interrupt.stop() }
        await waiting.value
        guard let operation = try await history.record(running.id)?.operation, operation.status.isTerminal else {
            return .cancelled
        }
        var view = OperationView(json: json)
        view.end(operation)
        return operation.status.exitCode
    }

    private func warnAboutDurability() {
        guard case .degraded(let reason) = history.health else { return }
        Console.error("wizard: this run is not in the history: \(reason)")
    }
}

extension OperationStatus {
    var exitCode: ExitCode {
        switch self {
        case .completed: .done
        case .cancelled: .cancelled
        case .failed, .pending, .inProgress, .paused: .failed
        }
    }
}
