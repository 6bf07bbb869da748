import OperationTracking
import Synchronization

/// A few readers, so that what takes long doesn't hold up what is quick: one for look-ups by id, some for pages and figures, and
/// one for searches of texts, which look at every row until the page is full.
final class ReaderPool: Sendable {
    enum Kind {
        case lookUp
        case page
        case search
    }

    private let lookUps: HistoryReader
    private let search: HistoryReader
    private let pages: [HistoryReader]
    private let loads: Mutex<[Int]>
    private let searches = Mutex(0)

    /// So many searches may be under way, of which one is at work.
    private static let mostSearches = 8

    init(paths: HistoryPaths, shared: SharedState, patience: Duration = CommitLock.patience) {
        let makeReader = { HistoryReader(paths: paths, shared: shared, patience: patience) }
        lookUps = makeReader()
        search = HistoryReader(paths: paths, shared: shared, patience: patience, endsWhenCancelled: true)
        pages = [makeReader(), makeReader()]
        loads = Mutex([0, 0])
    }

    /// How many searches are under way.
    var searchCount: Int { searches.withLock(\.self) }

    /// - Throws: `HistoryError` (`busy`) for one search too many; what `body` throws.
    func read<Result: Sendable>(
        _ kind: Kind,
        _ body: @Sendable (isolated HistoryReader) throws -> Result
    ) async throws -> Result {
        switch kind {
        case .lookUp: return try await body(lookUps)
        case .page: return try await readPage(body)
        case .search:
            try beginSearch()
            defer { searches.withLock { $0 -= 1 } }
            return try await body(search)
        }
    }

    /// Goes to the reader with the least to do.
    private func readPage<Result: Sendable>(
        _ body: @Sendable (isolated HistoryReader) throws -> Result
    ) async throws -> Result {
        let index = loads.withLock { loads in
            let index = loads.indices.min { loads[$0] < loads[$1] } ?? 0
            loads[index] += 1
            return index
        }
        defer { loads.withLock { $0[index] -= 1 } }
        return try await body(pages[index])
    }

    private func beginSearch() throws(HistoryError) {
        try searches.withLock { count throws(HistoryError) in
            guard count < Self.mostSearches else {
                throw HistoryError(
                    .busy,
                    "\(count) searches of the history are under way: ask again when some have ended."
                )
            }
            count += 1
        }
    }

    func close() async {
        for reader in [lookUps, search] + pages { await reader.close() }
    }
}
