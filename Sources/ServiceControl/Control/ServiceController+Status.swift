import OperationTracking

extension ServiceController {
    /// How every service is, in the order of the registry.
    ///
    /// - Throws: ``ServiceError`` (`system`) when the system doesn't say who listens.
    public func status() async throws(ServiceError) -> [ServiceReport] {
        trimLogs()
        let services = registry.services
        let uses = try PortScanner(system: system).uses(of: Set(services.compactMap(\.port)))
        let byPort = Dictionary(uses.map { ($0.port, $0) }) { first, _ in first }
        let looks = services.map { look(at: $0, use: $0.port.flatMap { byPort[$0] }) }
        return await withHealth(looks)
    }

    /// How a service is.
    ///
    /// - Throws: ``ServiceError``: `unknown_service`, `system`.
    public func status(of name: String) async throws(ServiceError) -> ServiceReport {
        try await report(of: registry.service(name))
    }

    /// The ports of enabled services that anyone holds, and whether that is right.
    ///
    /// - Throws: ``ServiceError`` (`system`) when the system doesn't say who listens.
    public func conflicts() throws(ServiceError) -> PortConflicts {
        PortConflicts(conflicts: try heldPorts().map { conflict($0, $1) })
    }

    /// The enabled services whose ports anyone holds, in the order of the registry.
    func heldPorts() throws(ServiceError) -> [(ServiceDefinition, PortUse)] {
        let services = registry.services.filter { $0.isEnabled && $0.port != nil }
        let uses = try PortScanner(system: system).uses(of: Set(services.compactMap(\.port)))
        let byPort = Dictionary(uses.map { ($0.port, $0) }) { first, _ in first }
        return services.compactMap { service in
            guard let port = service.port, let use = byPort[port], !use.isFree else { return nil }
            return (service, use)
        }
    }

    /// Keeps the logs of all services within their limit, also of those that another program has started.
    ///
    /// That is done at every look at a service's status, which every start, stop and healing begins with, and, while the program
    /// lives that started a service, so often that its log grows by about a tenth of the limit meanwhile, at least once a second and
    /// at most every 20 ms. A program that runs for long does it by ``keepLogs()`` for what other programs have started.
    public func trimLogs() {
        for log in logs { log.trim() }
    }

    /// Keeps the logs of all services within their limit until the task is cancelled. While one grows it is looked at as often as
    /// ``trimLogs()`` says of those that this program has started; while none does, or it can't be emptied, every 10 s.
    public func keepLogs() async {
        let quiet: Int32 = 10_000
        var (interval, sizes) = (quiet, [String: Int]())
        repeat {
            var next = quiet
            for log in logs {
                let (size, left) = log.trim()
                let growth = size - (sizes[log.path] ?? size)
                // One that can't be emptied is read again in vain, so no sooner for its growth.
                if growth > 0, left <= log.limit { next = min(next, log.nextLook(growth: growth, in: interval)) }
                sizes[log.path] = left
            }
            interval = next
        } while (try? await clock.sleep(for: .milliseconds(interval))) != nil
    }

    private var logs: [ServiceLog] {
        Set(registry.services.map(\.name)).union(started.keys).map { folder.log(of: $0) }
    }

    func report(of service: ServiceDefinition) async throws(ServiceError) -> ServiceReport {
        folder.log(of: service.name).trim()
        var use: PortUse?
        if let port = service.port { use = try PortScanner(system: system).use(of: port) }
        return await withHealth([look(at: service, use: use)])[0]
    }

    func conflict(_ service: ServiceDefinition, _ use: PortUse) -> PortConflict {
        let look = look(at: service, use: use)
        let (own, wrong) = sides(of: use, service, knownProcess(of: service.name))
        // Where others hold it beside its own process, they alone are ended.
        var ending = use
        if !wrong.isEmpty { ending.holders = wrong }
        var reason: String?
        if service.registeredBy != nil {
            reason = Self.registeredOnly(service, in: registry.path).message
        } else if case .refused(let error) = KillVerdict(ending, system) {
            reason = error.message
        }
        return PortConflict(
            service: service.name,
            port: use.port,
            expectedProcess: service.processName,
            actualProcess: look.process?.name,
            pid: look.process?.identity.pid,
            isCorrect: look.status == .running,
            canKill: reason == nil,
            canRestart: reason == nil && service.startupCommand != nil,
            holders: use.holders.map { holder in
                .init(
                    process: SeenProcess(holder.identity),
                    name: holder.name,
                    isCorrect: own.contains { $0.identity == holder.identity }
                )
            },
            heldBy: ending.holderText,
            reason: reason,
            supervisor: ending.holders.supervisor
        )
    }

    /// A conflict as an error that says what to do about it, or, where nothing can be done from here, why.
    func conflictError(_ report: ServiceReport, _ advice: String) -> ServiceError {
        let reason = report.use.flatMap { conflict(report.service, $0).reason }
        return ServiceError(.portConflict, "\(report.detail ?? "Its port is held.") \(reason ?? advice)")
    }

    /// Looks at a service without asking its health endpoint.
    func look(at service: ServiceDefinition, use: PortUse?) -> ServiceReport {
        let known = knownProcess(of: service.name)
        var report = ServiceReport(service: service, status: .stopped, use: use)
        if let use, !use.isFree {
            judge(use, known, &report)
        } else if let running = known.running {
            report.process = system.process(running.pid)
            report.wasStartedHere = true
            report.status = use == nil ? .running : known.isStarting ? .unknown : .failed
            if let use {
                let state = known.isStarting ? "is being started and doesn't listen yet" : "runs and doesn't listen"
                report.detail = "Its process (pid \(running.pid)) \(state) on port \(use.port)."
            }
        } else if service.port == nil, let process = process(named: service.processName) {
            report.process = process
            report.status = .running
        } else if let failure = known.failure {
            report.status = .failed
            report.detail = failure
        } else if let problem = known.problem {
            report.status = .unknown
            report.detail = problem.message
        }
        return report
    }

    /// The holders of a service's port that are its own, and the others. Workers count as what has forked them.
    func sides(of use: PortUse, _ service: ServiceDefinition, _ known: KnownProcess) -> (
        own: [ProcessDetails], wrong: [ProcessDetails]
    ) {
        let named = use.holders.filter { isOwn($0, known) || $0.isNamed(service.processName) }
        let pids = Set(named.map(\.identity.pid))
        let ownOrWorker = { (process: ProcessDetails) in
            pids.contains(process.identity.pid) || pids.contains(process.parent)
        }
        return (use.holders.filter(ownOrWorker), use.holders.filter { !ownOrWorker($0) })
    }

    private func judge(_ use: PortUse, _ known: KnownProcess, _ report: inout ServiceReport) {
        let (own, wrong) = sides(of: use, report.service, known)
        if let process = wrong.heads.first ?? wrong.first {
            report.status = .portConflict
            report.process = process
            report.detail = Self.conflictText(report.service, use.port, own, wrong)
        } else if let process = own.heads.first ?? own.first {
            report.status = .running
            report.process = process
            report.wasStartedHere = own.contains { isOwn($0, known) }
        } else {
            report.status = .unknown
            report.detail = "Port \(use.port) is held by \(use.holderText), which the system doesn't show to this one."
        }
    }

    private static func conflictText(
        _ service: ServiceDefinition,
        _ port: UInt16,
        _ own: [ProcessDetails],
        _ wrong: [ProcessDetails]
    ) -> String {
        let right =
            own.isEmpty ? service.processName ?? service.name : own.texts.joined(by: " and ") + " alone"
        return "Port \(port) is held by \(wrong.texts.joined(by: " and ")), not by \(right)."
    }

    /// Asks the health endpoints of those that run, or that can't be seen otherwise, all at once.
    private func withHealth(_ looks: [ServiceReport]) async -> [ServiceReport] {
        guard let health else { return looks }
        return await withTaskGroup(of: (Int, HealthCheck.Answer).self) { group in
            for (index, look) in looks.enumerated() {
                let isInvisible = look.service.port == nil && look.status == .stopped
                guard look.status == .running || isInvisible, let url = look.service.askableHealthURL(of: look.use)
                else { continue }
                group.addTask { (index, await health.answer(of: url)) }
            }
            var reports = looks
            for await (index, answer) in group { reports[index].take(answer) }
            return reports
        }
    }
}

extension ServiceReport {
    fileprivate mutating func take(_ answer: HealthCheck.Answer) {
        switch (answer, status) {
        case (.well, _):
            status = .running
            isHealthy = true
        case (.ill(let why), .running):
            status = .failed
            isHealthy = false
            detail = "It runs, and \(why)".sentence
        case (.ill, _):
            isHealthy = false
        }
    }
}

extension ServiceDefinition {
    /// What somebody has registered over the network has this program ask nobody but this machine.
    func askableHealthURL(of use: PortUse?) -> String? {
        registeredBy == nil || isHealthLocal ? healthURL(of: use) : nil
    }
}

// MARK: - The processes that were started here

/// What is known of the process by which a service was started.
struct KnownProcess {
    var running: ProcessIdentity?
    /// Whether it was started by a registration's command, and not by one that a person wrote.
    var isOfRegistration = false
    /// Whether it has not come up, and its time for that isn't over.
    var isStarting = false
    /// How it ended, if nobody had asked for it.
    var failure: String?
    /// Why its record is not believed, so that nothing is known of it.
    var problem: ServiceError?
    var child: ServiceProcess?
}

extension ServiceController {
    func knownProcess(of name: String) -> KnownProcess {
        var record: StartedRecord?
        var problem: ServiceError?
        do throws(ServiceError) {
            record = try folder.record(of: name)
        } catch {
            problem = error
        }
        let child = started[name]
        if let child, child.isRunning {
            let kept = record?.identity == child.identity ? record : nil
            return KnownProcess(
                running: child.identity,
                isOfRegistration: kept?.registeredBy != nil,
                isStarting: kept.map { isStarting($0) } ?? false,
                child: child
            )
        }
        guard let record else { return KnownProcess(problem: problem) }
        return KnownProcess(
            // Nothing is left of the child; another program may have started it since.
            running: record.identity == child?.identity ? nil : record.running,
            isOfRegistration: record.registeredBy != nil,
            isStarting: isStarting(record),
            failure: record.failure(isWatched: child?.identity == record.identity)
        )
    }

    private func isStarting(_ record: StartedRecord) -> Bool {
        record.deadline.map { clock.monotonicNanoseconds < $0 } ?? false
    }

    /// Notes that the end of a service's process is no failure: for this program, for the one that watches the process, and for later
    /// ones. It is noted before anything is ended, since the others see the end at once.
    func expectEnd(of name: String) {
        started[name]?.expectEnd()
        // Where it can't be kept, they take it for one.
        try? folder.change(name) { $0.expectEnd() }
    }

    /// The same for whatever services some processes belong to.
    ///
    /// - Returns: the names of these services.
    func expectEnds(of processes: [ProcessDetails]) -> [String] {
        let names = registry.services.map(\.name).filter { name in
            let known = knownProcess(of: name)
            return processes.contains { isOwn($0, known) }
        }
        for name in names { expectEnd(of: name) }
        return names
    }

    /// Takes that back for a service whose process lives on after all: its next end is one by itself again.
    func expectNoEnd(of name: String) {
        let known = knownProcess(of: name)
        guard let process = known.running, ProcessSession(id: process.pid).members.contains(process) else { return }
        known.child?.expectEnd(false)
        try? folder.change(name, ifOf: process) { $0.isToEnd = nil }
    }

    /// Whether a process is the one that was started, of its session, or descends from it.
    func isOwn(_ process: ProcessDetails, _ known: KnownProcess) -> Bool {
        guard let leader = known.running else { return false }
        if ProcessSession(id: leader.pid).contains(process.identity.pid) { return true }
        var parent = process.parent
        for _ in 0..<64 where parent > 1 {
            if parent == leader.pid { return true }
            guard let next = system.process(parent)?.parent else { return false }
            parent = next
        }
        return false
    }

    /// A process of this user with just this name, for services without a port, where leniency would find too much.
    private func process(named name: String?) -> ProcessDetails? {
        guard let name else { return nil }
        for pid in system.candidates(named: name) where pid != system.ownPID {
            if let process = system.process(pid), process.name == name, process.realUserID == system.userID {
                return process
            }
        }
        return nil
    }
}
