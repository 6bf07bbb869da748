import OperationHTTP
import OperationServer
import OperationTracking
import TestSockets

/// A server with a tracker behind it, on a port of the system's choice.
struct TestService {
    let tracker: OperationTracker
    let api: OperationAPI
    let server: OperationServer

    init(
        token: String? = nil,
        trustsLocalUser: Bool = true,
        history: (any HistoryStore)? = nil,
        _ change: (inout OperationServer.Configuration) -> Void = { _ in },
        api changeAPI: (inout OperationAPI.Configuration) -> Void = { _ in }
    ) throws {
        tracker = OperationTracker(history: history)
        var apiConfiguration = OperationAPI.Configuration()
        apiConfiguration.token = token
        apiConfiguration.trustsLocalUser = trustsLocalUser
        changeAPI(&apiConfiguration)
        api = OperationAPI(tracker: tracker, configuration: apiConfiguration)
        var configuration = OperationServer.Configuration()
        change(&configuration)
        server = try OperationServer(api, configuration: configuration)
    }

    /// Runs a client's script over a new connection.
    func talk<Result: Sendable>(
        receiveBuffer: Int? = nil,
        _ script: @escaping @Sendable (TestClient) throws -> Result
    ) async throws -> Result {
        try await TestClient.talk(to: Int(server.port), receiveBuffer: receiveBuffer, script)
    }

    /// Asks once, over a connection of its own.
    func ask(_ method: String, _ target: String, headers: [String] = [], body: String? = nil) async throws
        -> TestResponse
    {
        try await talk { try $0.ask(method, target, headers: headers, body: body) }
    }

    func stop() async {
        await tracker.close()
        await server.stop()
    }
}

enum Target {
    static let operations = "/api/ports/operations"
    static let stream = operations + "/stream"
}
