struct RestartCommand: Command {
    static let name = "restart"
    static let summary =
        "stop the service, or what holds its port in its place, and start it as it was, but for the options given"
    static let operands = ""
    static let options = StartCommand.options + [.yes]

    private let options: ServerOptions
    private let isConfirmed: Bool

    init(_ options: ParsedOptions) throws {
        self.options = try ServerOptions(options, asBefore: true)
        isConfirmed = options.has("yes")
    }

    func run() async throws -> ExitCode {
        try options.check()
        let lock = try await StartLock(in: options.data)
        defer { lock.release() }
        switch try await options.state {
        case .running(let server, _): try await ServerEnding(server: server).stop()
        case .silent(let server): _ = try await ServerEnding(server: server).kill()
        case .conflict, .stopped: break
        }
        // Its port may be held by another program while it runs on another one.
        if case .conflict(let use) = try await options.state {
            let freeing = PortFreeing(options: options, isConfirmed: isConfirmed)
            guard try await freeing.free(use, by: "wizard restart") else { return .cancelled }
        }
        let launcher = options.launcher
        try await Interrupt.cancelling { try await launcher.launch() }
        ServerReport(state: try await options.state, options: options).print()
        return .done
    }
}
