#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// Remembers who did what: operations and processes started, ended, killed, restarted.
///
/// An ability that a ``HistoryStore`` may have. A store with it also notes the start and the end of every operation it is
/// given, in the same transaction as the operation's row.
///
/// What is noted of one operation stands in the order in which it happened. What happened to different things within the same
/// 50 ms may not: ``AuditEntry/at`` says when each did. Of a time in which a store couldn't write, such as that of a full disk, the entries
/// that it was given may stand before the starts and ends of operations.
public protocol AuditLog: Sendable {
    /// Takes an entry, and returns at once. It is on disk within 50 ms.
    func append(_ entry: AuditEntry)

    /// One page of entries, newest first.
    ///
    /// - Parameters:
    ///   - operation: the operation whose entries are asked for; `nil` for all entries.
    ///   - cursor: the ``AuditPage/nextCursor`` of the page before; `nil` for the newest.
    ///   - limit: 1 to 1000; values outside are taken as the nearest.
    /// - Throws: ``HistoryError`` when the log can't be read, or the cursor is not one that it gave.
    func auditEntries(of operation: OperationID?, cursor: String?, limit: Int) async throws -> AuditPage
}

extension AuditLog {
    /// One page of all entries, newest first.
    ///
    /// - Parameters:
    ///   - cursor: the ``AuditPage/nextCursor`` of the page before; `nil` for the newest.
    ///   - limit: 1 to 1000; values outside are taken as the nearest.
    /// - Throws: ``HistoryError`` when the log can't be read, or the cursor is not one that it gave.
    public func auditEntries(cursor: String?, limit: Int) async throws -> AuditPage {
        try await auditEntries(of: nil, cursor: cursor, limit: limit)
    }
}

/// One thing that somebody did.
public struct AuditEntry: Sendable, Hashable {
    /// When.
    public var at: Date
    /// Who: a program and user, such as `wizard pull`, `http` or `recovery`.
    public var actor: String
    /// What was done, such as `operation.started`, `operation.failed` or `process.killed`.
    public var action: String
    /// The operation it was done to.
    public var operationID: OperationID?
    /// More, for people.
    public var detail: String?

    /// Makes an entry.
    public init(at: Date, actor: String, action: String, operationID: OperationID? = nil, detail: String? = nil) {
        self.at = at
        self.actor = actor
        self.action = action
        self.operationID = operationID
        self.detail = detail
    }
}

/// Some entries of an audit log, newest first, and where the next ones begin.
public struct AuditPage: Sendable, Hashable {
    /// The entries, newest first.
    public var entries: [AuditEntry]
    /// The cursor of the next page; `nil` when this page is the last.
    public var nextCursor: String?

    /// Makes a page.
    public init(entries: [AuditEntry], nextCursor: String?) {
        self.entries = entries
        self.nextCursor = nextCursor
    }
}
