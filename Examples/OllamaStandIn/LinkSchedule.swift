/// How fast a scripted download runs: stretches of constant rate, counted from the start of the pull.
///
/// Time spent on waiting for the registry counts too. Two pulls at the same time do not slow each other down.
///
/// ```swift
/// let link: LinkSchedule = [.init(seconds: 2, bytesPerSecond: 40_000_000), .init(seconds: 3, bytesPerSecond: 8_000_000)]
/// ```
public struct LinkSchedule: Sendable, ExpressibleByArrayLiteral {
    /// A time of constant rate.
    public struct Stretch: Sendable {
        let length: Nanoseconds
        let bytesPerSecond: Int

        /// A stretch of `seconds` (above 0) at `bytesPerSecond` (10^6 is one MB/s; 0 is a dead link).
        public init(seconds: Double, bytesPerSecond: Int) {
            precondition(seconds > 0 && bytesPerSecond >= 0, "a stretch takes time and moves forward")
            length = max(1, Nanoseconds(seconds * 1e9))
            self.bytesPerSecond = bytesPerSecond
        }
    }

    private let stretches: [Stretch]
    private let repeats: Bool
    private let period: Nanoseconds

    /// A schedule of at least one stretch. The last one lasts for ever, or with `repeats` the first one follows it
    /// (then one stretch at least has to move something).
    public init(_ stretches: [Stretch], repeats: Bool = false) {
        precondition(!stretches.isEmpty, "a schedule has at least one stretch")
        precondition(!repeats || stretches.contains { $0.bytesPerSecond > 0 }, "a repeating schedule moves something")
        self.stretches = stretches
        self.repeats = repeats
        period = stretches.reduce(0) { $0 + $1.length }
    }

    /// A schedule whose last stretch lasts for ever.
    public init(arrayLiteral stretches: Stretch...) {
        self.init(stretches)
    }

    /// The same rate all the time.
    public static func steady(_ bytesPerSecond: Int) -> LinkSchedule {
        [Stretch(seconds: 1, bytesPerSecond: bytesPerSecond)]
    }

    /// The bytes that move between two times.
    func bytes(from start: Nanoseconds, to end: Nanoseconds) -> Int {
        var moved = 0.0
        var time = start
        while time < end {
            let (rate, stretchEnd) = stretch(at: time)
            let next = min(stretchEnd, end)
            moved += Self.bytes(at: rate, for: next - time)
            time = next
        }
        return Int(moved)
    }

    /// When `bytes` will have moved since `start`; nil if the link is dead for ever before that.
    func time(toMove bytes: Int, from start: Nanoseconds) -> Nanoseconds? {
        var missing = Double(bytes)
        var time = start
        while missing > 0 {
            let (rate, stretchEnd) = stretch(at: time)
            let possible = Self.bytes(at: rate, for: stretchEnd - time)
            if missing <= possible {
                return time + Nanoseconds((missing / Double(rate) * 1e9).rounded(.up))
            }
            guard stretchEnd < .max else { return nil }
            missing -= possible
            time = stretchEnd
        }
        return time
    }

    /// The rate at a time, and until when it holds.
    private func stretch(at time: Nanoseconds) -> (bytesPerSecond: Int, end: Nanoseconds) {
        var end = repeats ? time / period * period : 0
        for stretch in stretches {
            end += stretch.length
            if time < end, repeats || end < period { return (stretch.bytesPerSecond, end) }
        }
        return (stretches[stretches.count - 1].bytesPerSecond, .max)
    }

    private static func bytes(at bytesPerSecond: Int, for time: Nanoseconds) -> Double {
        Double(bytesPerSecond) * Double(time) / 1e9
    }
}
