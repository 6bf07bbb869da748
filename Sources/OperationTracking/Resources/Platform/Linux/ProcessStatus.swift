#if os(Linux)
/// What `/proc/PID/stat` says (proc_pid_stat(5)), in the kernel's units.
struct ProcessStatus: Sendable, Hashable {
    /// Whether it is a zombie, or all but gone: field 3 is `Z` or `X`.
    var hasEnded: Bool
    /// Whether a signal or a debugger has stopped it: field 3 is `T` or `t`.
    var isStopped: Bool
    /// Field 4.
    var parent: Int32
    /// Fields 14 and 15 together, in clock ticks.
    var ownTicks: UInt64
    /// Fields 16 and 17 together, in clock ticks.
    var endedChildrenTicks: UInt64
    /// Field 20.
    var threadCount: Int
    /// Field 22, in clock ticks since boot.
    var startTime: UInt64
    /// Field 24. The kernel keeps it in per-core counters and this sum leaves out what they have not handed in.
    var residentPages: Int64

    /// Reads the file's text; `nil` when it is cut off or is no such file.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var text = ByteScanner(bytes)
        // Field 2, the command's name in brackets, may hold brackets, blanks and line ends itself; nothing after it can.
        guard text.skip(behindLast: UInt8(ascii: ")")) else { return nil }
        let state = text.word().first
        guard let parent = text.integer(Int32.self) else { return nil }
        text.skipWords(9)
        guard let user = text.unsigned(), let system = text.unsigned() else { return nil }
        guard let childUser = text.unsigned(), let childSystem = text.unsigned() else { return nil }
        text.skipWords(2)
        guard let threadCount = text.integer(Int.self) else { return nil }
        text.skipWords(1)
        guard let startTime = text.unsigned() else { return nil }
        text.skipWords(1)
        guard let residentPages = text.integer(Int64.self) else { return nil }
        hasEnded = state == UInt8(ascii: "Z") || state == UInt8(ascii: "X")
        isStopped = state == UInt8(ascii: "T") || state == UInt8(ascii: "t")
        self.parent = parent
        ownTicks = user &+ system
        endedChildrenTicks = childUser &+ childSystem
        self.threadCount = threadCount
        self.startTime = startTime
        self.residentPages = residentPages
    }

    /// The second number of `/proc/PID/statm` (proc_pid_statm(5)).
    static func residentPages(ofMemory bytes: UnsafeRawBufferPointer) -> Int64? {
        var text = ByteScanner(bytes)
        text.skipWords(1)
        return text.integer()
    }
}
#endif
