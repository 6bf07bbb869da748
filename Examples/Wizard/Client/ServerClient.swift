import OperationTracking
import OperationTransfer

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Asks a server over HTTP.
struct ServerClient: Sendable {
    let server: KnownServer
    private let transport: any HTTPTransport
    private let token: String?

    static let operations = "/api/ports/operations"
    /// How long a stream may take to begin.
    private static let headTime: Duration = .seconds(10)
    /// The largest answer that is read: ten thousand operations have some 10 MB.
    private static let largestAnswer = 64 << 20

    init(_ server: KnownServer, transport: any HTTPTransport = CurlTransport()) {
        self.server = server
        self.transport = transport
        // The file may be gone; then the server says what is missing.
        token = server.tokenFile
            .flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
            .flatMap { try? TokenFile.token(in: $0) }
    }

    /// Asks the server that runs on a data directory; `nil` when none does, or none that answers.
    static func find(in data: String) async -> ServerClient? {
        guard let server = KnownServer.running(in: data) else { return nil }
        let client = ServerClient(server)
        return await client.health() == nil ? nil : client
    }

    /// As ``find(in:)``, for a command that can do nothing without.
    ///
    /// - Throws: ``ServerProblem`` when there is none.
    static func require(in data: String) async throws -> ServerClient {
        guard let server = KnownServer.running(in: data) else {
            try DataDirectory.requireSight(of: data)
            throw ServerProblem("No server runs on \(data): `wizard start` starts one, --data names another folder.")
        }
        let client = ServerClient(server)
        guard await client.health() != nil else { throw ServerProblem(silent: server) }
        return client
    }

    /// How the server says that it is; `nil` when it doesn't answer.
    ///
    /// It has two seconds, so that a person soon knows of one that somebody has stopped. Any other may be late since the machine
    /// is busy, or has stood still itself: it is asked once more, and has ten.
    func health() async -> ServerHealth? {
        if let health = await health(within: .seconds(2)) { return health }
        return server.process.isStopped ? nil : await health(within: .seconds(10))
    }

    private func health(within limit: Duration) async -> ServerHealth? {
        // One that is stopping says so with status 503.
        guard let response = try? await transport.send(request(.get, "/health", within: limit)),
            [200, 503].contains(response.status),
            let bytes = try? await response.body.collect(upTo: 1 << 20)
        else { return nil }
        return try? Wire.read(ServerHealth.self, from: bytes)
    }

    /// - Throws: ``ServerProblem`` for a refusal, `TransferError`, `CancellationError`.
    func get(_ path: String, within limit: Duration = .seconds(30)) async throws -> [UInt8] {
        try await answer(to: request(.get, path, within: limit))
    }

    /// - Parameter limit: how long the answer may take; `nil` for as long as it does.
    /// - Throws: as ``get(_:within:)``.
    func post(_ path: String, _ body: [UInt8] = [], within limit: Duration? = .seconds(30)) async throws -> [UInt8] {
        try await answer(to: request(.post, path, body, within: limit))
    }

    /// An operation, with what it has come to where that is wanted.
    func operation(_ id: OperationID) async throws -> [UInt8] { try await get("\(Self.operations)/\(id)") }

    /// Opens a stream of events, which begins with how things are now.
    ///
    /// - Parameters:
    ///   - id: the one operation that it is to be about; all of the server's when `nil`.
    ///   - last: the last event that was seen.
    func events(of id: OperationID? = nil, after last: String? = nil) async throws -> EventReader {
        let path = Self.operations + (id.map { "/\($0)" } ?? "") + "/stream"
        var request = request(.get, path, within: nil)
        request.headers["Last-Event-ID"] = last
        let response: HTTPResponse
        do {
            response = try await within(Self.headTime) { [transport, request] in try await transport.send(request) }
        } catch is Overdue {
            throw ServerProblem(silent: server)
        }
        guard response.status == 200 || response.status == 204 else { throw await problem(response) }
        return EventReader(response.body)
    }

    private func request(
        _ method: HTTPMethod,
        _ path: String,
        _ body: [UInt8] = [],
        within limit: Duration?
    ) -> HTTPRequest {
        var request = HTTPRequest(method, url: server.url + path, body: body)
        request.timeouts = HTTPTimeouts(total: limit)
        request.headers["Authorization"] = token.map { "Bearer \($0)" }
        if !body.isEmpty { request.headers["Content-Type"] = "application/json" }
        return request
    }

    private func answer(to request: HTTPRequest) async throws -> [UInt8] {
        let response = try await transport.send(request)
        guard (200..<300).contains(response.status) else { throw await problem(response) }
        return try await response.body.collect(upTo: Self.largestAnswer)
    }

    private func problem(_ response: HTTPResponse) async -> ServerProblem {
        let body = (try? await response.body.collect(upTo: 1 << 20)) ?? []
        if response.status == 401 {
            return ServerProblem(
                "The server at \(server.url) doesn't know this user: it wants its token.",
                "unauthorized"
            )
        }
        return (try? ServerProblem(body))
            ?? ServerProblem("The server at \(server.url) answers with status \(response.status).")
    }
}

/// What `/health` tells.
struct ServerHealth: Decodable, Sendable {
    let status: String
    let reason: String?
    let activeOperations: Int
}

/// What a server can't or won't do.
struct ServerProblem: Error, CustomStringConvertible {
    let description: String
    /// The code of its refusal.
    let code: String?

    private struct Fields: Decodable {
        let detail: String
        let code: String
    }

    /// Reads a refusal (RFC 9457).
    init(_ body: [UInt8]) throws {
        let fields = try Wire.read(Fields.self, from: body)
        self.init(fields.detail, fields.code)
    }

    init(_ description: String, _ code: String? = nil) {
        self.description = description
        self.code = code
    }

    /// A server whose process is there, and which says nothing.
    init(silent server: KnownServer) {
        let pid = server.process.pid
        self.init(
            "The server at \(server.url) (pid \(pid)) runs and doesn't answer: `wizard restart` ends it and starts another. If somebody has stopped it, `kill -CONT \(pid)` lets it go on.",
            "not_answering"
        )
    }
}
