/// As whom a request is taken.
package enum APIIdentity: Sendable, Hashable {
    /// A process of the same user on this machine.
    case localUser
    /// Somebody with the token.
    case token
    /// Somebody who has traded the token for a cookie.
    case session
    /// Nobody in particular.
    case anonymous

    package func actor(at address: String) -> String {
        switch self {
        case .localUser: "http local user"
        case .token: "http token \(address)"
        case .session: "http session \(address)"
        case .anonymous: "http \(address)"
        }
    }
}
