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
    ///
    /// - Parameter attempts: how often that is tried. A server with little patience may close a connection on which a slow machine has
    ///   sent nothing yet.
    func talk<Result: Sendable>(
        receiveBuffer: Int? = nil,
        attempts: Int = 1,
        _ script: @escaping @Sendable (TestClient) throws -> Result
    ) async throws -> Result {
        do {
            return try await TestClient.talk(to: Int(server.port), receiveBuffer: receiveBuffer, script)
        } catch let error as SocketError where attempts > 1 && !error.isOverdue {
            return try await talk(receiveBuffer: receiveBuffer, attempts: attempts - 1, script)
        }
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
