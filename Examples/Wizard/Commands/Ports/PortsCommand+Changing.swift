import OperationTracking
import ServiceControl

/// What ends and starts processes, or changes the file of services.
extension PortsCommand {
    private static let actor = "wizard ports"

    func kill(_ target: PortTarget, _ services: ServiceController) async throws -> ExitCode {
        let (name, port) = try await place(of: target, services)
        guard let port else { throw UsageError("\(name ?? "It") has no port that anyone could hold.") }
        let use = try await services.use(of: port)
        let question = "Port \(port)\(name.map { " of \($0)" } ?? "") is held by \(use.holderText). End that?"
        guard try use.isFree || isConfirmed || Console.confirm(question) else { return .cancelled }
        // That very process: another one may have come while the person thought.
        let pid = use.holders.count == 1 ? use.holders.first?.identity.pid : nil
        let freed =
            if use.isFree { FreedPort(port: port) } else if let name {
                try await Interrupt.cancelling { try await services.kill(name, pid: pid, by: Self.actor) }
            } else {
                try await Interrupt.cancelling { try await services.kill(port: port, by: Self.actor) }
            }
        if json { FreedReport(freed).printJSON() } else { FreedReport(freed).print() }
        return .done
    }

    /// The service and the port that are meant.
    private func place(of target: PortTarget, _ services: ServiceController) async throws -> (String?, UInt16?) {
        switch target {
        case .name(let name): (name, try await services.status(of: name).service.port)
        case .port(let port): (nil, port)
        }
    }

    func heal(_ services: ServiceController) async throws -> ExitCode {
        let plan = try await services.recover(.portConflicts, isDryRun: true, by: Self.actor)
        if plan.steps.isEmpty {
            if json { try Console.encode(plan) } else { Console.line(plan.summary) }
            return .done
        }
        if !json { show(plan) }
        guard try isConfirmed || Console.confirm("Do that?") else { return .cancelled }
        let report = try await Interrupt.cancelling { try await services.heal(by: Self.actor) }
        if json {
            try Console.encode(report)
        } else {
            show(report)
            Console.line(report.summary.printable)
        }
        return report.isComplete ? .done : .failed
    }

    private func show(_ report: RecoveryReport) {
        let rows = report.steps.map { [$0.service, $0.outcome.rawValue, $0.action.rawValue, $0.reason.printable] }
        Table(titles: ["SERVICE", "OUTCOME", "ACTION", "WHY"], rows: rows).print {
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
