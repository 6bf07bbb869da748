/// One thing that can be asked for: a method, a path, who may, and what answers.
///
/// Another module adds routes of its own when an ``OperationAPI`` is made; each has to stand in its part of the API's
/// description, too.
package struct APIRoute: Sendable {
    package enum Access: Sendable {
        /// Anyone may.
        case open
        /// Whoever is trusted, or has the token.
        case authorized
    }

    package var method: String
    /// The path; a part in braces, such as `{id}`, stands for any one part.
    package var path: String
    package var access: Access
    /// Answers at once; `nil` when it has to be answered by `later`.
    let now: (@Sendable (APICall) throws -> APIResponse?)?
    /// Answers what takes waiting.
    let later: (@Sendable (APICall) async throws -> APIResponse)?

    /// A route that is always answered at once.
    package static func now(
        _ method: String,
        _ path: String,
        access: Access = .authorized,
        _ answer: @escaping @Sendable (APICall) throws -> APIResponse
    ) -> APIRoute {
        APIRoute(method: method, path: path, access: access, now: answer, later: nil)
    }

    /// The same, which changes nothing any more once the server is stopping.
    func refused(while hub: EventHub) -> APIRoute {
        guard method != "GET", let later else { return self }
        return .later(method, path, access: access, now: now) { call in
            guard !hub.isStopping else { throw APIProblem.stopping }
            return try await later(call)
        }
    }

    /// A route that has to wait for something; `now` answers where it need not.
    package static func later(
        _ method: String,
        _ path: String,
        access: Access = .authorized,
        now: (@Sendable (APICall) throws -> APIResponse?)? = nil,
        _ answer: @escaping @Sendable (APICall) async throws -> APIResponse
    ) -> APIRoute {
        APIRoute(method: method, path: path, access: access, now: now, later: answer)
    }
}

/// One request on its way to its route: checked, and read as far as all routes need it.
package struct APICall: Sendable {
    package let request: APIRequest
    /// What the parts in braces stand for.
    package let captures: [String: String]
    package let parameters: APIParameters
    package let identity: APIIdentity

    /// What the audit log calls the one who asks.
    package var actor: String { identity.actor(at: request.caller.address) }
}

/// The routes of another module, with their part of the API's description.
package struct APIExtension: Sendable {
    let routes: [APIRoute]
    /// YAML: keys of `paths`, indented by two spaces.
    let paths: String
    /// YAML: keys of `components/schemas`, indented by four spaces.
    let schemas: String

    package init(routes: [APIRoute], paths: String, schemas: String) {
        self.routes = routes
        self.paths = paths
        self.schemas = schemas
    }
}
