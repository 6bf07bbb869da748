#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import CSQLite

/// Held by each commit and by each checkpoint of all processes, one at a time.
///
/// That keeps a checkpoint from meeting a commit, which SQLite alone does not do well enough before 3.51.3; see ``Database``.
/// And it shares out the right to write, which SQLite gives to one at a time anyway, but by asking again at intervals that
/// grow to 100 ms: a process that committed in a loop kept another out for more than five seconds.
struct CommitLock {
    private let lock: FileLock
    private let patience: Duration

    /// How long anyone waits for anyone else before giving up, unless told otherwise.
    static let patience = Duration.seconds(5)
    private static let interval: UInt32 = 200

    init(path: String, patience: Duration = patience) throws(SystemFailure) {
        lock = try FileLock(path: path)
        self.patience = patience
    }

    /// Does `body` while nobody else commits or checkpoints.
    ///
    /// It asks again and again, since `flock` knows no time limit and a stopped process may hold the lock for ever.
    func hold<Result>(_ body: () throws -> Result) throws -> Result {
        let deadline = ContinuousClock.now + patience
        while try !lock.tryLock(.exclusive) {
            guard ContinuousClock.now < deadline else {
                throw SQLiteFailure(code: SQLITE_BUSY, message: "another process keeps the commit lock")
            }
            usleep(Self.interval)
        }
        defer { lock.unlock() }
        return try body()
    }

    /// Does `body` under the lock if that is free now.
    func holdIfFree(_ body: () -> Void) {
        guard (try? lock.tryLock(.exclusive)) == true else { return }
        defer { lock.unlock() }
        body()
    }
}
