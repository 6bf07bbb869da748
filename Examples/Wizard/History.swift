import OperationHistorySQLite
import OperationTracking

/// Opens the history as a command-line program wants it: what can't be read or written is an error before any work starts,
/// and what people should know is said.
enum History {
    static func open(in data: String) async throws -> SQLiteHistoryStore {
        let history = try await SQLiteHistoryStore.open(in: data)
        for notice in history.notices { Console.error("wizard: \(notice.printable)") }
        if case .degraded(let reason) = history.health {
            await history.close()
            throw HistoryError(.failed, "The history in \(data) can't be used: \(reason)")
        }
        return history
    }
}
