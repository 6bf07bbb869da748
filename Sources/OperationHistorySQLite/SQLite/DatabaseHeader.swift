import CSQLite
import OperationTracking

/// What the first 100 bytes of a database file say (sqlite.org/fileformat2.html#the_database_header), read before SQLite
/// reads anything, since SQLite would write beside a file that turns out to be another program's.
struct DatabaseHeader {
    private let bytes: [UInt8]

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads through SQLite's own file handle. A file descriptor of ours would, when closed, let go of the POSIX locks that
    /// another connection of this process holds on the file (sqlite.org/howtocorrupt.html, 2.2).
    init(of database: Database) throws(SQLiteFailure) {
        var pointer: UnsafeMutablePointer<sqlite3_file>?
        try database.check(sqlite3_file_control(database.handle, "main", SQLITE_FCNTL_FILE_POINTER, &pointer))
        guard let file = pointer, let methods = file.pointee.pMethods?.pointee, let size = methods.xFileSize,
            let read = methods.xRead
        else { throw SQLiteFailure(code: SQLITE_IOERR, message: "the file can't be read") }
        var length: Int64 = 0
        try database.check(size(file, &length))
        var bytes = [UInt8](repeating: 0, count: Int(min(length, 100)))
        try database.check(
            bytes.withUnsafeMutableBytes { $0.isEmpty ? SQLITE_OK : read(file, $0.baseAddress, Int32($0.count), 0) }
        )
        self.bytes = bytes
    }

    /// Refuses what is no file of ours. A file without any content is one that is about to become ours.
    func validate(path: String) throws {
        guard !bytes.isEmpty else { return }
        guard bytes.count == 100, bytes.starts(with: Self.magic) else {
            throw SQLiteFailure(code: SQLITE_NOTADB, message: "file is not a database")
        }
        let applicationID = number(at: 68)
        // Our id is written before the file first becomes a WAL database, so without it that is somebody else's.
        guard applicationID == Schema.applicationID || (applicationID == 0 && bytes[18] != 2) else {
            throw HistoryError.foreign(path)
        }
        guard applicationID == 0 || number(at: 60) <= Schema.version else { throw HistoryError.newer(path) }
    }

    private func number(at offset: Int) -> Int64 {
        bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int64($1) }
    }

    private static let magic = Array("SQLite format 3\0".utf8)
}

extension HistoryError {
    static func foreign(_ path: String) -> HistoryError {
        HistoryError(.incompatible, "\(path) belongs to another program: choose another data directory.")
    }

    static func newer(_ path: String) -> HistoryError {
        HistoryError(
            .incompatible,
            "\(path) was written by a newer version of this program: update it, or choose another data directory."
        )
    }
}
