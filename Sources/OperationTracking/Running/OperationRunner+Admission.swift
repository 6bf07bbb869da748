extension OperationRunner {
    /// Whether work with a demand could begin now; by the figures of the latest measurement, or new ones when those are old.
    public func admission(of demand: ResourceDemand) async -> AdmissionDecision {
        _ = await tracker.assessOverload()
        return decision(on: demand)
    }

    /// Decides on a new request.
    ///
    /// - Returns: a warning, where it may begin all the same, and whether it has to wait; then it gets its reason in the queue.
    func admit(_ work: ProviderJob) async throws -> (warning: String?, waits: Bool) {
        let demand = demand(of: work)
        // A warning may rest on older figures; whoever waits or is refused has a right to new ones.
        if configuration.admission.whenOverloaded != .warn || demand != .unknown { _ = await tracker.assessOverload() }
        switch decision(on: demand) {
        case .start(let warning): return (warning, false)
        case .wait: return (nil, true)
        case .refuse(let reason): throw OperationError(.overloaded, reason)
        case .neverFits(let reason): throw OperationError(.neverFits, reason)
        }
    }

    /// Whether a waiting operation may begin; if not, it shows why.
    func isAdmitted(_ id: OperationID) -> Bool {
        guard let job = jobs[id] else { return false }
        switch decision(on: demand(of: job.work)) {
        case .start: return true
        case .wait(let reason), .refuse(let reason):
            job.handle.wait(because: reason)
            return false
        case .neverFits(let reason):
            Task { await refuse(id, OperationFailure(.neverFits, reason)) }
            return false
        }
    }

    private func decision(on demand: ResourceDemand) -> AdmissionDecision {
        let assessment = tracker.latestAssessment
        return configuration.admission.admission(
            of: demand,
            under: assessment,
            host: assessment.host ?? HostResources(),
            runningDemand: runningDemand
        )
    }

    private func demand(of work: ProviderJob) -> ResourceDemand {
        let learned = tracker.learnedDemand(of: work.type)
        var demand = work.demand
        demand.memoryBytes = demand.memoryBytes ?? learned.memoryBytes
        return demand
    }

    /// What running work has asked for and not taken yet.
    private var runningDemand: ResourceDemand {
        var sum = ResourceDemand()
        for job in jobs.values where job.place == .running {
            let taken = job.handle.cell.withState { $0.resources.memoryBytes ?? 0 }
            if let memory = demand(of: job.work).memoryBytes {
                sum.memoryBytes = (sum.memoryBytes ?? 0) + max(0, memory - taken)
            }
            if let disk = job.work.demand.diskBytes { sum.diskBytes = (sum.diskBytes ?? 0) + disk }
        }
        return sum
    }
}

extension OperationHandle {
    private static let waitingPhase = "waiting"

    /// Shows why an operation waits. It is asked again after every measurement, so the same reason is no news.
    fileprivate func wait(because reason: String) {
        let isKnown = cell.withState { $0.phase == Self.waitingPhase && $0.message == reason.bounded(toBytes: 1000) }
        if !isKnown { setPhase(Self.waitingPhase, message: reason) }
    }

    func endWaiting() {
        cell.change { state in
            guard state.phase == Self.waitingPhase else { return }
            state.phase = nil
            state.message = nil
        }
    }
}
