/// Which answer belongs to a request: a value in, a value out.
struct Router: Sendable {
    let store: ModelStore

    func answer(method: String, path: String, body: [UInt8]) -> Answer {
        switch (method, path) {
        case ("POST", "/api/pull"): pull(body)
        case ("GET", "/api/tags"), ("HEAD", "/api/tags"): .whole(WholeAnswer(body: store.tags))
        case ("GET", "/api/version"), ("HEAD", "/api/version"): .whole(WholeAnswer(body: #"{"version":"0.32.15"}"#))
        case (_, "/api/pull"): .whole(.methodNotAllowed(allow: "POST"))
        case (_, "/api/tags"), (_, "/api/version"): .whole(.methodNotAllowed(allow: "GET, HEAD"))
        default: .whole(WholeAnswer(status: 404, contentType: "text/plain", body: "404 page not found"))
        }
    }

    private func pull(_ body: [UInt8]) -> Answer {
        do throws(PullRequest.Refusal) {
            let request = try PullRequest(body: body)
            return switch store.beginPull(of: request.model) {
            case .events(let events): .pull(of: request.model, events, streams: request.streams)
            case .whole(let answer): .whole(answer)
            }
        } catch {
            return .whole(.refusal(400, error.message))
        }
    }
}

extension WholeAnswer {
    fileprivate static func methodNotAllowed(allow: String) -> WholeAnswer {
        WholeAnswer(status: 405, contentType: "text/plain", allow: allow, body: "405 method not allowed")
    }
}
