import OperationHTTP
import OperationTracking
import ServiceControl

/// What the routes of services need to answer. The routes themselves stand in extensions, by what they are about.
struct ServiceRoutes: Sendable {
    let services: ServiceController
    let tracker: OperationTracker
    let meter = ProcessMeter()

    static let root = "/api/ports"

    /// All of them, with their description.
    var all: APIExtension {
        APIExtension(
            routes: readingRoutes + actingRoutes + registeringRoutes + selfHealRoutes,
            paths: OpenAPIDocument.servicePaths,
            schemas: OpenAPIDocument.serviceSchemas
        )
    }

    /// A route whose refusals are those of services.
    func route(
        _ method: String,
        _ path: String,
        _ answer: @escaping @Sendable (APICall) async throws -> APIResponse
    ) -> APIRoute {
        .later(method, path) { call in
            do {
                return try await answer(call)
            } catch let error as ServiceError {
                throw APIProblem(error)
            } catch is CancellationError {
                throw APIProblem(
                    409,
                    "cancelled",
                    "It was cancelled before it was done: look how the services are now."
                )
            }
        }
    }
}

extension APIProblem {
    /// What the controller of services refuses.
    init(_ error: ServiceError) {
        let status =
            switch error.code {
            case .unknownService: 404
            case .invalidService: 422
            case .notPermitted, .supervised: 403
            case .system, .closed: 503
            // Its state, or that of the machine, doesn't allow it.
            default: 409
            }
        let later = status == 503 ? [APIHeader("Retry-After", "5")] : []
        self.init(status, error.code.rawValue, error.message, headers: later)
    }
}

extension APIParameters {
    /// A service's name, whether there is such a service or not.
    func serviceName(_ key: String) throws(APIProblem) -> String { try requiredText(key, limit: 64) }

    func port(_ key: String) throws(APIProblem) -> UInt16? { try integer(key, in: 1...65535).map { UInt16($0) } }

    /// How long a service has until it answers.
    func timeout() throws(APIProblem) -> Duration? { try number("timeout", in: 1...600).map { .seconds($0) } }
}
