/// What an operation's amounts count.
public enum OperationUnit: String, Sendable, Hashable, Codable, CaseIterable {
    /// Bytes transferred or processed.
    case bytes
    /// Things done, such as icons or steps.
    case items
    /// Millionths of the whole, for work that knows only its share: the total is 1,000,000.
    case fraction

    /// The total of an operation whose unit is ``fraction``.
    public static let wholeFraction: Int64 = 1_000_000
}

/// How far an operation is: what is shown, and beside it what is true.
///
/// What is shown, ``percent``, never goes backwards and reaches 100 only when the operation is completed. What is true may
/// go backwards when a chunk is fetched again: ``completedUnits`` then falls, and ``rewoundUnits`` counts by how much.
public struct OperationProgress: Sendable, Hashable {
    /// The high-water mark shown to people, 0 to 100; below 100 until the operation is completed.
    public var percent: Double
    /// The amount done now, in ``unit``; at least 0, and at most ``totalUnits`` where that is known.
    public var completedUnits: Int64
    /// The whole amount in ``unit``; `nil` while unknown. It may grow.
    public var totalUnits: Int64?
    /// The sum of all steps backwards, in ``unit``.
    public var rewoundUnits: Int64
    /// What was already there when the work began, in ``unit``. It counts for progress, not for speed or time remaining.
    public var presentUnits: Int64
    /// What the amounts count.
    public var unit: OperationUnit

    /// Makes a progress value.
    public init(
        percent: Double = 0,
        completedUnits: Int64 = 0,
        totalUnits: Int64? = nil,
        rewoundUnits: Int64 = 0,
        presentUnits: Int64 = 0,
        unit: OperationUnit = .bytes
    ) {
        self.percent = percent
        self.completedUnits = completedUnits
        self.totalUnits = totalUnits
        self.rewoundUnits = rewoundUnits
        self.presentUnits = presentUnits
        self.unit = unit
    }

    /// No amount is larger: 2^53, which every JSON reader still takes exactly, and whose sums don't overflow.
    static let largestAmount: Int64 = 1 << 53

    /// The most that is shown before an operation is completed.
    static let percentBeforeCompletion = 99.99
}
