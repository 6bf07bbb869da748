#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// Which operations of a history are wanted. Every condition given must hold; one left out doesn't count.
public struct HistoryQuery: Sendable, Hashable {
    /// Any of these types; empty for all.
    public var types: Set<OperationType> = []
    /// Any of these statuses; empty for all.
    public var statuses: Set<OperationStatus> = []
    /// Text that the description contains; upper and lower case of a-z are the same.
    public var text: String?
    /// Created at this moment or later.
    public var since: Date?
    /// Created before this moment.
    public var before: Date?
    /// Part of this operation.
    public var parent: OperationID?
    /// Where the page begins: the ``HistoryPage/nextCursor`` of the page before; `nil` for the newest.
    public var cursor: String?
    /// The most operations in the page, 1 to 1000; values outside are taken as the nearest.
    public var limit: Int

    /// Makes a query for the newest operations.
    public init(limit: Int = 100) {
        self.limit = limit
    }

    /// ``limit`` within its range.
    package var effectiveLimit: Int { min(max(limit, 1), 1000) }
}

/// Some operations of a history, newest first, and where the next ones begin.
public struct HistoryPage: Sendable, Hashable {
    /// The operations, newest first.
    public var records: [OperationRecord]
    /// The cursor of the next page; `nil` when this page is the last.
    public var nextCursor: String?

    /// Makes a page.
    public init(records: [OperationRecord], nextCursor: String?) {
        self.records = records
        self.nextCursor = nextCursor
    }
}

/// How long and how much of a history is kept.
public struct RetentionPolicy: Sendable, Hashable {
    /// Ended operations older than this are removed; `nil` for no limit.
    public var maximumAge: Duration?
    /// Of the ended operations the newest so many are kept; `nil` for no limit.
    public var maximumCount: Int?

    /// Makes a policy.
    public init(maximumAge: Duration? = nil, maximumCount: Int? = nil) {
        self.maximumAge = maximumAge
        self.maximumCount = maximumCount
    }

    /// 365 days and a million operations.
    public static let `default` = RetentionPolicy(maximumAge: .seconds(365 * 86_400), maximumCount: 1_000_000)
}
