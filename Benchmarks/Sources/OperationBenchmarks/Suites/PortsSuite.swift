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
        let lsof = Asked("lsof", from: "lsof", ["-nP", "-iTCP:\(port)", "-sTCP:LISTEN"], "^\\S+\\s+\(getpid())\\s")
        let ss = Asked("ss", from: "iproute2", ["-Hltnp", "sport = :\(port)"], "pid=\(getpid()),")

        var ours: [Double] = []
        // In turn, so that what disturbs the machine disturbs all.
        for _ in 0..<(isQuick ? 3 : 15) {
            ours += try Timing.measure(repetitions: isQuick ? 5 : 50, runs: 1) { count in
                for _ in 0..<count { _ = opaque(try scanner.use(of: port).holders.count) }
            }.all
            try lsof.ask()
            try ss.ask()
        }
        func beside(_ other: Asked, cheaper times: Double) -> Measurement {
            Measurement(
                "port to pid, beside \(other.program.name)",
                Timing(runs: ours),
                peer: .init(name: "\(other.program.name), from start to end", value: other.median),
                budget: Budget(ratioAtMost: 1 / times)
            )
        }
        return [beside(lsof, cheaper: 20), beside(ss, cheaper: 8)]
    }
}

/// A program that has to find this process each time, or its time says nothing.
private final class Asked {
    let program: Program
    private let arguments: [String]
    /// What a line of what it prints has in it where it names this process.
    private let found: String
    private var runs: [Double] = []

    init(_ name: String, from package: String, _ arguments: [String], _ found: String) {
        program = Program(name, from: package)
        (self.arguments, self.found) = (arguments, found)
    }

    /// `nil` when it isn't on this machine.
    var median: Double? { runs.isEmpty ? nil : Timing(runs: runs).median }

    func ask() throws {
        guard let path = program.path else { return }
        runs += try Timing.measure(repetitions: 1, runs: 1) { count in
            for _ in 0..<count {
                let lines = String(decoding: try run(path, arguments), as: UTF8.self).split(separator: "\n")
                guard lines.contains(where: { $0.range(of: found, options: .regularExpression) != nil }) else {
                    throw NoHolder()
                }
            }
        }.all
    }
}

private struct NoHolder: Error, CustomStringConvertible {
    let description = "The process that holds the port was not found."
}
