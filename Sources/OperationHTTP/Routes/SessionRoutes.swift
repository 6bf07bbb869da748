import OperationTracking

/// A browser's `EventSource` can't send a token, but it sends cookies: the page trades one for the other.
extension APIContext {
    var sessionRoutes: [APIRoute] {
        [
            .now("POST", "/api/session", startSession),
            .now("DELETE", "/api/session", access: .open, endSession),
        ]
    }

    private func startSession(_ call: APICall) -> APIResponse {
        let needsCookie = call.identity == .token
        var answer = APIResponse.json { json in
            json.key("authenticated")
            json.value(true)
            json.key("expires_in_seconds")
            json.value(needsCookie ? SessionStore.lifetime.components.seconds : nil)
        }
        if needsCookie {
            answer.headers.append(SessionStore.cookie(sessions.make(at: tracker.clock.monotonicNanoseconds)))
        }
        return answer
    }

    private func endSession(_ call: APICall) -> APIResponse {
        if let cookie = call.request.header("Cookie") { sessions.end(cookie: cookie) }
        return APIResponse(status: 204, headers: [SessionStore.cookie("", lifetime: .zero)])
    }
}
