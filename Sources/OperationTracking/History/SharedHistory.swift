/// What a store can do that several processes share.
///
/// An ability that a ``HistoryStore`` may have. Every active row has an owner, the process that runs it. When an owner is
/// gone, its rows in progress are marked `failed` with the code `interrupted` by whoever opens the store next; what can go
/// on, paused and pending rows with a request, stays as it is and can be taken over.
public protocol SharedHistory: Sendable {
    /// Paused and pending operations with a request whose owner is gone; oldest first, at most 10,000.
    ///
    /// - Throws: ``HistoryError`` when the store can't be read.
    func orphans() async throws -> [OperationRecord]

    /// Makes this process the owner of an orphan, unless another was faster.
    ///
    /// - Returns: whether it is this process's now.
    /// - Throws: ``HistoryError`` when the store can't be written.
    func adopt(_ id: OperationID) async throws -> Bool

    /// Writes the first row of an operation, unless there is a row with its id, active or ended, or an active operation has its
    /// ``OperationRecord/uniqueKey``. Of several processes that claim the same at the same time one writes.
    ///
    /// - Returns: the operation that has the id or the key already; `nil` when the row was written.
    /// - Throws: ``HistoryError`` when the store can't be written.
    func claim(_ record: OperationRecord) async throws -> OperationRecord?
}
