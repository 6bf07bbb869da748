/// Who may ask, and from where: pure decisions on facts that the server tells.
///
/// A trusted local user's browser is a process of that user like any other, so what a page from elsewhere makes it ask has to be
/// told from what the user asks: by `Host`, against names that were rebound to this machine, and by `Origin`, against requests
/// forged across sites.
struct AccessPolicy: Sendable {
    let token: [UInt8]?
    let trustsLocalUser: Bool
    let allowedHosts: Set<String>
    let allowedOrigins: Set<String>

    /// Checks that a request was meant for this server.
    func checkAddress(of request: APIRequest) throws(APIProblem) {
        guard request.headerCount("Host") == 1, let host = request.header("Host"), let name = HostName(host) else {
            throw .malformed("The request has no valid Host header, or several: send the server's name in one.")
        }
        guard name.isAddress || name.isLocal || allowedHosts.contains(name.text) else {
            throw APIProblem(
                403,
                "host_not_allowed",
                "The name in the Host header is not one of this server's: use its address, or allow the name where the server is started."
            )
        }
        guard let origin = request.header("Origin") else { return }
        guard isAllowed(origin, host: host) else {
            throw APIProblem(
                403,
                "origin_not_allowed",
                "A page from another origin asks, and this server takes no requests from there: allow the origin where the server is started."
            )
        }
    }

    /// Whether answers to an origin other than this server's say that a page may read them.
    func sharesAnswers(with origin: String) -> Bool { allowedOrigins.contains(origin) }

    private func isAllowed(_ origin: String, host: String) -> Bool {
        if allowedOrigins.contains(origin) { return true }
        // Which of the two schemes can't be told here: behind a proxy it is not this server's.
        let lowercased = host.lowercased()
        return ["http://", "https://"].contains { origin.lowercased() == $0 + lowercased }
    }

    /// As whom a request is taken. A token that is given is looked at, and a wrong one refused, whoever gives it. Credentials of
    /// other schemes are somebody else's, such as a proxy's.
    func identity(of request: APIRequest, sessions: SessionStore, at now: Int64) throws(APIProblem) -> APIIdentity {
        if let token, let given = request.header("Authorization").flatMap(Self.bearerToken) {
            guard Self.areEqual(Array(given.utf8), token) else {
                throw .unauthorized("The token is not this server's: see where the server keeps it.")
            }
            return .token
        }
        if trustsLocalUser, request.caller.isSameUser { return .localUser }
        if let cookie = request.header("Cookie"), sessions.isValid(cookie: cookie, at: now) { return .session }
        return .anonymous
    }

    static func bearerToken(in authorization: String) -> Substring? {
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard let scheme = parts.first, scheme.lowercased() == "bearer" else { return nil }
        return parts.count == 2 ? parts[1] : ""
    }

    /// Compares in a time that depends on the lengths alone, so that nothing can be learnt from how long a refusal takes.
    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard !right.isEmpty else { return false }
        var difference = left.count ^ right.count
        for index in left.indices { difference |= Int(left[index] ^ right[index % right.count]) }
        return difference == 0
    }
}

extension APIProblem {
    static func unauthorized(_ detail: String) -> APIProblem {
        APIProblem(401, "unauthorized", detail, headers: [APIHeader("WWW-Authenticate", "Bearer")])
    }
}
