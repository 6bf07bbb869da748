#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationHistorySQLite
import OperationTracking
import Synchronization

/// Looks at the operations of a data directory: once, or for as long as somebody watches.
final class OperationsLook: Sendable {
    private let data: String
    private let board = Mutex(OperationBoard())
    private let onEvent: @Sendable (BackgroundOperation) -> Void

    private static let interval: Duration = .seconds(1)

    /// - Parameter onEvent: is told of every change.
    init(data: String, onEvent: @escaping @Sendable (BackgroundOperation) -> Void = { _ in }) {
        self.data = data
        self.onEvent = onEvent
    }

    var current: OperationBoard { board.withLock { $0 } }

    /// Looks once.
    func lookOnce() async throws {
        let server = KnownServer.running(in: data)
        if let client = await ServerClient.find(in: data) {
            struct Answer: Decodable { let operations: [WireOperation] }
            let answer = try Wire.read(Answer.self, from: try await client.get(ServerClient.operations))
            board.withLock { board in
                board.url = client.server.url
                board.take(.snapshot(answer.operations.map(\.operation)))
            }
        } else if let server {
            board.withLock { $0.silent = server.url }
            Console.error("wizard: \(ServerProblem(silent: server)) What follows is what the history knows.")
        }
        try await History.reading(data) { try await readHistory($0) }
    }

    /// Follows what happens, until the task is cancelled. A server may come and go meanwhile.
    func follow() async throws {
        let history = try await History.open(in: data)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.followServer() }
            group.addTask {
                while !Task.isCancelled {
                    // What can't be read now is read at the next look.
                    try? await self.readHistory(history)
                    try? await Task.sleep(for: Self.interval)
                }
            }
        }
        await history.close()
    }

    private func followServer() async {
        while !Task.isCancelled {
            if let client = await ServerClient.find(in: data), var reader = try? await client.events() {
                board.withLock { $0.url = client.server.url }
                board.withLock { $0.silent = nil }
                while let event = try? await reader.next() {
                    board.withLock { $0.take(event) }
                    if case .operation(let operation, _) = event { onEvent(operation) }
                    if case .snapshot(let operations) = event { operations.forEach(onEvent) }
                }
                board.withLock { $0.loseServer() }
            }
            let silent = KnownServer.running(in: data)?.url
            board.withLock { $0.silent = silent }
            try? await Task.sleep(for: Self.interval)
        }
    }

    private func readHistory(_ history: SQLiteHistoryStore) async throws {
        // Ends those whose program is gone.
        _ = try await history.orphans()
        var query = HistoryQuery(limit: 1000)
        query.statuses = [.pending, .inProgress, .paused]
        let active = try await history.page(query).records
        let ids = Set(active.map(\.operation.id))
        let gone = board.withLock { $0.othersIDs }.subtracting(ids)
        board.withLock { $0.take(history: active, at: Date()) }
        for id in gone {
            guard let operation = try await history.record(id)?.operation, operation.status.isTerminal else { continue }
            board.withLock { $0.end(operation) }
            onEvent(operation)
        }
    }
}
