import OperationTracking
import Synchronization

/// The cookies that were given for the token: they are known to this process only, and end after some hours.
final class SessionStore: Sendable {
    static let cookieName = "operation_session"
    /// How long a session lasts.
    static let lifetime: Duration = .seconds(12 * 3600)
    private static let limit = 1000

    /// When each ends, in monotonic nanoseconds.
    private let sessions = Mutex<[String: Int64]>([:])

    /// Makes a session. The oldest gives way where there are too many.
    ///
    /// - Parameter now: monotonic nanoseconds.
    /// - Returns: its secret.
    func make(at now: Int64) -> String {
        var generator = SystemRandomNumberGenerator()
        let secret = (0..<4).map { _ in Self.hexadecimal(generator.next()) }.joined()
        sessions.withLock { sessions in
            sessions = sessions.filter { $0.value > now }
            if sessions.count >= Self.limit, let oldest = sessions.min(by: { $0.value < $1.value }) {
                sessions[oldest.key] = nil
            }
            sessions[secret] = now + Self.lifetime.nanoseconds
        }
        return secret
    }

    func isValid(cookie header: String, at now: Int64) -> Bool {
        guard let secret = Self.secret(in: header) else { return false }
        return sessions.withLock { $0[secret].map { $0 > now } ?? false }
    }

    func end(cookie header: String) {
        guard let secret = Self.secret(in: header) else { return }
        sessions.withLock { _ = $0.removeValue(forKey: secret) }
    }

    /// The header that gives a browser its session: no script can read it, and no page from elsewhere makes the browser send it.
    static func cookie(_ secret: String, lifetime: Duration = lifetime) -> APIHeader {
        APIHeader(
            "Set-Cookie",
            "\(cookieName)=\(secret); Path=/; HttpOnly; SameSite=Strict; Max-Age=\(lifetime.components.seconds)"
        )
    }

    private static func secret(in header: String) -> String? {
        for pair in header.split(separator: ";") {
            let parts = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
            if parts.count == 2, parts[0] == cookieName { return String(parts[1]) }
        }
        return nil
    }

    private static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
