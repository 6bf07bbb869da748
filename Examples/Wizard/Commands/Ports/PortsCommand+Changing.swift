import OperationTracking
import ServiceControl

/// What ends and starts processes, or changes the file of services.
extension PortsCommand {
    private static let actor = "wizard ports"

    func kill(_ target: PortTarget, _ services: ServiceController) async throws -> ExitCode {
        let (name, port) = try await place(of: target, services)
        guard let port else { throw UsageError("\(name ?? "It") has no port that anyone could hold.") }
        let use = try await services.use(of: port)
        // Nobody is asked for what is never done.
        if !use.isFree { try use.checkEnding(among: services.registry.services, in: services.registry.path) }
        let question = "Port \(port)\(name.map { " of \($0)" } ?? "") is held by \(use.holderText). End \(use.that)?"
        guard try use.isFree || isConfirmed || Console.confirm(question) else { return .cancelled }
        // Those very processes: another one may have come while the person thought.
        let seen = Set(use.holders.map { SeenProcess($0.identity) })
        let freed =
            if use.isFree { FreedPort(port: port) } else if let name {
                try await Self.cancellable { try await services.kill(name, among: seen, by: Self.actor) }
            } else {
                try await Self.cancellable { try await services.kill(port: port, among: seen, by: Self.actor) }
            }
        if json { FreedReport(freed).printJSON() } else { FreedReport(freed).print() }
        return .done
    }

    /// Does something that Ctrl-C cancels, which may have been done in part by then.
    private static func cancellable<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        do {
            return try await Interrupt.cancelling(body)
        } catch is CancellationError {
            Console.error(
                "wizard: it was cancelled before it was done: see `wizard ports status` for how the services are now, `wizard events` for what was ended."
            )
            throw CancellationError()
        }
    }

    /// The service and the port that are meant.
    private func place(of target: PortTarget, _ services: ServiceController) async throws -> (String?, UInt16?) {
        switch target {
        case .name(let name): (name, try await services.status(of: name).service.port)
        case .port(let port): (nil, port)
        }
    }

    /// By the server where one runs on the data directory, so that what is started is looked after by what goes on running.
    func heal(_ services: ServiceController) async throws -> ExitCode {
        let server = await ServerHealing.find(in: data, registry: services.registry.path)
        let plan =
            if let server { try await server.plan() } else {
                try await services.recover(.portConflicts, isDryRun: true, by: Self.actor)
            }
        if plan.steps.isEmpty {
            if json { try encode(plan, services) } else { Console.line(plan.summary) }
            return .done
        }
        if !json { show(plan) }
        // What nothing can be done about needs nobody's yes.
        if !plan.holders.isEmpty {
            guard try isConfirmed || Console.confirm("Do that?") else { return .cancelled }
        }
        // What was shown, and nothing else: much may have come while the person thought.
        let holders = plan.holders
        var report =
            if let server { try await server.heal(holders) } else {
                try await Self.cancellable { try await services.heal(expecting: holders, by: Self.actor) }
            }
        report.steps += plan.steps.filter { $0.action == .none }.map { step in
            var step = step
            step.outcome = .skipped
            return step
        }
        if json {
            try encode(report, services)
        } else {
            show(report)
            Console.line(report.summary.printable)
        }
        return report.isComplete ? .done : .failed
    }

    private func show(_ report: RecoveryReport) {
        let rows = report.steps.map { [$0.service, $0.outcome.rawValue, $0.action.rawValue, $0.reason.printable] }
        Table(titles: ["SERVICE", "OUTCOME", "ACTION", "WHY"], rows: rows).print(cutsLast: false) {
            switch report.steps[$0].outcome {
            case .planned: .plain
            case .done: .emerald
            case .failed: .red
            case .skipped: .yellow
            }
        }
    }

    func reassign(_ name: String, _ port: UInt16?, _ services: ServiceController) async throws -> ExitCode {
        let new = try await services.reassign(name, to: port, by: Self.actor)
        if json {
            try Console.encode(Reassigned(service: name, port: new))
        } else {
            Console.line("\(name) has port \(new) from its next start on.")
        }
        return .done
    }
}

/// A service that has been given a port.
private struct Reassigned: Encodable {
    let service: String
    let port: UInt16
}
