import Foundation
import OperationTracking
import Testing

@testable import OperationHistorySQLite

/// A directory that is removed with the value.
final class TemporaryDirectory: Sendable {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.appending(path: "history-\(UUID().uuidString)").path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    var database: String { path + "/history.sqlite" }

    var fileNames: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    /// How long anyone waits for anyone else here: no test is to see a lock held for longer than a disk may stall.
    static let patience = Duration.seconds(120)

    /// Opens without retention, since the tests' operations are old, unless `change` sets one.
    func open(_ change: (inout SQLiteHistoryStore.Options) -> Void = { _ in }) async throws -> SQLiteHistoryStore {
        var options = SQLiteHistoryStore.Options(retention: RetentionPolicy())
        options.lockPatience = Self.patience
        change(&options)
        return try await SQLiteHistoryStore.open(in: path, options: options)
    }

    /// Reads a number with a connection of its own.
    func integer(_ sql: String) throws -> Int64 {
        try Database(path: database, createsFile: false, patience: Self.patience).integer(sql)
    }

    func execute(_ sql: String) throws {
        try Database(path: database, createsFile: false, patience: Self.patience).execute(sql)
    }
}

func record(
    _ name: String,
    _ status: OperationStatus = .completed,
    type: OperationType = .download,
    at createdAt: Date = Date(milliseconds: 1_700_000_000_000)
) throws -> OperationRecord {
    let id = try #require(OperationID(rawValue: "op_\(name)"))
    var operation = BackgroundOperation(
        id: id,
        type: type,
        description: "Test \(name)",
        status: status,
        createdAt: createdAt
    )
    if status != .pending { operation.startedAt = createdAt }
    if status.isTerminal {
        operation.finishedAt = createdAt
        operation.activeSeconds = 2
    }
    return OperationRecord(operation: operation)
}

extension SQLiteHistoryStore {
    func status(_ name: String) async throws -> OperationStatus? {
        guard let id = OperationID(rawValue: "op_\(name)") else { return nil }
        return try await record(id)?.operation.status
    }

    func end(_ name: String, _ status: OperationStatus = .completed) async throws -> HistoryDurability {
        await commit(try OperationHistorySQLiteTests.record(name, status))
    }

    /// Waits until all that was enqueued before is written.
    func settle() async throws {
        _ = await commit(try OperationHistorySQLiteTests.record("settle-\(UUID().uuidString)", .cancelled, type: .seed))
    }
}
