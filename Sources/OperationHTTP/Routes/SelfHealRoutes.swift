import OperationTracking

/// The original's ways to start three kinds of work, whose answers are streams of progress. The work goes on if the client
/// leaves; whoever asks for what is running already is shown how that goes.
extension APIContext {
    var selfHealRoutes: [APIRoute] {
        let root = "/api/self-heal"
        return [
            .later("POST", root + "/ollama/pull", pull),
            .later("POST", root + "/nounproject/seed", seed),
            .later("POST", root + "/ok-setup", setUp),
        ]
    }

    private func pull(_ call: APICall) async throws -> APIResponse {
        let given = try call.parameters.parsed("model", limit: 512) { (model) throws(APIProblem) in
            guard !model.isEmpty else { throw .invalid("model is empty: send a model's name, such as llama3.2.") }
            return model
        }
        guard let model = given else { throw APIProblem.invalid("model is missing: send a string.") }
        let request = JSONValue.object([("model", .string(model))])
        return try await progress(of: request, .pullModel, ProgressText(running: "pulling"), call)
    }

    private func seed(_ call: APICall) async throws -> APIResponse {
        var members: [(key: String, value: JSONValue)] = []
        if let categories = try call.parameters.object("categories") { members.append(("categories", categories)) }
        if let number = try call.parameters.integer("per_term", in: 1...5) {
            members.append(("per_term", .integer(number)))
        }
        return try await progress(of: .object(members), .seed, ProgressText(running: "seeding"), call)
    }

    private func setUp(_ call: APICall) async throws -> APIResponse {
        try await progress(of: .object([]), .okSetup, ProgressText(running: "running"), call)
    }

    private func progress(
        of request: JSONValue,
        _ type: OperationType,
        _ text: ProgressText,
        _ call: APICall
    ) async throws -> APIResponse {
        let submitted = try await submit(request, of: type, call)
        let record = try await record(ofUnknown: submitted.id)
        return .events(try stream(of: record) { text.event(of: $0.operation, result: $0.result) })
    }
}
