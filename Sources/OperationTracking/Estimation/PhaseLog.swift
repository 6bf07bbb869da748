/// A phase of an operation's work, and how long it took.
public struct PhaseTime: Sendable, Hashable, Codable {
    /// Its name; `nil` for work outside any phase.
    public var phase: String?
    /// Active seconds until the next phase was entered, or the end.
    public var seconds: Double
    /// How much was done in that time, in the operation's unit; `nil` where nobody looked.
    public var work: Int64?

    /// Makes one.
    ///
    /// - Parameters:
    ///   - phase: its name; `nil` for work outside any phase.
    ///   - seconds: active seconds.
    ///   - work: how much was done, in the operation's unit.
    public init(phase: String?, seconds: Double, work: Int64? = nil) {
        self.phase = phase
        self.seconds = seconds
        self.work = work
    }
}

/// When an operation entered each of its phases for the first time. Going back to an earlier phase, to try again, counts to the
/// farthest one: what is still to come comes after that.
struct PhaseLog: Sendable {
    private var entries: [(phase: String, at: Double, done: Int64)] = []
    /// How much had been done when there was work before the first phase; less than nothing while there was none. That has no entry,
    /// since most work has no phases.
    private var doneOutside: Int64 = -1

    /// More phases than that are no stages of one work.
    private static let most = 16
    /// Nothing is done until the next try.
    static let waitingToRetry = "waiting to retry"

    /// Says in which phase the work is.
    ///
    /// - Parameters:
    ///   - phase: its name.
    ///   - seconds: active time.
    ///   - done: the amount done so far.
    mutating func see(_ phase: String?, at seconds: Double, done: Int64) {
        // Work that has no phase yet, or none while it begins again, has not left the one it was in.
        if phase == Self.waitingToRetry { return }
        guard let phase else {
            if entries.isEmpty, doneOutside < 0 { doneOutside = max(0, done) }
            return
        }
        guard entries.count < (doneOutside < 0 ? Self.most : Self.most - 1),
            !entries.contains(where: { $0.phase == phase })
        else { return }
        entries.append((phase, entries.isEmpty && doneOutside < 0 ? 0 : seconds, done))
    }

    /// How many phases have been entered.
    var count: UInt8 { UInt8(entries.count) }

    /// The farthest phase, and when it began; `nil` while there is none.
    var farthest: (phase: String, at: Double)? {
        entries.last.map { ($0.phase, $0.at) }
    }

    /// All phases, now that the end is known; empty for work without phases.
    func phases(endingAt end: Double, done: Int64) -> [PhaseTime] {
        guard let first = entries.first else { return [] }
        let ends = entries.dropFirst().map { (at: $0.at, done: $0.done) } + [(at: end, done: done)]
        let outside = PhaseTime(phase: nil, seconds: max(0, first.at), work: max(0, first.done - doneOutside))
        return (doneOutside < 0 ? [] : [outside])
            + zip(entries, ends).map { entry, end in
                PhaseTime(phase: entry.phase, seconds: max(0, end.at - entry.at), work: max(0, end.done - entry.done))
            }
    }
}
