#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// What was measured over the last minutes, for plots: a ring that forgets the oldest when it is full.
public struct ResourceHistory: Sendable {
    /// What was measured at one moment.
    public struct Point: Sendable, Hashable {
        /// When, in monotonic nanoseconds of the tracker's clock: for distances on a time axis.
        public var monotonicNanoseconds: Int64
        /// When, by the calendar: for labels. It jumps when the system's clock is set.
        public var date: Date
        /// The machine.
        public var host: HostResources
        /// What all operations cost together.
        public var totals: ResourceImpact
        /// Operations that had not ended.
        public var activeOperations: Int
    }

    /// How many points are kept, at least 1.
    let capacity: Int

    private var ring: [Point] = []
    /// Where the oldest point is, once the ring is full.
    private var start = 0

    /// Makes an empty history.
    ///
    /// - Parameter capacity: how many points are kept; what is below 1 counts as 1. The default holds 15 minutes of one point
    ///   every two seconds.
    init(capacity: Int = 450) {
        self.capacity = max(1, capacity)
    }

    /// The point taken last.
    var latest: Point? {
        ring.isEmpty ? nil : ring[(start + ring.count - 1) % ring.count]
    }

    /// The points kept, the oldest first.
    var points: [Point] {
        Array(ring[start...] + ring[..<start])
    }

    /// The points of the last `duration` up to the latest one, the oldest first.
    ///
    /// - Parameters:
    ///   - duration: how far back from the latest point.
    ///   - limit: how many at most, at least 2; when there are more, they are chosen evenly, the latest among them.
    func points(last duration: Duration, limit: Int = .max) -> [Point] {
        guard let latest else { return [] }
        let recent = points.filter { latest.monotonicNanoseconds - $0.monotonicNanoseconds <= duration.nanoseconds }
        let limit = max(2, limit)
        guard recent.count > limit else { return recent }
        return (0..<limit).map { recent[$0 * (recent.count - 1) / (limit - 1)] }
    }

    /// Takes a point, later than those before.
    mutating func append(_ point: Point) {
        guard ring.count == capacity else {
            ring.append(point)
            return
        }
        ring[start] = point
        start = (start + 1) % capacity
    }
}
