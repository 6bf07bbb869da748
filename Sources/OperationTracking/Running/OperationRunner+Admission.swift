extension OperationRunner {
    /// Whether work with a demand could begin now; by the figures of the latest measurement, or new ones when those are old.
    public func admission(of demand: ResourceDemand) async -> AdmissionDecision {
        _ = await tracker.assessOverload()
        return decision(on: demand, reserved: runningDemand)
    }

    /// Decides on a new request.
    ///
    /// - Returns: a warning, where it may begin all the same, and whether it has to wait; then it gets its reason in the queue.
    func admit(_ work: ProviderJob) async throws -> (warning: String?, waits: Bool) {
        await tracker.learnDemand(of: work.type)
        let demand = demand(of: work, work.demand(), guesses: mayGuess)
        // A warning may rest on older figures; whoever waits or is refused has a right to new ones.
        if configuration.admission.whenOverloaded != .warn || demand != .unknown { _ = await tracker.assessOverload() }
        switch decision(on: demand, reserved: runningDemand) {
        case .start(let warning): return (warning, false)
        case .wait: return (nil, true)
        case .refuse(let reason): throw OperationError(.overloaded, reason)
        case .neverFits(let reason): throw OperationError(.neverFits, reason)
        }
    }

    /// One look through the queue.
    struct AdmissionPass {
        /// How many may still be told why they wait. After that only what asks for nothing is looked at, since looking for room costs
        /// something.
        fileprivate var looks: Int
        /// What running work has asked for and not taken yet, with what this pass has promised; `nil` before the first look.
        fileprivate var reserved: ResourceDemand?
        /// What is kept for those that have waited long.
        fileprivate var kept = ResourceDemand()

        init(looks: Int) {
            self.looks = looks
        }
    }

    /// Whether a waiting operation may begin; if not, it shows why.
    func isAdmitted(_ entry: RunQueue.Entry, _ pass: inout AdmissionPass) -> Bool {
        guard let job = jobs[entry.id] else { return false }
        let demand = demandLeft(of: job, guesses: mayGuess)
        guard pass.looks > 0 || demand == .unknown else { return false }
        let reserved = pass.reserved ?? runningDemand
        pass.reserved = reserved
        // A part of what runs has to end before that can, so nothing is kept from it.
        switch decision(on: demand, reserved: isPartOfRunning(job.handle.cell) ? reserved : reserved + pass.kept) {
        case .start:
            // With what was learned too, which counts for the next one as soon as this one runs.
            pass.reserved = reserved + demandLeft(of: job, guesses: true)
            return true
        case .wait(let reason), .refuse(let reason):
            guard pass.looks > 0 else { return false }
            pass.looks -= 1
            job.handle.wait(because: reason)
            // What has waited long isn't passed any more by work that wants the same memory, and would keep it taken for ever.
            // Disk space, and what nobody here will give back, is waited for by itself.
            let waited = tracker.clock.monotonicNanoseconds - entry.enqueuedAt
            if waited >= configuration.ageing.nanoseconds, memoryMayBeGivenBack {
                pass.kept = pass.kept + ResourceDemand(memoryBytes: demandLeft(of: job, guesses: true).memoryBytes)
            }
            return false
        case .neverFits(let reason):
            Task { await refuse(entry.id, OperationFailure(.neverFits, reason)) }
            return false
        }
    }

    private func isPartOfRunning(_ cell: OperationCell) -> Bool {
        var whole = cell.parent
        while let cell = whole {
            if jobs[cell.id]?.place == .running { return true }
            whole = cell.parent
        }
        return false
    }

    /// Whether anything runs that will end and give its memory back. What is paused gives nothing back.
    private var memoryMayBeGivenBack: Bool {
        places.ids.contains { id in
            jobs[id]?.handle.cell.withState { $0.machine.status == .inProgress } ?? false
        }
    }

    private func decision(on demand: ResourceDemand, reserved: ResourceDemand) -> AdmissionDecision {
        let assessment = tracker.latestAssessment
        return configuration.admission.admission(
            of: demand,
            under: assessment,
            host: assessment.host ?? HostResources(),
            runningDemand: reserved
        )
    }

    /// What was learned holds work back while other work runs; with nothing to wait for it may try.
    private var mayGuess: Bool { places.runningCount > 0 }

    /// What work needs that is to begin: by its provider's word, or else, where that may be guessed, what its like has needed before.
    ///
    /// Processes that share memory have less than the sum of theirs, and no two requests are alike, so what was learned may be
    /// more than there is, which is no reason to refuse work whose like has run here.
    private func demand(of work: ProviderJob, _ named: ResourceDemand, guesses: Bool) -> ResourceDemand {
        guard guesses else { return named }
        var demand = named
        let learned = tracker.learnedDemand(of: work.type)
        let host = tracker.latestAssessment.host
        if demand.memoryBytes == nil, let memory = learned.memoryBytes {
            demand.memoryBytes = min(memory, host?.memoryLimitBytes ?? .max)
        }
        if demand.diskBytes == nil, work.countsDiskSpace, let disk = learned.diskBytes {
            demand.diskBytes = min(disk, host?.diskTotalBytes ?? .max)
        }
        return demand
    }

    /// What a job still needs beside what it has taken, whether it runs or waits to go on.
    private func demandLeft(of job: Job, guesses: Bool) -> ResourceDemand {
        let cell = job.handle.cell
        let (memory, amounts, present) = cell.withState { state in
            (state.resources.memoryBytes ?? 0, cell.amounts(of: state), state.present)
        }
        // What comes in bytes is taken to be written to the disk; what was there when the demand was made was never asked for.
        func unwritten(_ bytes: Int64, before: Int64) -> Int64 {
            max(0, max(0, bytes) - (cell.unit == .bytes ? max(0, amounts.completed - before) : 0))
        }
        var left = demand(of: job.work, job.demand, guesses: guesses)
        if job.place == .running { left.memoryBytes = left.memoryBytes.map { max(0, max(0, $0) - memory) } }
        if let named = job.demand.diskBytes {
            left.diskBytes = unwritten(named, before: max(present, job.doneBefore))
        } else if job.work.countsDiskSpace, amounts.total >= 0 {
            // Now that the work has said how much there is, nothing needs to be guessed.
            left.diskBytes = max(0, amounts.total - amounts.completed)
        } else {
            left.diskBytes = left.diskBytes.map { unwritten($0, before: present) }
        }
        return left
    }

    /// What running work has asked for and not taken yet.
    private var runningDemand: ResourceDemand {
        places.ids.lazy.compactMap { self.jobs[$0] }.reduce(ResourceDemand()) { $0 + demandLeft(of: $1, guesses: true) }
    }
}

extension ResourceDemand {
    /// Both together, as far as known. A negative demand is none.
    static func + (left: ResourceDemand, right: ResourceDemand) -> ResourceDemand {
        func sum(_ left: Int64?, _ right: Int64?) -> Int64? {
            guard let left, let right else { return left ?? right }
            let (sum, overflow) = max(0, left).addingReportingOverflow(max(0, right))
            return overflow ? .max : sum
        }
        return ResourceDemand(
            memoryBytes: sum(left.memoryBytes, right.memoryBytes),
            diskBytes: sum(left.diskBytes, right.diskBytes),
            cpuPercent: left.cpuPercent.map { $0 + (right.cpuPercent ?? 0) } ?? right.cpuPercent
        )
    }
}

extension OperationHandle {
    /// Work that waits has not begun, so this is none of its phases.
    private static let waitingForRoom = "waiting"

    /// Shows why an operation waits. It is asked again after every measurement, so the same reason is no news.
    fileprivate func wait(because reason: String) {
        let isKnown = cell.withState {
            $0.phase == Self.waitingForRoom && $0.message == reason.bounded(toScalars: 1000)
        }
        if !isKnown { setPhase(Self.waitingForRoom, message: reason) }
    }

    func endWaiting() {
        cell.change { state in
            guard state.phase == Self.waitingForRoom else { return }
            state.phase = nil
            state.message = nil
        }
    }
}
