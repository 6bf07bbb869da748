public import OperationTracking

/// The HTTP API of a tracker as a value: a request in, an answer or an event stream out. It opens no socket and waits for
/// nobody's bytes, so any server can carry it; `OperationServer` is one.
///
/// ```swift
/// let api = OperationAPI(tracker: tracker, runner: runner)
/// let answer = await api.respond(to: APIRequest(method: "GET", target: "/api/ports/operations/summary", …))
/// ```
///
/// A server that has no task for each request asks with ``answer(to:)``: what needs no waiting, and that is nearly everything, is
/// answered on the spot.
public final class OperationAPI: Sendable {
    /// What an API can be told when it is made.
    public struct Configuration: Sendable {
        /// What opens the API to everybody who is not a trusted local user; `nil` when nothing does.
        public var token: String?
        /// Whether a process of the same user on this machine needs no token.
        public var trustsLocalUser = true
        /// Names under which the server may be asked, beside its addresses and `localhost`: in lower case, without a port.
        public var allowedHosts: Set<String> = []
        /// Origins whose pages may ask and read the answers (CORS), such as `https://example.org`; none by default.
        public var allowedOrigins: Set<String> = []
        /// How many bytes a body may have.
        public var maximumBodyBytes = 1 << 20
        /// How many operations may be active for a client to start one more.
        public var maximumActiveOperations = 10_000
        /// The types of operations that HTTP may have this server run; `nil` for those whose providers say so.
        public var startableTypes: Set<OperationType>?
        /// When work that HTTP has this server run is tried again after a failure.
        public var retry = RetryPolicy()
        /// How many event streams may be open at a time.
        public var maximumStreams = 4096
        /// How long updates are gathered before they are sent, so that nobody is told more than five times a second.
        public var streamInterval: Duration = .milliseconds(200)
        /// After how long a stream gets a comment, so that it isn't taken for dead.
        public var heartbeat: Duration = .seconds(15)
        /// What the ids of events begin with: another one for each run of a server. `nil` for one drawn at random.
        public var run: String?

        /// Makes the usual configuration.
        public init() {}
    }

    /// The version of what there is to be asked, as the description has it.
    package static let version = "1.0.0"

    /// Where the operations are tracked.
    public let tracker: OperationTracker
    /// Who runs what clients ask for; `nil` when they can only report work of their own.
    public let runner: OperationRunner?
    /// As it was given.
    public let configuration: Configuration

    let sessions = SessionStore()
    let hub: EventHub
    private let access: AccessPolicy
    private let table: RouteTable

    /// Makes an API.
    ///
    /// - Parameters:
    ///   - tracker: whose operations are shown.
    ///   - runner: who runs what clients ask for, with its providers; `nil` when there is none.
    ///   - assets: files that are served as they are.
    ///   - configuration: who may ask, and how much.
    public convenience init(
        tracker: OperationTracker,
        runner: OperationRunner? = nil,
        assets: [APIAsset] = [],
        configuration: Configuration = Configuration()
    ) {
        self.init(tracker: tracker, runner: runner, assets: assets, adding: nil, configuration: configuration)
    }

    /// - Parameter more: the routes of another module.
    package init(
        tracker: OperationTracker,
        runner: OperationRunner? = nil,
        assets: [APIAsset] = [],
        adding more: APIExtension?,
        configuration: Configuration = Configuration()
    ) {
        self.tracker = tracker
        self.runner = runner
        self.configuration = configuration
        access = AccessPolicy(
            token: configuration.token.map { Array($0.utf8) },
            trustsLocalUser: configuration.trustsLocalUser,
            allowedHosts: configuration.allowedHosts,
            allowedOrigins: configuration.allowedOrigins
        )
        hub = EventHub(
            tracker,
            run: configuration.run ?? String(UInt64.random(in: 1 << 40..<1 << 41), radix: 36),
            interval: configuration.streamInterval,
            heartbeat: configuration.heartbeat,
            limit: configuration.maximumStreams
        )
        let context = APIContext(
            tracker: tracker,
            runner: runner,
            hub: hub,
            sessions: sessions,
            limits: configuration
        )
        let own = [DescriptionRoute.route(more)] + context.routes
        let added = (more?.routes ?? []).map { [hub] in $0.refused(while: hub) }
        table = RouteTable(assets.map(\.route) + own + added)
    }

    /// What there is to be asked.
    package var routes: [APIRoute] { table.all }

    deinit { hub.close() }

    /// Whether there is anything at the path of a request's target, whatever its method: for services that have routes of their
    /// own beside the API's.
    public func serves(_ target: String) -> Bool {
        guard let target = try? RequestTarget(target), let match = try? table.match("GET", target) else { return false }
        if case .none = match { return false }
        return true
    }

    /// Takes no more work: whoever wants to begin an operation is told to come back later, and `/health` says that the server is
    /// stopping. What runs can still be reported on, watched and cancelled. Call it first when a service ends.
    public func stopTakingWork() { hub.stop() }

    /// Ends all event streams once they have sent what there is. Closing the tracker does so, too, after the last endings.
    public func close() { hub.close() }

    /// Answers a request.
    public func respond(to request: APIRequest) async -> APIResponse {
        switch answer(to: request) {
        case .now(let response): response
        case .later(let response): await response()
        }
    }

    /// Answers a request at once where that needs no waiting.
    public func answer(to request: APIRequest) -> APIAnswer {
        switch admit(request) {
        case .answered(let response): .now(response)
        case .admitted(let call, let route): answer(call, route)
        }
    }

    private func answer(_ call: APICall, _ route: APIRoute) -> APIAnswer {
        do {
            if let response = try route.now?(call) { return .now(finish(response, to: call.request)) }
        } catch {
            return .now(finish(APIProblem(error).response, to: call.request))
        }
        guard let later = route.later else { return .now(finish(APIProblem.stopping.response, to: call.request)) }
        return .later { [self] in
            do {
                return finish(try await later(call), to: call.request)
            } catch {
                return finish(APIProblem(error).response, to: call.request)
            }
        }
    }
}

extension OperationAPI {
    private enum Admission {
        case answered(APIResponse)
        case admitted(APICall, APIRoute)
    }

    /// The refusal of a request of which only the head is there: because of its path, its method, or who asks. A server need not
    /// read the body of such a request; ``respond(to:)`` would refuse it in the same words. `nil` where the body counts.
    public func refuse(head request: APIRequest) -> APIResponse? {
        var request = request
        request.body = []
        do {
            guard request.method != "OPTIONS" else { return nil }
            _ = try find(&request)
            return nil
        } catch {
            return finish(APIProblem(error).response, to: request)
        }
    }

    /// Checks a request as far as that is the same for all routes.
    private func admit(_ request: APIRequest) -> Admission {
        var request = request
        do {
            if request.method == "OPTIONS", request.target == "*" {
                try access.checkAddress(of: request)
                return .answered(finish(Self.optionsOfAll, to: request))
            }
            let found = try find(&request)
            guard case .route(let route, let captures) = found.match else {
                return .answered(finish(try answer(request, without: found.match), to: request))
            }
            let parameters = try APIParameters(body: body(of: request), query: found.target.query)
            let call = APICall(request: request, captures: captures, parameters: parameters, identity: found.identity)
            return .admitted(call, route)
        } catch {
            return .answered(finish(APIProblem(error).response, to: request))
        }
    }

    private struct Found {
        let target: RequestTarget
        let match: RouteTable.Match
        let identity: APIIdentity
    }

    /// Finds out what is asked for and by whom, which takes the head alone.
    private func find(_ request: inout APIRequest) throws(APIProblem) -> Found {
        let target = try RequestTarget(request.target)
        if let host = target.host { request.replaceHost(by: host) }
        let match = try table.match(request.method, target)
        guard case .route(let route, _) = match else {
            try access.checkAddress(of: request)
            if request.method != "OPTIONS" { _ = try answer(request, without: match) }
            return Found(target: target, match: match, identity: .anonymous)
        }
        // A load balancer that asks for the health names the server as it likes.
        if route.path != "/health" { try access.checkAddress(of: request) }
        // What anyone may ask needs no credentials, so it makes no difference that some are out of date.
        guard route.access != .open else { return Found(target: target, match: match, identity: .anonymous) }
        let identity = try access.identity(
            of: request,
            sessions: sessions,
            at: tracker.clock.monotonicNanoseconds
        )
        guard identity != .anonymous else {
            throw .unauthorized("Who asks is not known: send the server's token as Authorization: Bearer.")
        }
        return Found(target: target, match: match, identity: identity)
    }

    /// What can be asked of the server as a whole (RFC 9110, 9.3.7).
    private static let optionsOfAll = APIResponse(
        status: 204,
        headers: [APIHeader("Allow", "DELETE, GET, HEAD, OPTIONS, POST")]
    )

    private func answer(_ request: APIRequest, without match: RouteTable.Match) throws(APIProblem) -> APIResponse {
        guard case .otherMethods(let methods) = match else {
            throw .notFound("There is nothing at this path: /openapi.yaml lists what there is.")
        }
        let allow = APIHeader("Allow", methods.joined(separator: ", "))
        guard request.method == "OPTIONS" else {
            throw APIProblem(405, "method_not_allowed", "This path takes \(allow.value) only.", headers: [allow])
        }
        var answer = APIResponse(status: 204, headers: [allow])
        if let origin = request.header("Origin"), access.sharesAnswers(with: origin),
            request.header("Access-Control-Request-Method") != nil
        {
            answer.headers += [
                APIHeader("Access-Control-Allow-Methods", allow.value),
                APIHeader("Access-Control-Allow-Headers", "Authorization, Content-Type, If-None-Match, Last-Event-ID"),
                APIHeader("Access-Control-Max-Age", "600"),
            ]
        }
        return answer
    }

    /// The body as JSON; `nil` when there is none, whatever its type is said to be.
    private func body(of request: APIRequest) throws(APIProblem) -> JSONValue? {
        guard !request.body.isEmpty, request.method != "GET", request.method != "HEAD" else { return nil }
        guard request.body.count <= configuration.maximumBodyBytes else {
            throw .tooLarge(configuration.maximumBodyBytes)
        }
        let type = (request.header("Content-Type") ?? "").prefix { $0 != ";" && $0 != " " }.lowercased()
        // A page from elsewhere can send other types without asking first.
        guard type == "application/json" else {
            throw APIProblem(
                415,
                "unsupported_media_type",
                "The body's type is \(type.isEmpty ? "not given" : "not JSON"): send Content-Type: application/json."
            )
        }
        return try JSONReader.read(request.body)
    }

    /// What every answer has.
    private func finish(_ response: APIResponse, to request: APIRequest) -> APIResponse {
        var response = response
        response.headers.append(APIHeader("X-Content-Type-Options", "nosniff"))
        if let origin = request.header("Origin"), access.sharesAnswers(with: origin) {
            response.headers.append(APIHeader("Access-Control-Allow-Origin", origin))
            response.headers.append(APIHeader("Access-Control-Expose-Headers", "ETag, Retry-After"))
            response.headers.append(APIHeader("Vary", "Origin"))
        }
        return response
    }
}

extension APIProblem {
    static func tooLarge(_ limit: Int) -> APIProblem {
        APIProblem(413, "too_large", "The body has more than \(limit) bytes: send less at once.")
    }
}

extension OperationAPI {
    /// The refusal of a body that a server has not even read, because it is longer than
    /// ``Configuration/maximumBodyBytes``.
    ///
    /// - Parameter request: what there is of the request, which is its head.
    public func tooLargeResponse(to request: APIRequest) -> APIResponse {
        refusal(of: request, for: .tooLarge(configuration.maximumBodyBytes))
    }

    /// The refusal of a request that a server can't take.
    package func refusal(of request: APIRequest, for problem: APIProblem) -> APIResponse {
        finish(problem.response, to: request)
    }
}
