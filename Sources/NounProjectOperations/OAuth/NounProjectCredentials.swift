public import OperationTracking

/// A client's key and secret for the Noun Project's API, from https://thenounproject.com/developers.
///
/// Neither shows up in a description, a dump or a mirror, and there is no way to encode them.
public struct NounProjectCredentials: Sendable {
    let key: String
    let secret: String

    /// Takes a key and its secret.
    ///
    /// - Throws: `OperationFailure` (`unauthorized`) when one is empty, longer than 512 bytes, or holds a space or a control
    ///   character, as a copied one may.
    public init(key: String, secret: String) throws(OperationFailure) {
        for (text, name) in [(key, "key"), (secret, "secret")] {
            guard (1...512).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw OperationFailure(
                    .unauthorized,
                    "The Noun Project \(name) has 1 to 512 letters, digits or signs without spaces. \(Self.advice)"
                )
            }
        }
        self.key = key
        self.secret = secret
    }

    /// Takes them from `NOUNPROJECT_API_KEY` and `NOUNPROJECT_API_SECRET`.
    ///
    /// - Throws: `OperationFailure` (`unauthorized`) when one is missing or can't be one.
    public init(environment: [String: String]) throws(OperationFailure) {
        for name in ["NOUNPROJECT_API_KEY", "NOUNPROJECT_API_SECRET"] where (environment[name] ?? "").isEmpty {
            throw OperationFailure(.unauthorized, "\(name) is not set. \(Self.advice)")
        }
        try self.init(
            key: environment["NOUNPROJECT_API_KEY"] ?? "",
            secret: environment["NOUNPROJECT_API_SECRET"] ?? ""
        )
    }

    static let advice =
        "Get a key and its secret at https://thenounproject.com/developers and set NOUNPROJECT_API_KEY and NOUNPROJECT_API_SECRET."
}

extension NounProjectCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// That they are hidden.
    public var description: String { "Noun Project credentials (hidden)" }
    /// That they are hidden.
    public var debugDescription: String { description }
    /// Nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension NounProjectCredentials {
    /// The `Authorization` of a request without a user's token (RFC 5849, sections 3.1 and 3.5.1).
    ///
    /// - Parameters:
    ///   - method: the request's method.
    ///   - url: the request's URL without its query, in the form that is signed.
    ///   - query: the query's parameters, not encoded.
    ///   - timestamp: seconds since 1970.
    ///   - nonce: at least 8 characters that were never used with this timestamp.
    func authorization(
        _ method: String,
        _ url: String,
        query: [OAuthSignature.Parameter],
        timestamp: Int64,
        nonce: String
    ) -> Authorization {
        typealias Parameter = OAuthSignature.Parameter
        var fields = [
            Parameter("oauth_consumer_key", key),
            Parameter("oauth_nonce", nonce),
            Parameter("oauth_signature_method", "HMAC-SHA1"),
            Parameter("oauth_timestamp", String(timestamp)),
            Parameter("oauth_version", "1.0"),
        ]
        let signature = OAuthSignature(method: method, url: url, parameters: query + fields)
        let code = signature.hmacSHA1(clientSecret: secret)
        fields.append(Parameter("oauth_signature", code))
        return Authorization(
            field: "OAuth " + fields.map { "\($0.name)=\"\($0.value.oauthEncoded)\"" }.joined(separator: ", "),
            secrets: [key, secret, nonce, code].flatMap(Self.spellings)
        )
    }

    /// What a request is signed with.
    struct Authorization {
        /// The value of the `Authorization` field.
        var field: String
        /// What of it must not be shown, in every form that it may come back in, in lower case.
        var secrets: [String]
    }

    /// A text as it is, as it is in a query, and as it is in what is signed.
    private static func spellings(_ text: String) -> Set<String> {
        Set([text, text.oauthEncoded, text.oauthEncoded.oauthEncoded].map { $0.lowercased() })
    }

    /// 128 bits of chance as 32 hexadecimal digits.
    static func nonce() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let digits = String(generator.next(), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
