extension HistoryQuery {
    /// The keys that the query's moments and its cursor leave: from `lowest` up to, and not including, `end`.
    package func keyBounds() throws(HistoryError) -> (lowest: HistoryKey, end: HistoryKey) {
        let cursorEnd = try HistoryCursor.key(.operations, in: cursor)
        return (
            lowest: since.map(HistoryKey.init(lowestAt:)) ?? HistoryKey(rawValue: 0),
            end: before.map { min(HistoryKey(lowestAt: $0), cursorEnd) } ?? cursorEnd
        )
    }

    /// Whether an operation fulfils every condition but those of ``keyBounds()``.
    package func matches(_ operation: BackgroundOperation) -> Bool {
        (types.isEmpty || types.contains(operation.type))
            && (statuses.isEmpty || statuses.contains(operation.status))
            && (parent == nil || parent == operation.parentID)
            && (text.map { operation.description.containsIgnoringASCIICase($0) } ?? true)
    }
}

extension String {
    /// Compares as SQLite's `LIKE` does: only the letters a-z have two cases.
    fileprivate func containsIgnoringASCIICase(_ text: String) -> Bool {
        let wanted = text.utf8.map(Self.lowercased)
        guard !wanted.isEmpty else { return true }
        let bytes = utf8.map(Self.lowercased)
        guard bytes.count >= wanted.count else { return false }
        return (0...(bytes.count - wanted.count)).contains { bytes[$0...].starts(with: wanted) }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
