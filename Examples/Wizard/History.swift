import OperationHistorySQLite
import OperationTracking

/// Opens the history as a command-line program wants it: what can't be read or written is an error before any work starts,
/// and what people should know is said.
enum History {
    static func open(in data: String) async throws -> SQLiteHistoryStore {
        // The store takes locks there, also for whoever only looks.
        if let owner = DataDirectory.otherOwner(of: data) {
            throw ServerProblem(
                "\(data) is \(owner)'s, and this user can't write there, which a look at the history needs as well: say `sudo -u \(owner) wizard …`, or ask the server of it over HTTP.",
                "not_permitted"
            )
        }
        let history = try await SQLiteHistoryStore.open(in: data)
        for notice in history.notices { Console.error("wizard: \(notice.printable)") }
        if case .degraded(let reason) = history.health {
            await history.close()
            throw HistoryError(.failed, "The history in \(data) can't be used: \(reason)")
        }
        return history
    }

    /// Opens it for as long as something is read there, and closes it whatever comes of that: a program that ends without leaves
    /// behind that it is there.
    static func reading<Result>(
        _ data: String,
        _ read: (SQLiteHistoryStore) async throws -> Result
    ) async throws -> Result {
        let history = try await open(in: data)
        do {
            let result = try await read(history)
            await history.close()
            return result
        } catch {
            await history.close()
            throw error
        }
    }
}
