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
        let lock = try await StartLock(in: data)
        defer { lock.release() }
        // Not before: while another restart is at it, nothing says how the server was started that it has ended.
        let options = try ServerOptions(given, asBefore: true)
        // Whatever may be in the way is looked at before anything is ended.
        try options.check()
        guard try await freePort(options) else { return .cancelled }
        // The server may have ended, or one have come, while a person was asked.
        switch try await options.state {
        case .running(let server, _): try await ServerEnding(server: server).stop()
        case .silent(let server): _ = try await ServerEnding(server: server).kill()
        case .conflict, .stopped: break
        }
        options.warnOfServices()
        let launcher = options.launcher
        try await Interrupt.cancelling { try await launcher.launch() }
        ServerReport(state: try await options.state, options: options).print()
        return .done
    }

    /// Ends what holds the port of the next server, if that isn't the server itself: it may run on another one.
    ///
    /// - Returns: whether the port is free by now, or will be once the server has ended.
    private func freePort(_ options: ServerOptions) async throws -> Bool {
        guard options.port > 0 else { return true }
        let server = KnownServer.running(in: data)
        let use = try PortScanner().use(of: options.port)
        let isServers = use.holders.contains { $0.identity == server?.process }
        guard !use.isFree, !isServers else { return true }
        return try await PortFreeing(options: options, isConfirmed: isConfirmed).free(use, by: "wizard restart")
    }
}
