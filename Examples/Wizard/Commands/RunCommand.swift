import OperationTracking
import ProcessOperations

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

struct RunCommand: Command {
    static let name = "run"
    static let summary = "run any command, and keep how it went"
    static let operands = "[--] CMD [ARG …]"
    static let operandsEndOptions = true
    static let options: [Option] = [
        Option("name", "NAME", help: "what the work is called (default: the command)"),
        Option(
            "progress",
            "RULE",
            help: "read progress from the output: none, percent, fraction, bytes or auto (default)"
        ),
        .detach, .data, .json,
    ]

    static let note = """
        A server that may run commands does this, with the folder and the PATH from here, but otherwise in its own environment and with
        its umask. What else CMD needs is given as in `wizard run -- env NAME=VALUE CMD`; like all of a command it is kept in the history.
        """

    private let request: ProcessProvider.Request
    private let data: String
    private let json: Bool
    private let handOver: HandOver

    init(_ options: ParsedOptions) throws {
        guard !options.operands.isEmpty else { throw UsageError("CMD is missing.") }
        request = ProcessProvider.Request(
            command: options.operands,
            name: options.text("name"),
            directory: FileManager.default.currentDirectoryPath,
            progress: try Self.rule(options.text("progress") ?? "auto")
        )
        data = try DataDirectory.path(options)
        json = options.has("json")
        handOver = HandOver(options, data: data)
    }

    func run() async throws -> ExitCode {
        var handed = request
        // A server finds the same program by it. Nothing else of the environment is told: it may hold secrets, and requests are
        // kept.
        if let path = ProcessInfo.processInfo.environment["PATH"] { handed.environment["PATH"] = path }
        if let code = try await handOver.run(handed, with: ProcessProvider.self) { return code }
        let session = try await Session(data: data, actor: "wizard run")
        let code = try await session.run(request, with: ProcessProvider(), retry: .never, json: json)
        await session.tracker.close()
        return code
    }

    private static func rule(_ name: String) throws -> ProgressRule {
        let rules: [String: ProgressRule] = [
            "none": .none, "percent": .percent, "fraction": .fraction, "bytes": .bytes, "auto": .automatic,
        ]
        guard let rule = rules[name] else {
            throw UsageError("--progress takes none, percent, fraction, bytes or auto, not '\(name)'.")
        }
        return rule
    }
}
