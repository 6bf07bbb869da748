struct StatusCommand: Command {
    static let name = "status"
    static let summary = "say whether the service runs, where, and how it is"
    static let operands = ""
    static let options: [Option] =
        ServeCommand.options.filter { ["port", "config"].contains($0.name) } + [.data, .json]

    private let options: ServerOptions

    init(_ options: ParsedOptions) throws {
        self.options = try ServerOptions(options, asBefore: true)
    }

    func run() async throws -> ExitCode {
        let state = try await options.state
        ServerReport(state: state, options: options).print()
        return switch state {
        case .running: .done
        case .silent: .notAnswering
        case .conflict, .stopped: .notRunning
        }
    }
}
