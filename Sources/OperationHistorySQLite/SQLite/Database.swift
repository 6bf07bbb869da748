import CSQLite
import OperationTracking

/// One connection. It is used from one thread at a time: its owner is an actor on a serial queue, and it never leaves it.
final class Database {
    let handle: OpaquePointer
    private let walPageCounter = UnsafeMutablePointer<Int32>.allocate(capacity: 1)

    /// - Parameters:
    ///   - createsFile: whether a file that isn't there is made.
    ///   - patience: how long it waits for another connection.
    init(path: String, createsFile: Bool, patience: Duration = CommitLock.patience) throws(SQLiteFailure) {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(path, &opened, flags | (createsFile ? SQLITE_OPEN_CREATE : 0), nil)
        guard code == SQLITE_OK, let opened else {
            let failure = SQLiteFailure(code: code, database: opened)
            sqlite3_close_v2(opened)
            throw failure
        }
        handle = opened
        walPageCounter.initialize(to: 0)
        sqlite3_busy_timeout(handle, Int32(clamping: patience.nanoseconds / 1_000_000))
        try forbidImplicitCheckpoints()
    }

    deinit {
        sqlite3_close_v2(handle)
        walPageCounter.deallocate()
    }

    func execute(_ sql: String) throws(SQLiteFailure) {
        try check(sqlite3_exec(handle, sql, nil, nil, nil))
    }

    /// The first column of the first row, for pragmas and other single numbers.
    func integer(_ sql: String) throws(SQLiteFailure) -> Int64 {
        let statement = try Statement(sql, in: self)
        guard try statement.step() else { return 0 }
        return statement.integer(at: 0)
    }

    func check(_ code: Int32) throws(SQLiteFailure) {
        guard code == SQLITE_OK else { throw SQLiteFailure(code: code, database: handle) }
    }

    /// Has what is read for a task end with `SQLITE_INTERRUPT` once that is cancelled.
    func endReadingWhenCancelled() {
        // The handler is called by the very statement, on the task's thread.
        sqlite3_progress_handler(handle, 100_000, { _ in Task.isCancelled ? 1 : 0 }, nil)
    }

    /// How many rows the last statement changed.
    var changes: Int { Int(sqlite3_changes64(handle)) }

    /// SQLite before 3.51.3, which Debian 12 and many others have, can corrupt a database when a checkpoint meets a commit
    /// (sqlite.org/wal.html#walresetbug): a checkpoint has ended and another begins; meanwhile a connection commits, which
    /// begins the WAL anew; the second checkpoint misses that, and a later one leaves out a part of a transaction.
    ///
    /// So no connection checkpoints on its own, neither after a commit nor when it closes. ``HistoryWriter`` does it, under
    /// the lock that every commit holds too; see ``CommitLock``.
    private func forbidImplicitCheckpoints() throws(SQLiteFailure) {
        try check(sqlite3_wal_autocheckpoint(handle, 0))
        try check(csqlite_set_no_checkpoint_on_close(handle))
        sqlite3_wal_hook(
            handle,
            { counter, _, _, pages in
                counter?.assumingMemoryBound(to: Int32.self).pointee = pages
                return SQLITE_OK
            },
            walPageCounter
        )
    }

    /// How many pages the WAL had after this connection's last commit.
    var walPages: Int { Int(walPageCounter.pointee) }
}
