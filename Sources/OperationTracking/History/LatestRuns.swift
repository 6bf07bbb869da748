/// What a store can give of the latest runs of every type, for estimates to begin with.
///
/// An ability that a ``HistoryStore`` may have. Of one that hasn't, a page of the newest completed operations is read: then what
/// runs often leaves no room for what runs seldom.
public protocol LatestRuns: Sendable {
    /// The latest completed operations of each type, newest first within a type. Request, result and resume state may be left
    /// out, and so may all but the 64 types that ran last. Where there are thousands of types, a store may look for those 64 among
    /// 4,096 of its choice.
    ///
    /// - Parameter limit: how many of each type at most.
    /// - Throws: ``HistoryError`` when the store can't be read.
    func latestRuns(ofEachType limit: Int) async throws -> [OperationRecord]
}
