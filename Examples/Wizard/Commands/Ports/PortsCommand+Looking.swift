import OperationTracking
import ServiceControl

/// What only looks.
extension PortsCommand {
    func status(_ services: ServiceController) async throws -> ExitCode {
        let reports = try await services.status()
        if json {
            try encode(["services": reports], services)
        } else {
            ServiceTable(reports: reports).print()
        }
        return .done
    }

    /// All enabled services, one of them, or a port that may be nobody's.
    func check(_ target: PortTarget?, _ services: ServiceController) async throws -> ExitCode {
        let reports: [ServiceReport]
        switch target {
        case nil: reports = try await services.status().filter(\.service.isEnabled)
        case .name(let name): reports = [try await services.status(of: name)]
        case .port(let port):
            reports = try await services.status().filter { $0.service.port == port }
            if reports.isEmpty { return try await check(port, services) }
        }
        let isRight = reports.allSatisfy { ![.portConflict, .failed, .unknown].contains($0.status) }
        if json {
            try encode(PortCheck(ok: isRight, services: reports), services)
        } else {
            ServiceTable(reports: reports).print()
            for report in reports { if let detail = report.detail { Console.line(detail.printable) } }
            if isRight { Console.line("No port is held by another process than its service's.") }
        }
        return isRight ? .done : .failed
    }

    private func check(_ port: UInt16, _ services: ServiceController) async throws -> ExitCode {
        let use = try await services.use(of: port)
        if json {
            try Console.encode(PortLook(port: port, free: use.isFree, holders: use.holders))
        } else {
            Console.line(
                "Port \(port), which is no service's, is \(use.isFree ? "free" : "held by \(use.holderText)")."
            )
        }
        return .done
    }

    func conflicts(_ services: ServiceController) async throws -> ExitCode {
        let found = try await services.conflicts()
        guard !json else {
            try encode(found, services)
            return .done
        }
        guard !found.conflicts.isEmpty else {
            Console.line("Nobody holds a service's port.")
            return .done
        }
        let rows = found.conflicts.map { conflict in
            let advice =
                conflict.isCorrect
                ? "its own" : conflict.reason ?? (conflict.canRestart ? "can be restarted" : "can be killed")
            return [
                conflict.service, "\(conflict.port)", conflict.heldBy.printable, conflict.expectedProcess ?? "any",
                advice.printable,
            ]
        }
        Table(titles: ["SERVICE", "PORT", "HELD BY", "EXPECTED", "STATE"], rows: rows).print(
            statusColumn: 4,
            cutsLast: false
        ) {
            found.conflicts[$0].isCorrect ? .emerald : .red
        }
        return .done
    }

    func environment(_ services: ServiceController) throws -> ExitCode {
        guard json else {
            Console.raw(services.environmentScript)
            return .done
        }
        try Console.encode(["script": services.environmentScript])
        return .done
    }

    func available(from start: UInt16, _ services: ServiceController) async throws -> ExitCode {
        let port = try await services.availablePort(from: start)
        if json { try Console.encode(["port": port]) } else { Console.line("\(port)") }
        return .done
    }
}

/// Whether services have their ports.
private struct PortCheck: Encodable {
    let ok: Bool
    let services: [ServiceReport]
}

/// A port that is no service's.
private struct PortLook: Encodable {
    let port: UInt16
    let free: Bool
    let holders: [Holder]

    struct Holder: Encodable {
        let pid: Int32
        let name: String
    }

    init(port: UInt16, free: Bool, holders: [ProcessDetails]) {
        self.port = port
        self.free = free
        self.holders = holders.map { Holder(pid: $0.identity.pid, name: $0.name) }
    }
}

/// Services as a table.
struct ServiceTable {
    let reports: [ServiceReport]

    func print() {
        let rows = reports.map { report in
            [
                report.service.name,
                report.status.rawValue,
                report.service.port.map { "\($0)" } ?? "",
                processes(of: report).map { "\($0.identity.pid)" }.joined(separator: ", "),
                processes(of: report).map(\.name).joined(separator: ", ").printable,
                report.service.environment.rawValue,
                ((report.service.isEnabled ? "" : "(disabled) ") + report.service.description).printable,
            ]
        }
        Table(titles: ["NAME", "STATUS", "PORT", "PID", "PROCESS", "ENVIRONMENT", "DESCRIPTION"], rows: rows).print {
            switch reports[$0].status {
            case .running: .emerald
            case .stopped: .plain
            case .failed, .portConflict: .red
            case .unknown: .yellow
            }
        }
    }

    /// Its process, or all that hold its port but those that one of them has forked.
    private func processes(of report: ServiceReport) -> [ProcessDetails] {
        let holders = report.use?.heads ?? []
        return holders.isEmpty ? report.process.map { [$0] } ?? [] : holders
    }
}
