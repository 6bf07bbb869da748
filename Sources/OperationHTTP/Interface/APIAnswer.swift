/// What a request came to.
public enum APIAnswer: Sendable {
    /// The answer.
    case now(APIResponse)
    /// What has to be waited for: called once, it gives the answer.
    case later(@Sendable () async -> APIResponse)
}
