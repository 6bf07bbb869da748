import OKGatewayOperations
import OllamaOperations
import OperationHistorySQLite
import OperationTracking
import OperationTransfer

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

struct SetupCommand: Command {
    static let name = "setup"
    static let summary = "set up the gateway: Vibe CLI, Ollama, models"
    static let operands = ""
    static let options: [Option] = [
        Option(
            "models",
            "A,B",
            help: "pull these models (default: \(GatewayModel.usual.map(\.name).joined(separator: ", ")))"
        ),
        Option("venv", "DIR", help: "install the Vibe CLI into this virtual environment, made where there is none"),
        Option("package", "NAME", help: "what pip installs (default: mistral-vibe)"),
        Option(
            "command",
            "NAME",
            help: "the command that it brings; where it is there, nothing is installed (default: vibe)"
        ),
        Option("python", "EXE", help: "the Python to use (default: python3)"),
        Option("ollama", "URL", help: "the Ollama server (default: OLLAMA_HOST or http://127.0.0.1:11434)"),
        Option("modes", "FILE", help: "merge the models into FILE (default: ok_modes.json in the data folder)"),
        .detach, .data, .json,
    ]

    private let models: [String]?
    private let settings: GatewaySettings
    private let data: String
    private let json: Bool
    private let handOver: HandOver
    private let ollama: String
    /// The first of the options that a server has settled for itself.
    private let ownOption: String?

    init(_ options: ParsedOptions) throws {
        try options.refuseOperands()
        let environment = ProcessInfo.processInfo.environment
        models = options.has("models") ? try options.list("models") : nil
        data = try DataDirectory.path(options)
        json = options.has("json")
        handOver = HandOver(options, data: data)
        ownOption = ["venv", "package", "command", "python", "modes"].first(where: options.has)
        let address: OllamaAddress
        do throws(OperationFailure) {
            address =
                if let given = options.text("ollama") { try OllamaAddress(given) } else {
                    try OllamaAddress(environment: environment)
                }
        } catch {
            throw UsageError(error.message)
        }
        ollama = address.url
        let key = environment["OLLAMA_API_KEY"].flatMap { $0.isEmpty ? nil : $0 }
        var settings = GatewaySettings(
            ollama: OllamaClient(address: address, apiKey: key, transport: CurlTransport()),
            modesFile: (options.text("modes") ?? data + "/ok_modes.json").absolutePath,
            serverLog: data + "/ollama.log",
            environment: environment
        )
        settings.venv = options.text("venv")?.absolutePath
        settings.python = options.text("python") ?? settings.python
        settings.package = options.text("package") ?? settings.package
        settings.command = options.text("command") ?? settings.command
        self.settings = settings
    }

    func run() async throws -> ExitCode {
        let (ollama, ownOption) = (ollama, ownOption)
        let request = GatewaySetupProvider.Request(models: models)
        let code = try await handOver.run(
            request,
            with: GatewaySetupProvider.self,
            obstacle: { server in
                if let ownOption { return "--\(ownOption) is not the server's to choose" }
                return server.ollama == ollama ? nil : "the server uses another Ollama"
            },
            report: Self.show
        )
        if let code { return code }
        let session = try await Session(data: data, actor: "wizard setup")
        var settings = settings
        settings.statistics = (try? await session.history.statistics(types: nil)) ?? []
        let provider = GatewaySetupProvider(settings)
        let ownCode = try await session.run(
            request,
            with: provider,
            retry: .never,
            json: json,
            report: Self.show
        )
        await session.tracker.close()
        return ownCode
    }

    @Sendable
    private static func show(_ output: GatewaySetupProvider.Output) {
        for step in output.steps {
            let mark =
                switch step.status {
                case .done: "✓"
                case .skipped: "–"
                case .warning: "!"
                }
            Console.line("\(mark) \(step.detail.printable)")
        }
    }
}
