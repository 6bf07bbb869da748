/// Tells when the machine becomes overloaded and when that is over: a pure state machine, the time comes from outside.
///
/// Each reason is a state of its own. It begins as soon as its figure crosses the threshold. It ends when it has stood for the
/// policy's settle time and its figure is well below the threshold, or has been below it for the settle time.
struct OverloadMonitor: Sendable {
    private struct Standing {
        /// When the reason began, and when its figure was last on the wrong side; monotonic nanoseconds.
        let began: Int64
        var lastOver: Int64
    }

    private var standing: [OverloadReason.Code: Standing] = [:]

    /// Takes a look.
    ///
    /// - Parameter time: monotonic nanoseconds, never less than before.
    mutating func assess(
        _ load: OperationLoad,
        host: HostResources?,
        policy: OverloadPolicy,
        at time: Int64
    ) -> OverloadAssessment {
        var assessment = OverloadAssessment()
        assessment.cpuPercent = load.cpuPercent(of: host?.availableCores ?? 1)
        assessment.memoryBytes = load.memoryBytes
        assessment.activeOperations = load.activeOperations
        assessment.host = host
        let measures = policy.measures(of: assessment)
        // What has no threshold or no figure any more is no reason any more.
        standing = standing.filter { entry in measures.contains { $0.code == entry.key } }
        for measure in measures where stands(measure, policy: policy, at: time) {
            let message = measure.message(leaveFraction: policy.leaveFraction)
            assessment.reasons.append(OverloadReason(code: measure.code, message: message))
        }
        return assessment
    }

    private mutating func stands(_ measure: OverloadMeasure, policy: OverloadPolicy, at time: Int64) -> Bool {
        if measure.isOver {
            standing[measure.code, default: Standing(began: time, lastOver: time)].lastOver = time
            return true
        }
        guard let state = standing[measure.code] else { return false }
        let settleTime = policy.settleTime.nanoseconds
        let hasStood = time - state.began >= settleTime
        let hasSettled = time - state.lastOver >= settleTime
        if hasStood, hasSettled || measure.isWellBelow(leaveFraction: policy.leaveFraction) {
            standing[measure.code] = nil
            return false
        }
        return true
    }
}
