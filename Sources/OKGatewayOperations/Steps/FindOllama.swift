import OllamaOperations
import OperationTracking
import ProcessOperations

/// Looks for a server that answers, then for the program, then for a way to install it.
struct FindOllama {
    let settings: GatewaySettings
    private static let name = "find_ollama"

    func run(_ stage: SetupStage) async throws -> (step: SetupStep, place: OllamaPlace) {
        let address = settings.ollama.address
        do {
            let version = try await settings.ollama.version()
            return (
                SetupStep(Self.name, .skipped, "Ollama \(version.printable) answers at \(address)."),
                .answers(version: version)
            )
        } catch let failure as OperationFailure where failure.code != .connectionRefused || !settings.isServerLocal {
            // Something else has the port, or the server is another machine's: starting one here would be no help.
            return missing("Ollama does not answer as it should at \(address). \(failure.message)")
        } catch is OperationFailure {
            // Nothing listens there yet.
        }
        if let program = program { return (SetupStep(Self.name, .done, "Ollama is at \(program)."), .program(program)) }
        if let installed = try await install(stage) { return installed }
        return missing("Ollama is not installed: get it from https://ollama.com/download, then set up again.")
    }

    private func missing(_ advice: String) -> (step: SetupStep, place: OllamaPlace) {
        (SetupStep(Self.name, .warning, advice), .missing(advice: advice))
    }

    private var program: String? {
        Programs.find("ollama", in: Programs.path(in: settings.environment) + Self.places)
    }

    /// Where Ollama's own installers put it.
    private static let places = [
        "/usr/local/bin", "/usr/bin", "/opt/homebrew/bin", "/Applications/Ollama.app/Contents/Resources",
    ]

    #if os(macOS)
    // Written with care and not run: the project is built and tested on Linux only.
    private func install(_ stage: SetupStage) async throws -> (step: SetupStep, place: OllamaPlace)? {
        let folders = Programs.path(in: settings.environment) + ["/opt/homebrew/bin", "/usr/local/bin"]
        guard let brew = Programs.find("brew", in: folders) else { return nil }
        let request = ProcessProvider.Request(
            command: [brew, "install", "ollama"],
            name: "Install Ollama with Homebrew",
            environment: settings.environment
        )
        do {
            try await stage.part(.findOllama, "Install Ollama with Homebrew", unit: .fraction) { part in
                _ = try await ProcessProvider().perform(request, reporting: part)
            }
        } catch let failure as OperationFailure {
            return missing(
                "Homebrew could not install Ollama. \(failure.message) Or get it from https://ollama.com/download."
            )
        }
        guard let program else { return nil }
        return (SetupStep(Self.name, .done, "Ollama was installed with Homebrew: \(program)."), .program(program))
    }
    #else
    /// Ollama's Linux installer is a script from the network that wants root; that is a person's decision.
    private func install(_ stage: SetupStage) async throws -> (step: SetupStep, place: OllamaPlace)? { nil }
    #endif
}
