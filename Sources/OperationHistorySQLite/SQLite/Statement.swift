import CSQLite

/// A prepared statement that is kept and run many times.
///
/// Values are bound one after the other with `add`, and read one after the other with `next…`, in the order of the columns.
final class Statement {
    private let handle: OpaquePointer
    private let database: Database
    private var nextParameter: Int32 = 1
    private var nextColumn: Int32 = 0
    /// Texts are copied into one buffer that lives as long as the statement and bound in place: SQLite's own copies cost an
    /// allocation each. What doesn't fit is left to SQLite to copy.
    private let texts = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
    private var textsUsed = 0
    /// Which of the first 64 parameters have a value. The others are NULL, and most of an operation's are each time.
    private var valued: UInt64 = 0

    init(_ sql: String, in database: Database) throws(SQLiteFailure) {
        var prepared: OpaquePointer?
        try database.check(
            sqlite3_prepare_v3(database.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        )
        guard let prepared else { throw SQLiteFailure(code: SQLITE_MISUSE, message: "an empty statement") }
        handle = prepared
        self.database = database
    }

    deinit {
        sqlite3_finalize(handle)
        texts.deallocate()
    }

    // MARK: Running

    /// Goes to the next row; false when there is none.
    func step() throws(SQLiteFailure) -> Bool {
        nextColumn = 0
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw SQLiteFailure(code: code, database: database.handle)
        }
    }

    /// Runs to the end and makes ready for the next run.
    func run() throws(SQLiteFailure) {
        defer { reset() }
        while try step() {}
    }

    /// What `row` makes of each row, and makes ready for the next run.
    func rows<Element>(_ row: (Statement) throws -> Element) throws -> [Element] {
        defer { reset() }
        var elements: [Element] = []
        while try step() { elements.append(try row(self)) }
        return elements
    }

    /// Ends the read or write that the statement has open. Bound values stay, and the next run binds all of them anew.
    func reset() {
        sqlite3_reset(handle)
        nextParameter = 1
        textsUsed = 0
    }

    // MARK: Binding

    func add(_ value: Int64?) throws(SQLiteFailure) {
        guard let value else { return try addNull() }
        try bound(sqlite3_bind_int64(handle, takeParameter(), value))
    }

    func add(_ value: Double?) throws(SQLiteFailure) {
        guard let value else { return try addNull() }
        // SQLite stores what is not a number as NULL.
        try bound(sqlite3_bind_double(handle, takeParameter(), value))
    }

    func add(_ value: String?) throws(SQLiteFailure) {
        guard var value else { return try addNull() }
        let index = takeParameter()
        try bound(
            value.withUTF8 { text in
                guard let kept = keep(text) else {
                    return sqlite3_bind_text64(
                        handle,
                        index,
                        text.baseAddress,
                        UInt64(text.count),
                        Self.copied,
                        Self.utf8
                    )
                }
                return sqlite3_bind_text64(handle, index, kept, UInt64(text.count), nil, Self.utf8)
            }
        )
    }

    /// Binds bytes as text (what is JSON, so that the `sqlite3` shell shows it) or as a blob.
    func add(_ value: [UInt8]?, asText: Bool) throws(SQLiteFailure) {
        guard let value else { return try addNull() }
        let index = takeParameter()
        try bound(
            value.withUnsafeBytes { bytes in
                // An empty array has no address, and without one SQLite would bind NULL.
                guard let start = bytes.baseAddress else {
                    return asText
                        ? sqlite3_bind_text64(handle, index, "", 0, nil, Self.utf8)
                        : sqlite3_bind_zeroblob(handle, index, 0)
                }
                return asText
                    ? sqlite3_bind_text64(
                        handle,
                        index,
                        start.assumingMemoryBound(to: CChar.self),
                        UInt64(bytes.count),
                        Self.copied,
                        Self.utf8
                    )
                    : sqlite3_bind_blob64(handle, index, start, UInt64(bytes.count), Self.copied)
            }
        )
    }

    private func bound(_ code: Int32) throws(SQLiteFailure) {
        guard code != SQLITE_OK else { return }
        reset()
        throw SQLiteFailure(code: code, database: database.handle)
    }

    private func addNull() throws(SQLiteFailure) {
        let index = nextParameter
        nextParameter += 1
        let bit = Self.bit(index)
        guard bit == 0 || valued & bit != 0 else { return }
        valued &= ~bit
        try bound(sqlite3_bind_null(handle, index))
    }

    private func takeParameter() -> Int32 {
        defer { nextParameter += 1 }
        valued |= Self.bit(nextParameter)
        return nextParameter
    }

    /// 0 for the 65th and all behind it.
    private static func bit(_ parameter: Int32) -> UInt64 { 1 << UInt64(parameter - 1) }

    private func keep(_ text: UnsafeBufferPointer<UInt8>) -> UnsafePointer<CChar>? {
        guard text.count <= texts.count - textsUsed, let start = texts.baseAddress?.advanced(by: textsUsed) else {
            return nil
        }
        if let source = text.baseAddress { start.copyMemory(from: source, byteCount: text.count) }
        textsUsed += text.count
        return UnsafePointer(start.assumingMemoryBound(to: CChar.self))
    }

    private static let utf8 = UInt8(SQLITE_UTF8)
    /// `SQLITE_TRANSIENT`: a macro that casts -1 to a function pointer, which Swift does not import.
    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    // MARK: Reading

    func integer(at column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    func nextInteger() -> Int64? {
        takeColumn().map { sqlite3_column_int64(handle, $0) }
    }

    func nextDouble() -> Double? {
        takeColumn().map { sqlite3_column_double(handle, $0) }
    }

    func nextText() -> String? {
        nextBytes().map { String(decoding: $0, as: UTF8.self) }
    }

    func nextBytes() -> [UInt8]? {
        takeColumn().map { column in
            let start = sqlite3_column_blob(handle, column)
            return [UInt8](UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
        }
    }

    /// The next column, unless its value is NULL.
    private func takeColumn() -> Int32? {
        defer { nextColumn += 1 }
        return sqlite3_column_type(handle, nextColumn) == SQLITE_NULL ? nil : nextColumn
    }
}
