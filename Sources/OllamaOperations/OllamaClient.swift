#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
public import OperationTracking
public import OperationTransfer

/// The part of Ollama's HTTP API that operations need (https://github.com/ollama/ollama/blob/main/docs/api.md).
public struct OllamaClient: Sendable {
    /// Where the server listens.
    public let address: OllamaAddress
    private let transport: any HTTPTransport
    private let apiKey: String?

    /// Makes a client.
    ///
    /// - Parameters:
    ///   - address: where the server listens.
    ///   - apiKey: sent as a bearer token; never shown.
    ///   - transport: how requests are made.
    public init(address: OllamaAddress = .default, apiKey: String? = nil, transport: any HTTPTransport) {
        self.address = address
        self.apiKey = apiKey
        self.transport = transport
    }

    /// Makes a client for the server named by `OLLAMA_HOST`, with the key in `OLLAMA_API_KEY`.
    ///
    /// - Throws: `OperationFailure` (`invalid_request`) when `OLLAMA_HOST` holds no address.
    public init(environment: [String: String], transport: any HTTPTransport) throws(OperationFailure) {
        let key = environment["OLLAMA_API_KEY"].flatMap { $0.isEmpty ? nil : $0 }
        try self.init(address: OllamaAddress(environment: environment), apiKey: key, transport: transport)
    }

    /// The server's version, such as `0.32.15` (`GET /api/version`).
    ///
    /// - Throws: `OperationFailure`.
    public func version() async throws -> String {
        struct Answer: Decodable { var version: String }
        return try await get("/api/version", as: Answer.self).version
    }

    /// The models that the server has, by full name (`GET /api/tags`). A model that is only partly pulled isn't among them.
    ///
    /// - Throws: `OperationFailure`.
    public func models() async throws -> [OllamaModel] {
        struct Answer: Decodable { var models: [OllamaModel]? }
        return try await get("/api/tags", as: Answer.self).models ?? []
    }

    /// Begins a pull (`POST /api/pull`) and gives the lines of its answer as they come. Letting go of them stops the pull.
    func pull(_ model: String, insecure: Bool) async throws -> NDJSONLines<HTTPBody> {
        struct Body: Encodable {
            var model: String
            var insecure: Bool?
        }
        let body = try JSONEncoder().encode(Body(model: model, insecure: insecure ? true : nil))
        var request = HTTPRequest(.post, url: address.url + "/api/pull", headers: headers, body: Array(body))
        request.headers["Content-Type"] = "application/json"
        let response = try await send(request)
        return response.body.lines()
    }

    private func get<Answer: Decodable>(_ path: String, as type: Answer.Type) async throws -> Answer {
        var request = HTTPRequest(.get, url: address.url + path, headers: headers)
        request.timeouts.total = .seconds(30)
        let bytes = try await send(request).body.collect(upTo: 16 << 20)
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(bytes)) else {
            throw OperationFailure(
                .protocolError,
                "What answers at \(address) doesn't speak Ollama's API: check the address (--ollama or OLLAMA_HOST)."
            )
        }
        return answer
    }

    private var headers: HTTPHeaders {
        apiKey.map { ["Authorization": "Bearer \($0)"] } ?? [:]
    }

    private func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let response: HTTPResponse
        do {
            response = try await transport.send(request)
        } catch let error as TransferError {
            throw explained(error)
        }
        guard response.status != 200 else { return response }
        struct Refusal: Decodable { var error: String? }
        let body = (try? await response.body.collect(upTo: 65_536)) ?? []
        let text = (try? JSONDecoder().decode(Refusal.self, from: Data(body)))?.error
        let retryAfter = response.headers.retryAfter(at: SystemTrackingClock().wallMilliseconds)
        throw PullFailure.failure(status: response.status, text: text, retryAfter: retryAfter)
    }

    private func explained(_ error: TransferError) -> OperationFailure {
        var failure = error.operationFailure
        if failure.code == .connectionRefused {
            failure.message =
                "Nothing answers at \(address). Start Ollama (`ollama serve`), or say where it is (--ollama or OLLAMA_HOST)."
        }
        return failure
    }
}

/// A model that an Ollama server has.
public struct OllamaModel: Sendable, Hashable, Codable {
    /// Its full name, such as `llama3.2:latest`.
    public var name: String
    /// Its size on disk in bytes.
    public var size: Int64?
}
