import OperationTracking

/// The events of a data directory's server, over losses of the connection and restarts of the server.
struct ServerFeed {
    enum Step: Sendable {
        case event(ServerEvent)
        /// The connection is lost. What comes next follows on what was seen, or is a snapshot.
        case lost
    }

    private let data: String
    private(set) var client: ServerClient
    private var reader: EventReader
    /// The one operation that it is about; all when `nil`.
    private let id: OperationID?
    private var isLost = false

    /// How long a server that has gone away is looked for.
    static let patience: Duration = .seconds(30)
    private static let interval: Duration = .milliseconds(500)

    /// Opens the stream. What happens after that is told.
    init(_ client: ServerClient, in data: String, of id: OperationID? = nil) async throws {
        self.client = client
        self.data = data
        self.id = id
        reader = try await client.events(of: id)
    }

    /// The next step. A server that is silent for ``EventReader/silence`` is lost, too.
    ///
    /// - Throws: ``ServerProblem`` when the server is gone for good, or doesn't answer any more; `CancellationError`.
    mutating func next() async throws -> Step {
        if isLost {
            try await reconnect()
            isLost = false
        }
        do {
            if let event = try await reader.next() { return .event(event) }
        } catch is DecodingError {
            throw ServerProblem("The server at \(client.server.url) speaks another version of the protocol.")
        } catch {
            try Task.checkCancellation()
        }
        isLost = true
        return .lost
    }

    private mutating func reconnect() async throws {
        let clock = SystemTrackingClock()
        let deadline = clock.monotonicNanoseconds + Self.patience.nanoseconds
        while clock.monotonicNanoseconds < deadline {
            // It may be another one by now, at another port.
            if let server = KnownServer.running(in: data) {
                let next = ServerClient(server)
                if await next.health() != nil, let reader = try? await next.events(of: id, after: reader.lastID) {
                    (client, self.reader) = (next, reader)
                    return
                }
            }
            try await Task.sleep(for: Self.interval)
        }
        if let server = KnownServer.running(in: data) { throw ServerProblem(silent: server) }
        throw ServerProblem(
            "The server on \(data) is gone, and did not come back within \(Int(Self.patience.seconds)) s."
        )
    }
}
