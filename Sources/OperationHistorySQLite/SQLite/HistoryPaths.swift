#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import OperationTracking

/// Where a store keeps what.
struct HistoryPaths: Sendable {
    let directory: String

    var database: String { "\(directory)/history.sqlite" }
    var owners: String { "\(directory)/owners" }
    /// Held by each commit and by each checkpoint.
    var commitLock: String { "\(database)-commit.lock" }
    /// Held shared by each store that has the file open.
    var usersLock: String { "\(database)-users.lock" }

    /// Makes the directories, for this user only.
    ///
    /// - Throws: ``HistoryError`` with the code `cannot_open`.
    func makeDirectories() throws(HistoryError) {
        try Self.makeDirectory(directory)
        try Self.makeDirectory(owners)
        for path in [directory, owners] where access(path, R_OK | W_OK | X_OK) != 0 {
            throw HistoryError(
                .cannotOpen,
                "The data directory \(path) can't be written: give this user the right to, or choose another."
            )
        }
    }

    private static func makeDirectory(_ path: String) throws(HistoryError) {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw HistoryError(.cannotOpen, "\(path) is not a directory: choose another data directory.")
            }
            return
        }
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex { try makeDirectory(String(path[..<slash])) }
        // Another process may make it at the same moment.
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw HistoryError(
                .cannotOpen,
                "The data directory can't be made: \(SystemFailure(doing: "make \(path)"))."
            )
        }
    }
}
