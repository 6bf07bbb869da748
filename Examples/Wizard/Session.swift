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

    /// Runs a request and shows it until it has ended. Ctrl-C cancels it.
    func run<Provider: OperationProvider>(
        _ request: Provider.Request,
        with provider: Provider,
        retry: RetryPolicy,
        json: Bool
    ) async throws -> ExitCode {
        let events = tracker.events()
        let tracker = tracker
        let interrupt = Interrupt {
            Task {
                for operation in tracker.activeOperations { try? await tracker.cancel(operation.id) }
            }
        }
        defer { interrupt.stop() }
        let runner = OperationRunner(tracker: tracker)
        let running = try await runner.submit(request, to: provider, options: .init(retry: retry))

        var view = OperationView(json: json)
        for await event in events {
            guard let operation = event.operation, operation.id == running.id else { continue }
            switch event.kind {
            case .started:
                view.begin(operation)
            case .finished(let durable):
                view.end(operation)
                if !durable { warnAboutDurability() }
                return operation.status.exitCode
            default:
                view.show(operation)
            }
        }
        return .failed
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
