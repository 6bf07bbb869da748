import CBareHTTP
import Foundation
import OperationTracking
import ServiceControl

extension Suite {
    /// What it costs to tell which process holds a port, beside the programs that people ask.
    static let ports = Suite(name: "ports") { isQuick in
        let body = [UInt8](repeating: 0, count: 1)
        guard let server = bare_http_start(body, body.count, 1) else { throw NoHolder() }
        defer { bare_http_stop(server) }
        let port = bare_http_port(server)
        let scanner = PortScanner()
        guard try scanner.use(of: port).holders.contains(where: { $0.identity.pid == getpid() }) else {
            throw NoHolder()
        }

        let runs = isQuick ? 3 : 15
        let ours = try Timing.measure(repetitions: isQuick ? 5 : 50, runs: runs) { count in
            for _ in 0..<count { _ = opaque(try scanner.use(of: port).holders.count) }
        }
        func beside(_ program: Program, _ arguments: [String], cheaper times: Double) throws -> Measurement {
            Measurement(
                "port to pid, beside \(program.name)",
                ours,
                peer: .init(
                    name: "\(program.name), from start to end",
                    value: try program.path.map { path in
                        try Timing.measure(repetitions: 1, runs: runs) { count in
                            for _ in 0..<count { try require(path, arguments, toName: getpid()) }
                        }
                    }?.median
                ),
                budget: Budget(ratioAtMost: 1 / times)
            )
        }
        return [
            try beside(Program("lsof", from: "lsof"), ["-nP", "-iTCP:\(port)", "-sTCP:LISTEN"], cheaper: 20),
            try beside(Program("ss", from: "iproute2"), ["-Hltnp", "sport = :\(port)"], cheaper: 8),
        ]
    }
}

/// Runs a program that has to find this process, or its time says nothing.
private func require(_ path: String, _ arguments: [String], toName pid: Int32) throws {
    guard String(decoding: try run(path, arguments), as: UTF8.self).contains("\(pid)") else { throw NoHolder() }
}

private struct NoHolder: Error, CustomStringConvertible {
    let description = "The process that holds the port was not found."
}
