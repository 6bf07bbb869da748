import OperationTracking

/// Work that this server does itself, through providers.
extension APIContext {
    var runRoutes: [APIRoute] {
        [
            .later("POST", Self.root + "/run", run),
            .now("GET", "/api/ports/providers", providers),
        ]
    }

    private func run(_ call: APICall) async throws -> APIResponse {
        let type = try operationType(in: call.parameters)
        let request = try call.parameters.object("request") ?? .object([])
        let priority = try call.parameters.choice("priority", of: OperationPriority.self) ?? .normal
        let submitted = try await submit(request, of: type, priority: priority, call)
        return .json(status: 202) { json in
            json.key("operation_id")
            json.value(submitted.id.rawValue)
            json.key("joined")
            json.value(submitted.hasJoined)
            json.key("warning")
            json.value(submitted.warning)
        }
    }

    /// Hands a request to the provider of a type, if HTTP may.
    func submit(
        _ request: JSONValue,
        of type: OperationType,
        priority: OperationPriority = .normal,
        _ call: APICall
    ) async throws -> SubmittedOperation<any Sendable> {
        guard !hub.isStopping else { throw APIProblem.stopping }
        guard let runner, let traits = runner.providers.traits(of: type) else {
            let why = runner?.providers.missing[type] ?? "GET /api/ports/providers lists those that it has."
            throw APIProblem(404, "unknown_provider", "This server has no provider for \(type): \(why)")
        }
        guard mayStart(type, traits) else {
            throw APIProblem(
                403,
                "not_startable",
                "\(type) may not be started over HTTP: start it from the command line, or allow it where the server is configured."
            )
        }
        let options = OperationRunner.Options(priority: priority, retry: limits.retry, startedBy: call.actor)
        return try await runner.submit(json: request.bytes, of: type, options: options)
    }

    private func mayStart(_ type: OperationType, _ traits: ProviderTraits) -> Bool {
        limits.startableTypes?.contains(type) ?? traits.mayBeStartedOverHTTP
    }

    private func providers(_ call: APICall) -> APIResponse {
        var json = JSONWriter(capacity: 1024)
        json.beginObject()
        json.key("providers")
        json.beginArray()
        for type in runner?.providers.types ?? [] {
            guard let provider = runner?.providers.description(of: type) else { continue }
            json.beginObject()
            json.key("operation_type")
            json.value(type.rawValue)
            json.key("may_be_started")
            json.value(mayStart(type, provider.traits))
            json.key("pausing")
            json.value(provider.traits.pausing.rawValue)
            json.key("resume_cost")
            json.value(provider.traits.resumeCost)
            json.key("is_unique")
            json.value(provider.traits.isUnique)
            json.key("is_throttleable")
            json.value(provider.traits.isThrottleable)
            json.key("unit")
            json.value(provider.unit.rawValue)
            json.key("request_example")
            json.embed(provider.exampleRequest)
            json.endObject()
        }
        json.endArray()
        json.key("missing")
        json.beginArray()
        for (type, reason) in runner?.providers.missing.sorted(by: { $0.key < $1.key }) ?? []
        where limits.startableTypes?.contains(type) ?? true {
            json.beginObject()
            json.key("operation_type")
            json.value(type.rawValue)
            json.key("reason")
            json.value(reason)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return .list(json.bytes, to: call.request)
    }
}
