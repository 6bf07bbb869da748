import OperationTracking

struct StopCommand: Command {
    static let name = "stop"
    static let summary = "stop the service: what runs is cancelled, what waits goes on at its next start"
    static let operands = ""
    static let options: [Option] = [.data, .json]

    private let options: ServerOptions

    init(_ options: ParsedOptions) throws {
        self.options = try ServerOptions(options, asBefore: true)
    }

    func run() async throws -> ExitCode {
        if let server = KnownServer.running(in: options.data) {
            try await options.ending(of: server).stop()
            if !options.json { Console.line("The server at \(server.url) (pid \(server.process.pid)) has stopped.") }
        } else if !options.json {
            Console.line("No server runs on \(options.data).")
        }
        if options.json { ServerReport(state: .stopped, options: options).printJSON() }
        return .done
    }
}
