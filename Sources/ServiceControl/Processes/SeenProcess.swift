public import OperationTracking

/// A process as somebody was shown it who wants it ended, or agrees to that.
///
/// As text it is `4711@98765`: its pid, and when it started as `ProcessIdentity.startTime` counts, so that another one that has been
/// given the number since is not taken for it. `4711` alone means whichever process has that number.
public struct SeenProcess: Sendable, Hashable {
    /// Its pid, at least 1.
    public var pid: Int32
    /// When it started; `nil` where that isn't known.
    public var startTime: UInt64?

    /// Makes one from its parts.
    public init(pid: Int32, startTime: UInt64? = nil) {
        self.pid = pid
        self.startTime = startTime
    }

    /// That very process.
    public init(_ identity: ProcessIdentity) {
        self.init(pid: identity.pid, startTime: identity.startTime)
    }

    func matches(_ identity: ProcessIdentity) -> Bool {
        pid == identity.pid && (startTime == nil || startTime == identity.startTime)
    }
}

extension SeenProcess: LosslessStringConvertible {
    /// Reads the text form; `nil` for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard let pid = Int32(parts[0]), pid > 0 else { return nil }
        self.init(pid: pid)
        guard parts.count > 1 else { return }
        guard let time = UInt64(parts[1]) else { return nil }
        startTime = time
    }

    /// The text form.
    public var description: String { "\(pid)" + (startTime.map { "@\($0)" } ?? "") }
}

extension SeenProcess: Codable {
    /// Reads the text form.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let seen = SeenProcess(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "It is no process, such as 4711@98765."
            )
        }
        self = seen
    }

    /// Writes the text form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension Sequence<ProcessDetails> {
    /// These very processes.
    var seen: Set<SeenProcess> { Set(map { SeenProcess($0.identity) }) }

    /// What watches over the first that anything is known to watch over.
    package var supervisor: String? { first { $0.supervisor != nil }?.supervisor?.description }
}
