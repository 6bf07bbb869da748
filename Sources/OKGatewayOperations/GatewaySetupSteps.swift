/// Whether and where there is an Ollama.
public enum OllamaPlace: Sendable, Hashable {
    /// It answers.
    case answers(version: String)
    /// It can be started from this file.
    case program(String)
    /// It is nowhere; what to do about it.
    case missing(advice: String)
}

/// The steps of a set-up, each of which may be replaced.
///
/// ```swift
/// var steps = GatewaySetupSteps(settings)
/// steps.installVibe = { _ in SetupStep("install_vibe", .skipped, "Our image has it.") }
/// let provider = GatewaySetupProvider(settings, steps: steps)
/// ```
///
/// A step throws when the set-up can't go on without it; whatever else goes wrong is a ``SetupStep/Status/warning``.
public struct GatewaySetupSteps: Sendable {
    /// Installs the Vibe CLI.
    public var installVibe: @Sendable (SetupStage) async throws -> SetupStep
    /// Looks for Ollama.
    public var findOllama: @Sendable (SetupStage) async throws -> (step: SetupStep, place: OllamaPlace)
    /// Starts the server from a file, and returns when it answers.
    public var startOllama: @Sendable (SetupStage, _ program: String) async throws -> SetupStep
    /// Pulls a model; gives the name under which it is there, `nil` when it isn't.
    public var pullModel: @Sendable (SetupStage, GatewayModel) async throws -> (step: SetupStep, pulled: String?)
    /// Merges what there is into the file of modes.
    public var mergeModes: @Sendable (SetupStage, [PulledModel]) async throws -> [SetupStep]

    /// The usual steps.
    public init(_ settings: GatewaySettings) {
        installVibe = { try await InstallVibe(settings: settings).run($0) }
        findOllama = { try await FindOllama(settings: settings).run($0) }
        startOllama = { try await StartOllama(settings: settings, program: $1).run($0) }
        pullModel = { try await PullModel(settings: settings, model: $1).run($0) }
        mergeModes = { try await MergeModes(file: settings.modesFile, ollama: settings.ollama).run($0, $1) }
    }
}

/// A model of a set-up, and whether it is there now.
public struct PulledModel: Sendable, Hashable {
    /// The model that was wanted.
    public var model: GatewayModel
    /// The name under which Ollama has it; `nil` when it hasn't.
    public var pulled: String?

    /// Makes a model.
    public init(_ model: GatewayModel, pulled: String?) {
        self.model = model
        self.pulled = pulled
    }
}
