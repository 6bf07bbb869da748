#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking

extension APIProblem {
    /// The operation is in the history that this process shares with another, which runs it.
    static let runElsewhere = APIProblem(
        409,
        "run_elsewhere",
        "Another process runs the operation: ask the server of that process."
    )

    static func hasEnded(as status: OperationStatus) -> APIProblem {
        APIProblem(
            409,
            "invalid_transition",
            "The operation is \(status.rawValue): it has ended and can't change any more."
        )
    }
}

/// What routes need to answer. The routes themselves stand in extensions, by what they are about.
struct APIContext: Sendable {
    let tracker: OperationTracker
    let runner: OperationRunner?
    let hub: EventHub
    let sessions: SessionStore
    let limits: OperationAPI.Configuration
    let encodedHost = EncodedHost()

    var routes: [APIRoute] {
        [
            readingRoutes, reportingRoutes, controlRoutes, runRoutes, streamRoutes, historyRoutes, resourceRoutes,
            selfHealRoutes, sessionRoutes, metricsRoutes,
        ].flatMap(\.self)
    }

    static let root = "/api/ports/operations"

    /// The operation's id in the path.
    func id(in call: APICall) throws(APIProblem) -> OperationID {
        let text = call.captures["id"] ?? ""
        guard let id = OperationID(rawValue: text) else {
            throw .notFound("No operation has such an id: it is op_ and 1 to 60 letters, digits, _ or -.")
        }
        return id
    }

    /// What there is to say of an operation that this tracker doesn't know.
    func record(ofUnknown id: OperationID) async throws -> OperationRecord {
        if let record = tracker.currentRecord(id) { return record }
        guard let record = try await tracker.history?.record(id) else {
            throw APIProblem(
                404,
                "unknown_operation",
                "No operation has the id \(id): list the operations to see which exist."
            )
        }
        return record.read(at: now)
    }

    /// The tracker's time.
    var now: Date { Date(milliseconds: tracker.clock.wallMilliseconds) }
}
