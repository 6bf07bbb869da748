#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
public import OllamaOperations
public import OperationTracking

/// Where a set-up puts things and what it does them with. They are the provider's and never a request's: a request may come
/// over HTTP, and names models only.
public struct GatewaySettings: Sendable {
    /// The Ollama server. It is started only where its address is this machine's.
    public var ollama: OllamaClient
    /// The file that models are merged into.
    public var modesFile: String
    /// A virtual environment for the Vibe CLI, made where there is none; `nil` for the Python that is there.
    public var venv: String?
    /// The Python that makes the environment, or installs into its own.
    public var python = "python3"
    /// What pip installs.
    public var package = "mistral-vibe"
    /// The command that the package brings; where it is there already, nothing is installed.
    public var command = "vibe"
    /// The models that a request without names asks for, and what is known of those that it may name.
    public var models = GatewayModel.usual
    /// How long a server that was started has to answer.
    public var startLimit: Duration = .seconds(60)
    /// The file that a server that was started writes its output to.
    public var serverLog: String
    /// When a pull is tried again, before the model's next name is.
    public var retry = RetryPolicy(maximumAttempts: 3)
    /// `PATH` and other variables.
    public var environment: [String: String]
    /// Figures of operations before, from which the parts' shares of the whole are learned.
    public var statistics: [HistoryStatistics] = []
    /// The free bytes on the file system of a folder, or of the nearest folder above it that exists; `nil` when that can't be
    /// told.
    public var freeBytes: @Sendable (String) -> Int64? = { DiskSpace.freeBytes(at: $0) }

    /// Makes the usual settings.
    ///
    /// - Parameters:
    ///   - ollama: the Ollama server.
    ///   - modesFile: the file that models are merged into.
    ///   - serverLog: where a server that is started writes its output to.
    ///   - environment: `PATH` and other variables; `nil` for this process's.
    public init(
        ollama: OllamaClient,
        modesFile: String,
        serverLog: String,
        environment: [String: String]? = nil
    ) {
        self.ollama = ollama
        self.modesFile = modesFile
        self.serverLog = serverLog
        self.environment = environment ?? ProcessInfo.processInfo.environment
    }

    /// Whether the server is to be found on this machine.
    var isServerLocal: Bool {
        let host = ollama.address.url.drop { $0 != "/" }.dropFirst(2)
        return ["127.", "localhost:", "[::1]:"].contains { host.hasPrefix($0) }
    }

    /// Where Ollama keeps its models, as its documentation says (docs/faq.md).
    var modelsFolder: String {
        if let given = environment["OLLAMA_MODELS"], !given.isEmpty { return given }
        return (environment["HOME"] ?? "/") + "/.ollama/models"
    }
}
