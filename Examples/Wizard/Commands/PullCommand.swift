import OllamaOperations
import OperationTracking
import OperationTransfer

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

struct PullCommand: Command {
    static let name = "pull"
    static let summary = "pull a model into Ollama"
    static let operands = "MODEL"
    static let options: [Option] = [
        Option("ollama", "URL", help: "the Ollama server (default: OLLAMA_HOST or http://127.0.0.1:11434)"),
        Option("insecure", help: "let Ollama use a registry without a valid certificate"),
        Option("retries", "N", help: "try again up to N times what may pass, 0 to 100 (default 3)"),
        .detach, .data, .json,
    ]

    private let request: PullModelProvider.Request
    private let address: OllamaAddress
    private let retries: Int?
    private let data: String
    private let json: Bool
    private let handOver: HandOver

    init(_ options: ParsedOptions) throws {
        request = PullModelProvider.Request(model: try options.operand("MODEL"), insecure: options.has("insecure"))
        do throws(OperationFailure) {
            address =
                if let given = options.text("ollama") { try OllamaAddress(given) } else {
                    try OllamaAddress(environment: Self.environment)
                }
        } catch {
            throw UsageError(error.message)
        }
        retries = try options.number("retries", in: 0...100)
        data = try DataDirectory.path(options)
        json = options.has("json")
        handOver = HandOver(options, data: data)
    }

    func run() async throws -> ExitCode {
        if let code = try await handOver.run(request, with: PullModelProvider.self, obstacle: obstacle) { return code }
        let session = try await Session(data: data, actor: "wizard pull")
        let key = Self.environment["OLLAMA_API_KEY"].flatMap { $0.isEmpty ? nil : $0 }
        let client = OllamaClient(address: address, apiKey: key, transport: CurlTransport())
        // Someone is waiting at a prompt, so by default the waits are under 10 s in all: 1 + 2 + 4 at most.
        let retry = RetryPolicy(
            maximumAttempts: (retries ?? 3) + 1,
            maximumWaiting: retries == nil ? .seconds(10) : nil
        )
        let code = try await session.run(request, with: PullModelProvider(client: client), retry: retry, json: json)
        await session.tracker.close()
        return code
    }

    private func obstacle(_ server: KnownServer) -> String? {
        if retries != nil { return "--retries is not the server's to choose" }
        return server.ollama == address.url ? nil : "the server pulls into another Ollama"
    }

    private static var environment: [String: String] { ProcessInfo.processInfo.environment }
}
