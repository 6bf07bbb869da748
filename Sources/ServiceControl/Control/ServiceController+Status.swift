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
    /// at most every 20 ms. A program that runs for long calls it from time to time for what other programs have started.
    public func trimLogs() {
        for name in Set(registry.services.map(\.name)).union(started.keys) { folder.log(of: name).trim() }
    }

    func report(of service: ServiceDefinition) async throws(ServiceError) -> ServiceReport {
        folder.log(of: service.name).trim()
        var use: PortUse?
        if let port = service.port { use = try PortScanner(system: system).use(of: port) }
        return await withHealth([look(at: service, use: use)])[0]
    }

    func conflict(_ service: ServiceDefinition, _ use: PortUse) -> PortConflict {
        let look = look(at: service, use: use)
        var reason: String?
        if service.registeredBy != nil {
            reason = Self.registeredOnly(service, in: registry.path).message
        } else if case .refused(let error) = KillVerdict(use, system) {
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
            reason: reason,
            supervisor: use.holders.compactMap(\.supervisor).first?.description
        )
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
            report.status = use == nil ? .running : .unknown
            if let use {
                report.detail = "Its process (pid \(running.pid)) runs and doesn't listen on port \(use.port)."
            }
        } else if service.port == nil, let process = process(named: service.processName) {
            report.process = process
            report.status = .running
        } else if let failure = known.failure {
            report.status = .failed
            report.detail = failure
        }
        return report
    }

    private func judge(_ use: PortUse, _ known: KnownProcess, _ report: inout ServiceReport) {
        let service = report.service
        let own = use.holders.filter { isOwn($0, known) || $0.isNamed(service.processName) }
        let ownPIDs = Set(own.map(\.identity.pid))
        // Workers count as what has forked them.
        let wrong = use.holders.filter { !ownPIDs.contains($0.identity.pid) && !ownPIDs.contains($0.parent) }
        if let process = wrong.first {
            report.status = .portConflict
            report.process = process
            report.detail = Self.conflictText(service, use.port, process)
        } else if let process = own.first(where: { !ownPIDs.contains($0.parent) }) ?? own.first {
            report.status = .running
            report.process = process
            report.wasStartedHere = own.contains { isOwn($0, known) }
        } else {
            let user = use.unattributed.first.map { UserName.described($0.userID) } ?? "another user"
            report.status = .unknown
            report.detail =
                "Port \(use.port) is held by a process of \(user), which the system doesn't show to this one."
        }
    }

    static func conflictText(_ service: ServiceDefinition, _ port: UInt16, _ process: ProcessDetails) -> String {
        let supervisor = process.supervisor.map { ", of \($0)" } ?? ""
        return
            "Port \(port) is held by \(process.name) (pid \(process.identity.pid))\(supervisor), not by \(service.processName ?? service.name)."
    }

    /// Asks the health endpoints of those that run, or that can't be seen otherwise, all at once.
    private func withHealth(_ looks: [ServiceReport]) async -> [ServiceReport] {
        guard let health else { return looks }
        return await withTaskGroup(of: (Int, HealthCheck.Answer).self) { group in
            for (index, look) in looks.enumerated() {
                let isInvisible = look.service.port == nil && look.status == .stopped
                guard look.status == .running || isInvisible, let url = look.service.askableHealthURL else { continue }
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
            detail = "It runs, and \(why)."
        case (.ill, _):
            isHealthy = false
        }
    }
}

extension ServiceDefinition {
    /// What somebody has registered over the network has this program ask nobody but this machine.
    var askableHealthURL: String? { registeredBy == nil || isHealthLocal ? healthURL : nil }
}

// MARK: - The processes that were started here

/// What is known of the process by which a service was started.
struct KnownProcess {
    var running: ProcessIdentity?
    /// Whether it was started by a registration's command, and not by one that a person wrote.
    var isOfRegistration = false
    /// How it ended, if nobody had asked for it.
    var failure: String?
    var child: ServiceProcess?
}

extension ServiceController {
    func knownProcess(of name: String) -> KnownProcess {
        let record = folder.record(of: name)
        if let child = started[name], child.isRunning {
            let isOfRegistration = record?.registeredBy != nil && record?.pid == child.identity.pid
            return KnownProcess(running: child.identity, isOfRegistration: isOfRegistration, child: child)
        }
        guard let record else { return KnownProcess() }
        return KnownProcess(
            running: started[name] == nil ? record.running : nil,
            isOfRegistration: record.registeredBy != nil,
            failure: record.failure
        )
    }

    /// Whether a process is the one that was started, of its session, or descends from it.
    func isOwn(_ process: ProcessDetails, _ known: KnownProcess) -> Bool {
        guard let leader = known.running else { return false }
        if process.identity == leader || known.child?.contains(process.identity.pid) == true { return true }
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
        for pid in system.allProcesses() where pid != system.ownPID {
            if let process = system.process(pid), process.name == name, process.realUserID == system.userID {
                return process
            }
        }
        return nil
    }
}
