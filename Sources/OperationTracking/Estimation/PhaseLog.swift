/// A phase of an operation's work, and how long it took.
public struct PhaseTime: Sendable, Hashable, Codable {
    /// Its name; `nil` for work outside any phase.
    public var phase: String?
    /// Active seconds until the next phase was entered, or the end.
    public var seconds: Double

    /// Makes one.
    ///
    /// - Parameters:
    ///   - phase: its name; `nil` for work outside any phase.
    ///   - seconds: active seconds.
    public init(phase: String?, seconds: Double) {
        self.phase = phase
        self.seconds = seconds
    }
}

/// When an operation entered each of its phases for the first time. Going back to an earlier phase, to try again, counts to the
/// farthest one: what is still to come comes after that.
struct PhaseLog: Sendable {
    private var entries: [(phase: String, at: Double)] = []
    /// Whether there was work before the first phase. That has no entry, since most work has no phases.
    private var beganOutside = false

    /// More phases than that are no stages of one work.
    private static let most = 16
    /// Nothing is done until the machine has room for it.
    static let waitingForRoom = "waiting"
    /// Nothing is done until the next try.
    static let waitingToRetry = "waiting to retry"

    /// Says in which phase the work is.
    ///
    /// - Parameters:
    ///   - phase: its name.
    ///   - seconds: active time.
    mutating func see(_ phase: String?, at seconds: Double) {
        // Work that has no phase yet, or none while it begins again, has not left the one it was in.
        if phase == Self.waitingForRoom || phase == Self.waitingToRetry { return }
        guard let phase else {
            if entries.isEmpty { beganOutside = true }
            return
        }
        guard entries.count < (beganOutside ? Self.most - 1 : Self.most),
            !entries.contains(where: { $0.phase == phase })
        else { return }
        entries.append((phase, entries.isEmpty && !beganOutside ? 0 : seconds))
    }

    /// How many phases have been entered.
    var count: UInt8 { UInt8(entries.count) }

    /// The farthest phase, and when it began; `nil` while there is none.
    var farthest: (phase: String, at: Double)? {
        entries.last
    }

    /// All phases, now that the end is known; empty for work without phases.
    func phases(endingAt end: Double) -> [PhaseTime] {
        guard let first = entries.first else { return [] }
        let ends = entries.dropFirst().map(\.at) + [end]
        let before = beganOutside ? [PhaseTime(phase: nil, seconds: max(0, first.at))] : []
        return before + zip(entries, ends).map { PhaseTime(phase: $0.phase, seconds: max(0, $1 - $0.at)) }
    }
}
