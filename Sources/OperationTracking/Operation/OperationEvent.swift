/// Something that happened, in the order in which it became known.
public struct OperationEvent: Sendable {
    /// What kinds of thing happen.
    public enum Kind: Sendable, Hashable {
        /// An operation became known.
        case started
        /// Something about an operation changed. Updates are merged: an event carries the newest state, not every state.
        case updated
        /// An operation reached a terminal status. Never merged away.
        /// `durable` is false when its row could not be written to disk and is kept in memory only.
        case finished(durable: Bool)
        /// The history store's health changed.
        case historyHealth(HistoryHealth)
        /// The machine became overloaded, or is so no more, or for other reasons.
        case overloadChanged(OverloadAssessment)
        /// A threshold of the overload policy was moved to where operations were seen to slow down.
        case thresholdChanged(ThresholdChange)

        var isEnding: Bool {
            if case .finished = self { true } else { false }
        }
    }

    /// Rises with every event of one tracker; gaps are merged updates.
    public let sequence: UInt64
    /// What happened.
    public let kind: Kind
    /// The operation as it was when the event was made; `nil` for events about no operation.
    public let operation: BackgroundOperation?
}
