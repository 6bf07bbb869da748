import OperationTracking
import ServiceControl

struct StartCommand: Command {
    static let name = "start"
    static let summary = "start the service in the background"
    static let operands = ""
    static let options = ServeCommand.options.filter { $0.name != "log" }

    private let options: ServerOptions

    init(_ options: ParsedOptions) throws {
        self.options = try ServerOptions(options, asBefore: false)
    }

    func run() async throws -> ExitCode {
        switch try await options.state {
        case .running(let server, let health):
            guard health.status != "stopping" else {
                throw ServerProblem("The server at \(server.url) is stopping: start it again once it has.", "stopping")
            }
            try requireSame(server)
            if !options.json { Console.line("It runs already.") }
        case .conflict(let use): throw conflict(use)
        case .silent, .stopped:
            let lock = try await StartLock(in: options.data)
            defer { lock.release() }
            // One that doesn't answer may have been in the hands of another command, which is done by now; and a server that waited may
            // have taken the place.
            switch try await options.state {
            case .running(let server, _): try requireSame(server)
            case .silent(let server): throw ServerProblem(silent: server)
            case .conflict(let use): throw conflict(use)
            case .stopped:
                options.warnOfServices()
                let launcher = options.launcher
                try await Interrupt.cancelling { try await launcher.launch() }
            }
        }
        ServerReport(state: try await options.state, options: options).print()
        return .done
    }

    private func conflict(_ use: PortUse) -> ServerProblem {
        let held = "Port \(use.port) is held by \(use.holderText)"
        guard let refusal = options.refusal(toEnd: use) else {
            return ServerProblem("\(held): `wizard restart` ends that, --port N takes another port.")
        }
        return ServerProblem("\(held), which `wizard restart` doesn't end: --port N takes another port. \(refusal)")
    }

    /// - Throws: ``ServerProblem`` where a server doesn't run with the options that are given.
    private func requireSame(_ server: KnownServer) throws {
        let others = options.differences(from: server)
        guard !others.isEmpty else { return }
        let names = others.map { "--\($0)" }.joined(separator: ", ")
        throw ServerProblem(
            "The server at \(server.url) (pid \(server.process.pid)) runs already, and not with the \(names) given here: `wizard restart` with the same options starts it anew with them.",
            "other_options"
        )
    }
}
