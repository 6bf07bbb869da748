import OperationTransfer

/// Asks a service how it is.
struct HealthCheck: Sendable {
    let transport: any HTTPTransport
    /// How long an answer may take.
    let limit: Duration

    /// What a service answered: anything below 400 is well.
    enum Answer: Hashable, Sendable {
        case well
        case ill(String)
    }

    func answer(of url: String) async -> Answer {
        let request = HTTPRequest(url: url, timeouts: HTTPTimeouts(connect: limit, total: limit))
        do {
            let response = try await transport.send(request)
            // The answer's head says it; letting go of the body closes the connection.
            return response.status < 400 ? .well : .ill("its health endpoint answers with status \(response.status)")
        } catch {
            return .ill("its health endpoint doesn't answer: \(error)")
        }
    }
}
