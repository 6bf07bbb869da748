#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import CSQLite
import OperationTracking

/// The open file as its writer has it.
final class HistoryFile {
    let database: Database
    let operations: OperationWriter
    private let paths: HistoryPaths
    private let commitLock: CommitLock
    private let usersLock: FileLock
    /// Which file this is, so that it can be told from one that has taken its place.
    let identity: FileIdentity?
    private let begin: Statement
    private let commit: Statement
    private let rollback: Statement
    private let beforeCommit: @Sendable () throws -> Void
    private var checkpointIsDueAt = 0

    /// Opens the file; makes it when it isn't there, and brings it up to date when it is older.
    ///
    /// - Parameters:
    ///   - owner: the id that the rows written here get.
    ///   - patience: how long others are waited for that write.
    ///   - damaged: a file that was found damaged in use: if it is still there it is set aside.
    ///   - beforeCommit: called before each commit; what it throws fails the transaction.
    ///   - notice: is told what people should know, such as where a damaged file went.
    static func open(
        _ paths: HistoryPaths,
        owner: String,
        patience: Duration = CommitLock.patience,
        damaged: FileIdentity? = nil,
        beforeCommit: @escaping @Sendable () throws -> Void,
        notice: (String) -> Void
    ) throws -> HistoryFile {
        let usersLock = try FileLock(path: paths.usersLock)
        guard try usersLock.tryLock(.shared) else {
            throw SQLiteFailure(code: SQLITE_BUSY, message: "another process is setting a damaged file aside")
        }
        do {
            if let damaged, damaged == FileIdentity(path: paths.database) {
                throw SQLiteFailure(code: SQLITE_CORRUPT, message: "the file is damaged")
            }
            return try HistoryFile(paths, owner, patience, usersLock, beforeCommit)
        } catch let failure as SQLiteFailure where failure.isDamage {
            guard try holdsAlone(usersLock) else {
                throw HistoryError(
                    .damaged,
                    "\(paths.database) is damaged and another process has it open: stop the other processes, "
                        + "then it is set aside and a fresh one is begun"
                )
            }
            notice(try setAside(paths))
            _ = try usersLock.tryLock(.shared)
            return try HistoryFile(paths, owner, patience, usersLock, beforeCommit)
        }
    }

    /// Takes the lock that shows that nobody else has the file open.
    ///
    /// A child process that this one is starting has the lock too between its fork and its exec, so it is tried for two seconds.
    private static func holdsAlone(_ lock: FileLock) throws -> Bool {
        for _ in 0..<400 {
            if try lock.tryLock(.exclusive) { return true }
            usleep(5000)
        }
        return false
    }

    private init(
        _ paths: HistoryPaths,
        _ owner: String,
        _ patience: Duration,
        _ usersLock: FileLock,
        _ beforeCommit: @escaping @Sendable () throws -> Void
    ) throws {
        self.paths = paths
        self.usersLock = usersLock
        self.beforeCommit = beforeCommit
        commitLock = try CommitLock(path: paths.commitLock, patience: patience)
        let isNew = FileIdentity(path: paths.database) == nil
        let database = try Database(path: paths.database, createsFile: true, patience: patience)
        // SQLite gives the files beside it the same rights. By path, since closing a descriptor would let go of locks.
        if isNew { chmod(paths.database, 0o600) }
        try DatabaseHeader(of: database).validate(path: paths.database)
        if try !Schema.isCurrent(database) {
            try commitLock.hold { try Schema.prepare(database, path: paths.database) }
        }
        // NORMAL does not survive a power cut. Temporary tables stay out of the file system.
        try database.execute("PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY")
        self.database = database
        identity = FileIdentity(path: paths.database)
        begin = try Statement("BEGIN IMMEDIATE", in: database)
        commit = try Statement("COMMIT", in: database)
        rollback = try Statement("ROLLBACK", in: database)
        operations = try OperationWriter(database, owner: owner)
    }

    /// Does `body` in one transaction, which is durable on return, together with what its endings add to the roll-ups.
    func transaction<Result>(_ body: () throws -> Result) throws -> Result {
        try commitLock.hold {
            try begin.run()
            do {
                let result = try body()
                try operations.writeRollUps()
                try beforeCommit()
                try commit.run()
                return result
            } catch {
                operations.discardRollUps()
                // SQLite may have rolled back on its own, and then has nothing to roll back.
                if sqlite3_get_autocommit(database.handle) == 0 { try? rollback.run() }
                throw error
            }
        }
    }

    /// Whether the file is still the one that its path leads to.
    var isAtItsPath: Bool { identity != nil && FileIdentity(path: paths.database) == identity }

    // MARK: Checkpoints

    /// Moves the WAL's content into the file when the WAL has grown to `pages`.
    ///
    /// What a reader still needs can't be moved. Then the WAL goes on growing, and the next try is made a quarter further.
    func checkpointIfDue(pages limit: Int) {
        let pages = database.walPages
        if pages < limit { checkpointIsDueAt = limit }
        guard pages >= max(limit, checkpointIsDueAt) else { return }
        checkpointIsDueAt = pages + limit / 4
        // Passive: it waits for no reader. If the lock can't be had either, the next commit says so.
        try? commitLock.hold {
            _ = sqlite3_wal_checkpoint_v2(database.handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
        }
    }

    /// Moves the WAL's content into the file and empties the WAL if nobody else uses them at this moment.
    func checkpointForLeaving() {
        commitLock.holdIfFree {
            sqlite3_busy_timeout(database.handle, 0)
            _ = sqlite3_wal_checkpoint_v2(database.handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
        }
    }

    // MARK: Damage

    /// Gives a damaged file another name. The WAL goes first: were it left behind alone, SQLite would play it into the
    /// fresh file.
    private static func setAside(_ paths: HistoryPaths) throws -> String {
        let moment = Date.now.formatted(.iso8601.dateSeparator(.omitted).timeSeparator(.omitted))
        var target = "\(paths.directory)/history.damaged-\(moment).sqlite"
        var number = 1
        while FileIdentity(path: target) != nil {
            number += 1
            target = "\(paths.directory)/history.damaged-\(moment)-\(number).sqlite"
        }
        for suffix in ["-wal", "-shm", ""] where FileIdentity(path: paths.database + suffix) != nil {
            guard rename(paths.database + suffix, target + suffix) == 0 else {
                throw SystemFailure(doing: "rename \(paths.database + suffix)")
            }
        }
        return "\(paths.database) was damaged. It was renamed to \(target) and a fresh one begun; "
            + "`sqlite3 \(target) .recover` may get operations back."
    }
}
