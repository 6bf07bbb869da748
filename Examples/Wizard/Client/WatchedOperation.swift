import OperationHistorySQLite
import OperationTracking
import Synchronization

/// Work that is handed to a server and shown here until it ends. Ctrl-C cancels it there.
final class WatchedOperation: Sendable {
    private let data: String
    private let json: Bool
    private let id = Mutex<OperationID?>(nil)

    init(data: String, json: Bool) {
        self.data = data
        self.json = json
    }

    /// Hands a request over, and shows what becomes of it.
    ///
    /// - Throws: ``ServerProblem`` when the server refuses, or is gone for good; `CancellationError` when Ctrl-C finds no server.
    func run(
        _ request: some Encodable & Sendable,
        of type: OperationType,
        with client: ServerClient
    ) async throws -> BackgroundOperation {
        let watching = Task { try await submitAndWatch(request, of: type, with: client) }
        let interrupt = Interrupt {
            Task {
                if await !self.cancel() { watching.cancel() }
            }
        }
        defer { interrupt.stop() }
        return try await watching.value
    }

    private func cancel() async -> Bool {
        guard let id = id.withLock({ $0 }), let client = await ServerClient.find(in: data) else { return false }
        return (try? await client.post("\(ServerClient.operations)/\(id)/cancel")) != nil
    }

    private func submitAndWatch(
        _ request: some Encodable,
        of type: OperationType,
        with client: ServerClient
    ) async throws -> BackgroundOperation {
        // First, so that nothing that happens to the operation or its parts is missed.
        let feed = try await ServerFeed(client, in: data)
        let work = try await client.submit(request, of: type)
        id.withLock { $0 = work.operationID }
        if let warning = work.warning { Console.error("wizard: \(warning.printable)") }
        return try await watch(work, feed)
    }

    private func watch(_ work: SubmittedWork, _ feed: ServerFeed) async throws -> BackgroundOperation {
        let id = work.operationID
        var feed = feed
        var view = OperationView(json: json)
        // The first snapshot is older than the operation, unless that was there before.
        var isKnown = work.hasJoined
        while true {
            let step: ServerFeed.Step
            do {
                step = try await feed.next()
            } catch let problem as ServerProblem {
                view.clear()
                throw await gone(problem, id)
            }
            switch step {
            case .lost:
                view.notice(
                    "the connection to the server is lost; looking for it for \(Int(ServerFeed.patience.seconds)) s."
                )
                isKnown = true
            case .event(.operation(let operation, let kind)):
                guard view.take(operation, kind, of: id) else { continue }
                if kind == .finished(durable: false) {
                    Console.error("wizard: this run is not in the server's history.")
                }
                return operation
            case .event(.snapshot(let operations)):
                for operation in operations { _ = view.take(operation, .updated, of: id) }
                guard isKnown, !operations.contains(where: { $0.id == id }) else { continue }
                let operation = try await state(of: id, feed.client)
                if operation.status.isTerminal {
                    _ = view.take(operation, .finished(durable: true), of: id)
                    return operation
                }
                // Another process does it, which a stream of the operation alone follows.
                feed = try await ServerFeed(feed.client, in: data, of: id)
            }
        }
    }

    private func state(of id: OperationID, _ client: ServerClient) async throws -> BackgroundOperation {
        try Wire.read(WireOperation.self, from: try await client.operation(id)).operation
    }

    /// What is to be said when the server is gone: the history knows how the operation was left.
    private func gone(_ problem: ServerProblem, _ id: OperationID) async -> ServerProblem {
        var text = problem.description
        if let history = try? await History.open(in: data) {
            let status = try? await history.record(id)?.operation.status
            await history.close()
            if let status { text += " The history has \(id) as \(status.rawValue)." }
        }
        return ServerProblem("\(text) `wizard start` starts a server, which takes up what waits or is paused.")
    }
}
