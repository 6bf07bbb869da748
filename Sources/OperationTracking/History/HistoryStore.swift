/// Keeps operations beyond the life of the process that ran them.
///
/// Two ways in: ``enqueue(_:)`` for a state on the way, which costs the caller next to nothing, and ``commit(_:)`` for an
/// ending, which returns when it is safe. Writes of one operation take effect in the order in which they were handed over,
/// and a row that has reached a terminal status never changes again.
///
/// Abilities that not every store has are protocols of their own, such as ``AuditLog``.
public protocol HistoryStore: Sendable {
    /// Takes the newest state of an active operation, and returns at once. It is on disk within 50 ms.
    func enqueue(_ record: OperationRecord)

    /// Takes an operation's ending and returns when it is durable, or says why it is not.
    ///
    /// An ending that could not be made durable is kept in memory, within bounds, and written once that is possible.
    func commit(_ record: OperationRecord) async -> HistoryDurability

    /// The operation with this id; `nil` when it isn't known.
    ///
    /// - Throws: ``HistoryError`` when the store can't be read.
    func record(_ id: OperationID) async throws -> OperationRecord?

    /// One page of operations, newest first.
    ///
    /// - Throws: ``HistoryError`` when the store can't be read, the cursor is not one that it gave, or too many ask for pages that
    ///   take long (`busy`).
    func page(_ query: HistoryQuery) async throws -> HistoryPage

    /// Figures by type over everything that ever ended, including what retention has removed since.
    ///
    /// - Parameter types: which types; `nil` for all that ever ended.
    /// - Throws: ``HistoryError`` when the store can't be read.
    func statistics(types: Set<OperationType>?) async throws -> [HistoryStatistics]

    /// Removes what `policy` says is too old or too many, and says how many operations that were. Active ones stay.
    ///
    /// - Throws: ``HistoryError`` when the store can't be written.
    @discardableResult
    func prune(_ policy: RetentionPolicy) async throws -> Int

    /// Whether what is written is safe.
    var health: HistoryHealth { get }

    /// Writes what is still waiting and lets go of everything. Nothing is taken after that.
    func close() async
}

/// Whether an ending survives a power cut.
public enum HistoryDurability: Sendable, Hashable {
    /// It is on disk.
    case durable
    /// It is in memory only, for the reason given.
    case volatile(reason: String)
}

/// Whether what a store is given is safe.
public enum HistoryHealth: Sendable, Hashable {
    /// It is.
    case ok
    /// It is kept in memory for now, for the reason given.
    case degraded(reason: String)
}

/// What a store could not do, and what to do about it.
public struct HistoryError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A short, stable name for a kind of trouble. New codes may appear.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The name.
        public let rawValue: String

        /// Takes a code's name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The file or its folder can't be made, opened or written.
        public static let cannotOpen = Code(rawValue: "cannot_open")
        /// The file is damaged.
        public static let damaged = Code(rawValue: "damaged")
        /// The file was written by a newer version, or by another program.
        public static let incompatible = Code(rawValue: "incompatible")
        /// Reading or writing failed.
        public static let failed = Code(rawValue: "failed")
        /// The cursor is not one that this store gave.
        public static let invalidCursor = Code(rawValue: "invalid_cursor")
        /// Too much is asked of the store at once; what was asked may be asked again.
        public static let busy = Code(rawValue: "busy")
        /// The store has been closed.
        public static let closed = Code(rawValue: "closed")
    }

    /// The kind of trouble.
    public let code: Code
    /// What happened and what to do, in a sentence.
    public let message: String

    /// Makes an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The sentence.
    public var description: String { message }
}
