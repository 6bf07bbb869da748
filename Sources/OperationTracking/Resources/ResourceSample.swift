/// What operations' processes and the machine used at one moment.
package struct ResourceSample: Sendable, Hashable {
    /// Monotonic nanoseconds.
    package var time: Int64
    /// What the process tree of each process costs that was asked for and is there. CPU is unknown in a process's first sample,
    /// network always.
    package var impacts: [ProcessIdentity: ResourceImpact] = [:]
    /// All trees together, a process that is in several counted once. Its CPU is that of the trees whose CPU is known.
    package var totals = ResourceImpact.unknown
    /// The machine.
    package var host = HostResources()
}
