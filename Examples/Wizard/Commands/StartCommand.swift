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
        case .silent(let server):
            throw ServerProblem(silent: server)
        case .conflict(let use):
            let held = "Port \(use.port) is held by \(use.holderText)"
            guard let refusal = options.refusal(toEnd: use) else {
                throw ServerProblem("\(held): `wizard restart` ends that, --port N takes another port.")
            }
            throw ServerProblem("\(held), which `wizard restart` doesn't end: --port N takes another port. \(refusal)")
        case .stopped:
            let lock = try await StartLock(in: options.data)
            defer { lock.release() }
            // A server that waited may have taken the place by now.
            if let server = KnownServer.running(in: options.data) {
                try requireSame(server)
                break
            }
            options.warnOfServices()
            let launcher = options.launcher
            try await Interrupt.cancelling { try await launcher.launch() }
        }
        ServerReport(state: try await options.state, options: options).print()
        return .done
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
