import OperationTracking
import ServiceControl

struct KillCommand: Command {
    static let name = "kill"
    static let summary = "end the service by force, or what holds its port in its place"
    static let operands = ""
    static let options: [Option] =
        ServeCommand.options.filter { ["port", "config", "services"].contains($0.name) } + [
            .yes, .data, .json,
        ]

    private let options: ServerOptions
    private let isConfirmed: Bool

    init(_ options: ParsedOptions) throws {
        self.options = try ServerOptions(options, asBefore: true)
        isConfirmed = options.has("yes")
    }

    func run() async throws -> ExitCode {
        switch try await options.state {
        case .running(let server, _), .silent(let server):
            let tookForce = try await options.ending(of: server).kill()
            if !options.json {
                let how = tookForce ? "by force" : "by itself, once asked"
                Console.line("The server at \(server.url) (pid \(server.process.pid)) has ended, \(how).")
            }
        case .conflict(let use):
            let freeing = PortFreeing(options: options, isConfirmed: isConfirmed)
            guard try freeing.mayEnd(use) else { return .cancelled }
            try await freeing.end(use, among: use.holders, by: "wizard kill")
        case .stopped:
            if !options.json { Console.line("No server runs, and nothing holds port \(options.port).") }
        }
        if options.json { ServerReport(state: try await options.state, options: options).printJSON() }
        return .done
    }
}
