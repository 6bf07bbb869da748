/// What the system says of one process at one moment. A process that has ended and was not waited for yet still has figures.
struct ProcessReading: Sendable, Hashable {
    /// The parent's pid now: another one once the first parent has ended.
    var parent: Int32
    /// As in `ProcessIdentity`.
    var startTime: UInt64
    /// Time on the CPU, in user and kernel mode, of all its threads, in nanoseconds.
    var ownCPU: UInt64
    /// The same of its children that have ended and been waited for, and of theirs; 0 where the system doesn't tell.
    var endedChildrenCPU: UInt64
    /// Resident memory in bytes.
    var residentBytes: Int64
}

/// Where readings of processes come from: the system, or a test's script.
///
/// What it takes to read (descriptors, a scan of all processes) is the table's own affair, between `beginPass` and the next.
protocol ProcessTable {
    /// Says that a new look at the processes begins: what was listed before is old.
    mutating func beginPass()

    /// Now on the clock that gives start times, in its unit.
    func startTimeNow() -> UInt64

    /// Reads a process; `nil` when there is none with this pid.
    mutating func read(_ pid: Int32) -> ProcessReading?

    /// Adds the pids of a process's children to `list`. Some may be missing and some may be gone already.
    mutating func appendChildren(of pid: Int32, to list: inout [Int32])

    /// Says that a process is not of interest any more.
    mutating func forget(_ pid: Int32)
}
