#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import CSQLite

/// Keeps commits and checkpoints of all processes apart: each commit holds the lock shared, each checkpoint exclusively.
/// SQLite alone does not do that well enough before 3.51.3; see ``Database``.
struct CommitLock {
    private let lock: FileLock

    /// How long anyone waits for anyone else before giving up.
    static let patience = Duration.seconds(5)

    init(path: String) throws(SystemFailure) {
        lock = try FileLock(path: path)
    }

    /// Does `body` while no checkpoint runs (shared), or while neither commit nor checkpoint runs (exclusive).
    ///
    /// It waits in small steps, since `flock` knows no time limit and a stopped process may hold the lock for ever.
    func hold<Result>(_ kind: FileLock.Kind, _ body: () throws -> Result) throws -> Result {
        let deadline = ContinuousClock.now + Self.patience
        while !lock.tryLock(kind) {
            guard ContinuousClock.now < deadline else {
                throw SQLiteFailure(code: SQLITE_BUSY, message: "another process keeps the commit lock")
            }
            usleep(500)
        }
        defer { lock.unlock() }
        return try body()
    }

    /// Does `body` under the exclusive lock if that is free now.
    func holdExclusivelyIfFree(_ body: () -> Void) {
        guard lock.tryLock(.exclusive) else { return }
        defer { lock.unlock() }
        body()
    }
}
