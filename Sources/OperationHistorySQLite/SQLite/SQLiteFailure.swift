import CSQLite
import OperationTracking

/// What SQLite answered instead of doing what it was asked. It never carries a statement's values.
struct SQLiteFailure: Error, CustomStringConvertible {
    /// SQLite's extended result code (sqlite.org/rescode.html).
    let code: Int32
    let message: String

    init(code: Int32, message: String) {
        self.code = code
        self.message = message
    }

    init(code: Int32, database: OpaquePointer?) {
        let text = database.flatMap { sqlite3_errmsg($0) } ?? sqlite3_errstr(code)
        self.init(code: code, message: text.map { String(cString: $0) } ?? "unknown")
    }

    private var primaryCode: Int32 { code & 0xff }

    /// Whether the file itself is broken, so that trying again can't help.
    var isDamage: Bool { primaryCode == SQLITE_CORRUPT || primaryCode == SQLITE_NOTADB }

    /// Whether the file can't be opened or written for a reason that doesn't pass by itself.
    var isForGood: Bool { [SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH].contains(primaryCode) }

    /// Whether nobody waited for the result any more.
    var isInterruption: Bool { primaryCode == SQLITE_INTERRUPT }

    var description: String {
        let reason =
            switch primaryCode {
            case SQLITE_FULL: "the disk is full"
            case SQLITE_BUSY, SQLITE_LOCKED: "another program keeps the file locked: \(message)"
            case SQLITE_READONLY, SQLITE_PERM: "the file can't be written"
            case SQLITE_CORRUPT, SQLITE_NOTADB: "the file is damaged"
            default: message
            }
        return "\(reason) (SQLite code \(code))"
    }

    /// The same trouble as callers of the store know it.
    var historyError: HistoryError {
        HistoryError(isDamage ? .damaged : .failed, "The history can't be read or written: \(self).")
    }
}
