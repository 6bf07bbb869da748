#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
public import OperationTracking
import OperationTransfer
import Synchronization

/// Pulls a model into an Ollama server.
///
/// Amounts are bytes over all layers seen so far, so the total grows when the next layer begins: Ollama tells no overall
/// total. Phases are `manifest`, `downloading`, `verifying`, `writing` and `cleaning`. Ollama keeps what has arrived when a
/// pull is stopped, and goes on from there when it is asked again, so a new try costs little.
public struct PullModelProvider: OperationProvider {
    /// Which model is wanted.
    public struct Request: Codable, Sendable, Hashable {
        /// Its name, such as `llama3.2` or `host/namespace/model:tag`; 1 to 512 printable characters.
        public var model: String
        /// Whether the registry may speak plain HTTP or have an unknown certificate.
        public var insecure: Bool

        /// Makes a request.
        public init(model: String, insecure: Bool = false) {
            self.model = model
            self.insecure = insecure
        }

        /// Reads a request; one that says nothing of ``insecure`` is not.
        public init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            model = try values.decode(String.self, forKey: .model)
            insecure = try values.decodeIfPresent(Bool.self, forKey: .insecure) ?? false
        }
    }

    /// What a pull came to.
    public struct Output: Codable, Sendable, Hashable {
        /// The model's name.
        public var model: String
        /// The size of all layers in bytes.
        public var bytes: Int64
        /// How many layers were seen; a quick one may not be.
        public var layers: Int
        /// Lines and values of the answer that made no sense and were left out.
        public var warnings: Int
    }

    /// `pull_model`.
    public static let operationType = OperationType.pullModel

    /// How long nothing may move before a pull is given up, by default 180 s. Ollama itself tries for 63 s to get a chunk
    /// that fails, and for 30 s when one stands still, and says nothing meanwhile. While it verifies, which is silent and
    /// as long as the model is large, ten times as long is allowed.
    public var stallLimit: Duration = .seconds(180)

    private let client: OllamaClient

    /// Makes a provider.
    public init(client: OllamaClient) {
        self.client = client
    }

    /// A small model.
    public var exampleRequest: Request? { Request(model: "llama3.2") }

    /// A pull pauses by ending and beginning again, may be started over HTTP, and is one operation for equal requests.
    public var traits: ProviderTraits {
        ProviderTraits(
            pausing: .byRestart,
            resumeCost: "Ollama goes on from what has arrived.",
            mayBeStartedOverHTTP: true,
            isUnique: true
        )
    }

    /// Bytes.
    public var unit: OperationUnit { .bytes }

    /// `Pull` and the model's name.
    public func description(of request: Request) -> String {
        "Pull \(request.model.prefix(200))"
    }

    /// Refuses what can't be a model's name.
    public func validate(_ request: Request) throws { try Self.validate(request.model) }

    /// The server.
    public func uniqueScope(of request: Request) -> String { client.address.url }

    /// The registry: what stands before namespace and model, or else Ollama's own.
    public func estimateFeature(of request: Request) -> String {
        let parts = request.model.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count > 2, let host = parts[parts.count - 3].split(separator: "@").last else {
            return "registry.ollama.ai"
        }
        return host.lowercased()
    }

    /// Pulls the model.
    ///
    /// - Throws: `OperationFailure` with what Ollama said and what to do about it.
    @concurrent
    public func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Output {
        try validate(request)
        handle.setPhase(PullProgress.Phase.manifest.rawValue)
        let report = PullReport(handle: handle, stallLimit: stallLimit)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let lines = try await client.pull(request.model, insecure: request.insecure)
                    try await Self.follow(lines, report, handle)
                }
                group.addTask { try await report.watch() }
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch {
            report.saveLayers()
            throw error
        }
        return report.output(model: request.model)
    }

    private static func follow(
        _ lines: NDJSONLines<HTTPBody>,
        _ report: PullReport,
        _ handle: OperationHandle
    ) async throws {
        do {
            for try await line in lines {
                try await handle.checkpoint()
                if try report.take(line) { return }
            }
        } catch let error as TransferError {
            throw error.code == .connectionLost ? report.failureOfEnd : error.operationFailure
        }
        throw report.failureOfEnd
    }

    private static func validate(_ model: String) throws(OperationFailure) {
        let isPrintable = model.unicodeScalars.allSatisfy { !$0.properties.isWhitespace && !$0.movesText }
        guard (1...512).contains(model.utf8.count), isPrintable else {
            throw OperationFailure(
                .invalidRequest,
                "A model's name has 1 to 512 printable characters without spaces, such as `llama3.2`; this one has \(model.utf8.count) bytes."
            )
        }
    }
}
