import Synchronization

/// A few readers, so that one slow page doesn't hold up the others: each read goes to the one with the least to do.
final class ReaderPool: Sendable {
    private let readers: [HistoryReader]
    private let loads: Mutex<[Int]>

    init(count: Int, paths: HistoryPaths, shared: SharedState) {
        readers = (0..<count).map { _ in HistoryReader(paths: paths, shared: shared) }
        loads = Mutex(Array(repeating: 0, count: count))
    }

    func read<Result: Sendable>(
        _ body: @Sendable (isolated HistoryReader) throws -> Result
    ) async throws -> Result {
        let index = loads.withLock { loads in
            let index = loads.indices.min { loads[$0] < loads[$1] } ?? 0
            loads[index] += 1
            return index
        }
        defer { loads.withLock { $0[index] -= 1 } }
        return try await body(readers[index])
    }

    func close() async {
        for reader in readers { await reader.close() }
    }
}
