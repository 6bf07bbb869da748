import OperationTracking
import ServiceControl

/// How the server of a data directory is, and what holds its port.
enum ServerState: Sendable {
    case running(KnownServer, ServerHealth)
    /// Its process is there and doesn't answer.
    case silent(KnownServer)
    /// It doesn't run, and something else holds its port.
    case conflict(PortUse)
    case stopped

    /// - Parameters:
    ///   - data: the data directory.
    ///   - port: where it would listen; 0 for anywhere.
    /// - Throws: `ServiceError` when the system doesn't say who listens.
    init(data: String, port: UInt16) async throws {
        if let server = KnownServer.running(in: data) {
            self = await ServerClient(server).health().map { .running(server, $0) } ?? .silent(server)
        } else {
            let use = port == 0 ? nil : try PortScanner().use(of: port)
            self = use.flatMap { $0.isFree ? nil : .conflict($0) } ?? .stopped
        }
    }

    /// The one whose process is there.
    var server: KnownServer? {
        switch self {
        case .running(let server, _), .silent(let server): server
        case .conflict, .stopped: nil
        }
    }

    var name: String {
        switch self {
        case .running: "running"
        case .silent: "not_answering"
        case .conflict: "conflict"
        case .stopped: "stopped"
        }
    }
}
