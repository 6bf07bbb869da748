/// Which share of the whole each part of a work is, by how long the parts have taken before.
///
/// ```swift
/// let weights = PhaseWeights([("install", 3), ("pull", 10), ("merge", 1)])
/// weights.band(of: "pull")       // about 0.21..<0.93
/// ```
public struct PhaseWeights: Sendable, Hashable {
    private var parts: [String]
    private var weights: [Double]

    /// Makes weights from guesses.
    ///
    /// - Parameter parts: each part's name and how long it takes in proportion to the others; negative weights count as 0.
    public init(_ parts: [(name: String, weight: Double)]) {
        self.parts = parts.map(\.name)
        // Bounded, so that they can be added up.
        weights = parts.map { $0.weight.isFinite ? min(max(0, $0.weight), 1e100) : 0 }
    }

    /// Learns from history: a part whose name is a type that has often been completed weighs as long as it took at the
    /// median. Guesses for the others are scaled, so that they keep their proportion to what was learned.
    ///
    /// - Parameters:
    ///   - statistics: of all types, as ``HistoryStore/statistics(types:)`` gives them.
    ///   - enough: how many completed operations a median is believed from, at least 1.
    public mutating func learn(from statistics: [HistoryStatistics], enough: Int = 5) {
        let medians = Dictionary(
            statistics.filter { $0.completed >= max(1, enough) }.compactMap { entry in
                entry.p50Seconds.map { (entry.type.rawValue, $0) }
            },
            uniquingKeysWith: { first, _ in first }
        )
        let known = parts.indices.filter { medians[parts[$0]] != nil }
        let guessed = known.reduce(0) { $0 + weights[$1] }
        let learned = known.reduce(0) { $0 + (medians[parts[$1]] ?? 0) }
        guard learned > 0 else { return }
        let scale = guessed > 0 ? learned / guessed : 1
        for index in parts.indices { weights[index] = medians[parts[index]] ?? weights[index] * scale }
    }

    /// The band of a part, within 0 to 1; empty when there is no such part. Parts stand in the order in which they were given.
    public func band(of name: String) -> Range<Double> {
        guard let index = parts.firstIndex(of: name) else { return 0..<0 }
        let sum = weights.reduce(0, +)
        guard sum > 0 else {
            let width = 1 / Double(parts.count)
            return Double(index) * width..<Double(index + 1) * width
        }
        let start = weights[..<index].reduce(0, +) / sum
        return start..<min(1, max(start, start + weights[index] / sum))
    }
}
