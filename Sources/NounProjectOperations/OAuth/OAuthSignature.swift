#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What a request is signed over, as OAuth 1.0a has it (RFC 5849, section 3.4): a pure value.
struct OAuthSignature {
    /// A parameter, not encoded. One name may come several times.
    struct Parameter: Hashable, Sendable {
        var name: String
        var value: String

        init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The method, such as `GET`.
    var method: String
    /// The URL without query and fragment, its scheme and host in lower case, without the scheme's own port (section 3.4.1.2).
    var url: String
    /// All parameters of the query, of a form in the body, and of OAuth but for the signature and the realm.
    var parameters: [Parameter]

    /// The parameters in one line: each encoded, then sorted by name and by value, byte by byte (section 3.4.1.3.2).
    var normalizedParameters: String {
        parameters
            .map { (name: $0.name.oauthEncoded, value: $0.value.oauthEncoded) }
            .sorted { ($0.name, $0.value) < ($1.name, $1.value) }
            .map { "\($0.name)=\($0.value)" }
            .joined(separator: "&")
    }

    /// What is signed (section 3.4.1.1).
    var baseString: String {
        [method.uppercased(), url, normalizedParameters].map(\.oauthEncoded).joined(separator: "&")
    }

    /// The signature by HMAC-SHA1, in Base64 (section 3.4.2).
    ///
    /// - Parameters:
    ///   - clientSecret: the client's shared secret.
    ///   - tokenSecret: the token's; empty where there is no token.
    func hmacSHA1(clientSecret: String, tokenSecret: String = "") -> String {
        let key = "\(clientSecret.oauthEncoded)&\(tokenSecret.oauthEncoded)"
        return Data(HMACSHA1.code(for: Array(baseString.utf8), key: Array(key.utf8))).base64EncodedString()
    }
}
