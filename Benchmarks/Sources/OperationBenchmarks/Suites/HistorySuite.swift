import CRawSQLite
import Foundation
import OperationHistorySQLite
import OperationTracking

extension Suite {
    /// What a history that survives a power cut costs, beside SQLite without anything round it.
    static let history = Suite(name: "history") { isQuick in
        let folder = try Folder()
        defer { folder.remove() }
        var results: [Measurement] = []
        if folder.isOnADisk("start and durable complete") {
            results.append(try await durableRuns(folder, count: isQuick ? 640 : 8000, runs: isQuick ? 2 : 9))
        }
        return results + (try await reading(folder, rows: isQuick ? 10_000 : 1_000_000, isQuick))
    }
}

/// Operations that start and end, sixteen at a time, each ending durable before it is acknowledged. Both sides write the rows of
/// the operations and those of the audit log; ours writes most operations twice, when they start and when they end.
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
                        try require(try await tracker.complete(handle.id))
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
    return Measurement(
        "start and durable complete, 16 in flight",
        Timing(runs: ours.map { 1e9 / $0 }),
        unit: "operations/s",
        peer: .init(
            name: "raw C SQLite, the same rows in transactions of 16",
            value: Timing(runs: try raw.map { 1e9 / (try succeeded($0)) }).median
        ),
        budget: Budget(ratioAtLeast: 0.7)
    )
}

private func reading(_ folder: Folder, rows: Int, _ isQuick: Bool) async throws -> [Measurement] {
    let directory = folder.path("reading")
    try await fill(directory, rows: rows)
    let label = "of \(rows) runs"
    let repetitions = isQuick ? 20 : 400

    var openings: [Double] = []
    for _ in 0..<9 {
        let start = Timing.now
        let store = try await SQLiteHistoryStore.open(in: directory)
        openings.append(Double(Timing.now - start))
        await store.close()
    }
    let store = try await SQLiteHistoryStore.open(in: directory)
    let found = try await store.statistics(types: nil).reduce(0) { $0 + $1.count }
    guard found == rows, try await store.page(HistoryQuery(limit: 100)).records.count == 100 else {
        throw HistoryFailure(description: "Of \(rows) runs that were written the history has \(found).")
    }
    var pages: (ours: [Double], raw: [Double]) = ([], [])
    for _ in 0..<9 {
        pages.ours += try await Timing.measure(repetitions: repetitions, runs: 1) { count in
            for _ in 0..<count { _ = opaque(try await store.page(HistoryQuery(limit: 100)).records.count) }
        }.all
        pages.raw.append(try succeeded(raw_sqlite_newest("\(directory)/history.sqlite", 100, Int32(repetitions))))
    }
    let statistics = try await Timing.measure(repetitions: repetitions / 4) { count in
        for _ in 0..<count { _ = opaque(try await store.statistics(types: nil).count) }
    }
    let asked = try await allocations(repetitions: 20) { count in
        for _ in 0..<count { _ = opaque(try await store.page(HistoryQuery(limit: 100)).records.count) }
    }
    await store.close()
    return [
        Measurement(
            "newest page of 100 \(label)",
            Timing(runs: pages.ours),
            peer: .init(name: "raw C SQLite, the same rows", value: Timing(runs: pages.raw).median),
            budget: Budget(ratioAtMost: 3)
        ),
        Measurement("statistics by type \(label)", statistics, budget: Budget(valueAtMost: 5e6)),
        Measurement("opening a history \(label)", Timing(runs: openings), budget: Budget(valueAtMost: 20e6)),
    ] + Measurement.allocations("newest page of 100 \(label)", asked)
}

/// What raw SQLite took.
///
/// - Throws: ``HistoryFailure`` when it did not do what it was to do.
private func succeeded(_ nanoseconds: Double) throws -> Double {
    guard nanoseconds > 0 else {
        throw HistoryFailure(
            description: "The comparison with raw SQLite failed: does its copy of the tables fit the store's?"
        )
    }
    return nanoseconds
}

/// - Throws: ``HistoryFailure`` when an ending is kept in memory only, which costs less.
private func require(_ durability: HistoryDurability) throws {
    guard case .volatile(let reason) = durability else { return }
    throw HistoryFailure(description: "An ending was not made durable, so nothing was measured: \(reason)")
}

private struct HistoryFailure: Error, CustomStringConvertible {
    let description: String
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
    try await withThrowingTaskGroup(of: Void.self) { group in
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
                    try require(await store.commit(OperationRecord(operation: operation)))
                }
            }
        }
        try await group.waitForAll()
    }
    await store.close()
}
