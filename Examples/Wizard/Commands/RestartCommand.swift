import OperationTracking
import ServiceControl

struct RestartCommand: Command {
    static let name = "restart"
    static let summary =
        "stop the service, or what holds its port in its place, and start it as it was, but for the options given"
    static let operands = ""
    static let options = StartCommand.options + [.yes]

    private let given: ParsedOptions
    private let data: String
    private let isConfirmed: Bool

    init(_ options: ParsedOptions) throws {
        given = options
        // What would be refused is so before anything is made.
        data = try ServerOptions(options, asBefore: true).data
        isConfirmed = options.has("yes")
    }

    func run() async throws -> ExitCode {
        // Without the lock while a person is asked: it would keep others from starting a server until there is an answer.
        let (asked, shown) = try await look()
        if let shown, try !freeing(asked).mayEnd(shown) { return .cancelled }
        let lock = try await StartLock(in: data)
        defer { lock.release() }
        // The server may have ended, or one have come, meanwhile.
        let (options, use) = try read()
        if let use { try await freeing(options).end(use, among: shown?.holders ?? [], by: "wizard restart") }
        switch try await options.state {
        case .running(let server, _): try await options.ending(of: server).stop()
        case .silent(let server): _ = try await options.ending(of: server).kill()
        case .conflict, .stopped: break
        }
        options.warnOfServices()
        let launcher = options.launcher
        try await Interrupt.cancelling { try await launcher.launch() }
        ServerReport(state: try await options.state, options: options).print()
        return .done
    }

    /// What ``read()`` gives, read under the lock.
    private func look() async throws -> (ServerOptions, inTheWay: PortUse?) {
        let lock = try await StartLock(in: data)
        defer { lock.release() }
        return try read()
    }

    /// The next server's options, and what holds its port, if that isn't the server itself: it may run on another one.
    ///
    /// To be called under the lock: while another restart is at it, nothing says how the server was started that it has ended.
    /// Whatever may be in the way is looked at before anything is ended.
    private func read() throws -> (ServerOptions, inTheWay: PortUse?) {
        let options = try ServerOptions(given, asBefore: true)
        try options.check()
        let server = KnownServer.running(in: data)
        if let server, options.isWork(of: server) {
            throw ServerProblem(
                "The server (pid \(server.process.pid)) has started this command, which would end with it: say `wizard restart` outside of its work."
            )
        }
        guard options.port > 0 else { return (options, nil) }
        let use = try PortScanner().use(of: options.port)
        let isServers = use.holders.contains { $0.identity == server?.process }
        return (options, use.isFree || isServers ? nil : use)
    }

    private func freeing(_ options: ServerOptions) -> PortFreeing {
        PortFreeing(options: options, isConfirmed: isConfirmed)
    }
}
