import OperationTracking

/// The process by which a service was started, kept in a file so that a later program knows it again.
struct StartedRecord: Codable, Hashable {
    var pid: Int32
    var startTime: UInt64
    /// Within what its pid, its start time and its deadline mean anything: see `ProcessIdentity.space`.
    var space: String?
    /// Until when it may come up, in nanoseconds of the monotonic clock, which counts from the boot, too; `nil` once its port and its
    /// health endpoint have answered.
    var deadline: Int64?
    /// Whether its end is no failure: somebody wants it, or it has ended well.
    var isToEnd: Bool?
    /// How it ended, where that was seen and nobody had asked for it.
    var failure: String?
    /// Who had registered the service of which it was started, as in the registry's file; `nil` for one that a person wrote.
    var registeredBy: String?

    private enum CodingKeys: String, CodingKey {
        case pid, space, deadline, failure
        case startTime = "start_time"
        case isToEnd = "to_end"
        case registeredBy = "registered_by"
    }

    var identity: ProcessIdentity { ProcessIdentity(pid: pid, startTime: startTime) }

    /// The process, if it or anything of its session is still there. One that has ended may be listed for a while, until its parent
    /// has looked after it.
    var running: ProcessIdentity? {
        guard isOfHere, identity.isRunning else { return nil }
        return ProcessSession(id: pid).members.isEmpty ? nil : identity
    }

    /// Why the service has failed; `nil` where it hasn't.
    ///
    /// - Parameter isWatched: whether somebody who is still there has seen its end, and says so in a moment.
    func failure(isWatched: Bool) -> String? {
        if let failure { return failure }
        // What ran before the system started anew has failed no more than the system has.
        guard isToEnd != true, isOfHere, !isWatched, running == nil else { return nil }
        return "Its process (pid \(pid)) is gone, and nobody was there to see how it ended."
    }

    /// Notes that its end is no failure, also where that came before.
    mutating func expectEnd() {
        isToEnd = true
        failure = nil
    }

    private var isOfHere: Bool { space != nil && space == ProcessIdentity.space }
}
