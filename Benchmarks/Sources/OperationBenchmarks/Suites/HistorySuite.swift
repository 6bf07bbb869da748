import CRawSQLite
import Foundation
import OperationHistorySQLite
import OperationTracking

extension Suite {
    /// What a history that survives a power cut costs, beside SQLite without anything round it.
    static let history = Suite(name: "history") { isQuick in
        let folder = try Folder()
        defer { folder.remove() }
        return [try await durableRuns(folder, count: isQuick ? 640 : 16_000, runs: isQuick ? 2 : 5)]
            + (try await reading(folder, rows: isQuick ? 10_000 : 1_000_000, isQuick))
    }
}

/// Operations that start and end, sixteen at a time, each ending durable before it is acknowledged.
private func durableRuns(_ folder: Folder, count: Int, runs: Int) async throws -> Measurement {
    var ours: [Double] = []
    var raw: [Double] = []
    for run in 0..<runs {
        let directory = folder.path("durable-\(run)")
        let store = try await SQLiteHistoryStore.open(in: directory)
        let tracker = OperationTracker(history: store)
        let start = Timing.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    for _ in 0..<count / 16 {
                        let handle = try tracker.start(type: .download, description: "bench", total: 1 << 20)
                        handle.update(completed: 1 << 20)
                        try await tracker.complete(handle.id)
                    }
                }
            }
            try await group.waitForAll()
        }
        ours.append(Double(Timing.now - start) / Double(count))
        await tracker.close()
        await store.close()
        raw.append(raw_sqlite_insert("\(directory)/history.sqlite", folder.path("raw-\(run).sqlite"), 16))
    }
    let rates = Timing(runs: ours.map { 1e9 / $0 })
    var result = Measurement(
        "start and durable complete, 16 in flight",
        rates,
        peer: .init(name: "raw C SQLite, the same rows in sixteens", value: 1e9 / Timing(runs: raw).median),
        budget: Budget(ratioAtLeast: 0.7)
    )
    result.unit = "a second"
    return result
}

private func reading(_ folder: Folder, rows: Int, _ isQuick: Bool) async throws -> [Measurement] {
    let directory = folder.path("reading")
    try await fill(directory, rows: rows)
    let file = "\(directory)/history.sqlite"
    let label = "of \(rows) runs"
    let scale = isQuick ? 1 : 20

    let opening = try await Timing.measure(repetitions: 1, runs: isQuick ? 2 : 9) { _ in
        let store = try await SQLiteHistoryStore.open(in: directory)
        // Closing belongs to nobody's start, but it has to be done before the next.
        await store.close()
    }
    let store = try await SQLiteHistoryStore.open(in: directory)
    let page = try await Timing.measure(repetitions: 10 * scale) { count in
        for _ in 0..<count { _ = opaque(try await store.page(HistoryQuery(limit: 100)).records.count) }
    }
    let statistics = try await Timing.measure(repetitions: 10 * scale) { count in
        for _ in 0..<count { _ = opaque(try await store.statistics(types: nil).count) }
    }
    await store.close()
    return [
        Measurement(
            "newest page of 100 \(label)",
            page,
            peer: .init(name: "raw C SQLite", value: raw_sqlite_newest(file, 100, Int32(50 * scale))),
            budget: Budget(ratioAtMost: 3)
        ),
        Measurement("statistics by type \(label)", statistics, budget: Budget(valueAtMost: 5e6)),
        Measurement("opening and closing a history \(label)", opening, budget: Budget(valueAtMost: 20e6)),
    ]
}

private func id(_ number: Int) -> OperationID {
    let digits = String(number)
    let text = "op_" + String(repeating: "0", count: 24 - digits.count) + digits
    guard let id = OperationID(rawValue: text) else { preconditionFailure("\(text) is no operation's id") }
    return id
}

/// Writes so many completed runs of a few types.
private func fill(_ directory: String, rows: Int) async throws {
    var options = SQLiteHistoryStore.Options()
    options.retention = RetentionPolicy()
    let store = try await SQLiteHistoryStore.open(in: directory, options: options)
    // Within the usual retention, or opening the file would remove them.
    let newest = Date()
    let types: [OperationType] = [.download, .pullModel, .seed]
    await withTaskGroup(of: Void.self) { group in
        for lane in 0..<500 {
            group.addTask {
                for number in stride(from: lane, to: rows, by: 500) {
                    let ended = newest.addingTimeInterval(Double(number - rows) * 10)
                    var operation = BackgroundOperation(
                        id: id(number),
                        type: types[number % types.count],
                        description: "bench \(number)",
                        status: .completed,
                        createdAt: ended
                    )
                    operation.startedAt = ended
                    operation.finishedAt = ended
                    operation.activeSeconds = Double(1 + number % 1000)
                    _ = await store.commit(OperationRecord(operation: operation))
                }
            }
        }
    }
    await store.close()
}

/// A folder for the time of a suite.
private struct Folder {
    private let root: URL

    init() throws {
        root = FileManager.default.temporaryDirectory.appending(path: "operation-benchmarks-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    }

    func path(_ name: String) -> String { root.appending(path: name).path }

    func remove() { try? FileManager.default.removeItem(at: root) }
}
