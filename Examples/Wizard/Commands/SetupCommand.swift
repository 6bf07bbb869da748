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
        .data, .json,
    ]

    private let models: [String]?
    private let settings: GatewaySettings
    private let data: String
    private let json: Bool

    init(_ options: ParsedOptions) throws {
        try options.refuseOperands()
        let environment = ProcessInfo.processInfo.environment
        models = options.has("models") ? try options.list("models") : nil
        data = try DataDirectory.path(options)
        json = options.has("json")
        let address: OllamaAddress
        do throws(OperationFailure) {
            address =
                if let given = options.text("ollama") { try OllamaAddress(given) } else {
                    try OllamaAddress(environment: environment)
                }
        } catch {
            throw UsageError(error.message)
        }
        let key = environment["OLLAMA_API_KEY"].flatMap { $0.isEmpty ? nil : $0 }
        var settings = GatewaySettings(
            ollama: OllamaClient(address: address, apiKey: key, transport: CurlTransport()),
            modesFile: Self.absolute(options.text("modes") ?? data + "/ok_modes.json"),
            serverLog: data + "/ollama.log",
            environment: environment
        )
        settings.venv = options.text("venv").map(Self.absolute)
        settings.python = options.text("python") ?? settings.python
        settings.package = options.text("package") ?? settings.package
        settings.command = options.text("command") ?? settings.command
        self.settings = settings
    }

    func run() async throws -> ExitCode {
        let session = try await Session(data: data, actor: "wizard setup")
        var settings = settings
        settings.statistics = (try? await session.history.statistics(types: nil)) ?? []
        let provider = GatewaySetupProvider(settings)
        let code = try await session.run(
            .init(models: models),
            with: provider,
            retry: .never,
            json: json,
            report: Self.show
        )
        await session.tracker.close()
        return code
    }

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

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }
}
