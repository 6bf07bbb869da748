import OperationTracking

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Hands work to the server that runs on a data directory, and shows how it goes there.
struct HandOver: Sendable {
    let data: String
    let json: Bool
    /// Whether the work is left to the server once it has it.
    let isDetached: Bool

    init(_ options: ParsedOptions, data: String) {
        self.data = data
        json = options.has("json")
        isDetached = options.has("detach")
    }

    /// Has the server do the work, where there is one that takes it.
    ///
    /// - Parameters:
    ///   - request: what is asked for.
    ///   - provider: who does it there.
    ///   - obstacle: why this server can't do what was asked for; `nil` when it can.
    ///   - report: tells a person of the result.
    /// - Returns: `nil` when the work is to be done here.
    func run<Provider: OperationProvider>(
        _ request: Provider.Request,
        with provider: Provider.Type,
        obstacle: (KnownServer) -> String? = { _ in nil },
        report: @escaping @Sendable (Provider.Output) -> Void = { _ in }
    ) async throws -> ExitCode? {
        guard let server = KnownServer.running(in: data) else { return try here("no server runs on \(data)") }
        let client = ServerClient(server)
        guard let health = await client.health() else {
            let why = "the server at \(server.url) (pid \(server.process.pid)) doesn't answer"
            if isDetached { throw ServerProblem(silent: server) }
            let code = try here(why)
            Console.error("wizard: \(why), so this is done here; `wizard restart` starts another.")
            return code
        }
        if health.status == "stopping" { return try here("the server is stopping") }
        if let why = obstacle(client.server) { return try here(why) }
        do {
            guard !isDetached else { return try await leave(request, of: Provider.operationType, to: client) }
            let watched = WatchedOperation(data: data, json: json)
            let operation = try await watched.run(request, of: Provider.operationType, with: client)
            if !json, operation.status == .completed, let output: Provider.Output = await output(of: operation.id) {
                report(output)
            }
            return operation.status.exitCode
        } catch let problem as ServerProblem where ["unknown_provider", "not_startable"].contains(problem.code) {
            return try here("the server doesn't take this kind of work")
        } catch let problem as ServerProblem where problem.code == "invalid_value" {
            throw UsageError(problem.description)
        }
    }

    /// The work is done by this program, unless that was ruled out.
    private func here(_ why: String) throws -> ExitCode? {
        if isDetached { throw UsageError("--detach leaves the work to a server, and \(why).") }
        return nil
    }

    private func leave(
        _ request: some Encodable,
        of type: OperationType,
        to client: ServerClient
    ) async throws -> ExitCode {
        let answer = try await client.submit(request, of: type)
        if json {
            Console.json(answer.json)
        } else {
            let (id, url) = (answer.operationID, client.server.url)
            let what = answer.hasJoined ? "It is being done there already" : "The server at \(url) does it"
            Console.line("\(what), as \(id).\n`wizard operations --watch` shows it, `wizard cancel \(id)` ends it.")
        }
        return .done
    }

    private func output<Output: Decodable>(of id: OperationID) async -> Output? {
        guard let client = await ServerClient.find(in: data), let bytes = try? await client.operation(id) else {
            return nil
        }
        // With the keys as they are: a result has its own.
        return try? JSONDecoder().decode(FinishedWork<Output>.self, from: Data(bytes)).result
    }
}

/// What has come of an operation.
private struct FinishedWork<Output: Decodable>: Decodable {
    let result: Output?
}

/// What a server says to work that it has taken.
struct SubmittedWork {
    fileprivate struct Fields: Decodable {
        let operationId: OperationID
        let joined: Bool
        let warning: String?
    }

    let operationID: OperationID
    let hasJoined: Bool
    let warning: String?
    let json: [UInt8]
}

extension ServerClient {
    /// Hands over a request.
    ///
    /// - Throws: ``ServerProblem``: `unknown_provider`, `not_startable`, and what the request has wrong.
    func submit(_ request: some Encodable, of type: OperationType) async throws -> SubmittedWork {
        var json = JSONWriter(capacity: 1024)
        json.beginObject()
        json.key("operation_type")
        json.value(type.rawValue)
        json.key("request")
        json.embed([UInt8](try JSONEncoder().encode(request)))
        json.endObject()
        let bytes = try await post(Self.operations + "/run", json.bytes)
        let fields = try Wire.read(SubmittedWork.Fields.self, from: bytes)
        return SubmittedWork(
            operationID: fields.operationId,
            hasJoined: fields.joined,
            warning: fields.warning,
            json: bytes
        )
    }
}
