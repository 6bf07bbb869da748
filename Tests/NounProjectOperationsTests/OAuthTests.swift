import Foundation
import OperationTracking
import Testing

@testable import NounProjectOperations

struct OAuthTests {
    private typealias Parameter = OAuthSignature.Parameter

    @Test func everythingButUnreservedCharactersIsEncoded() {
        let unreserved = "ABCXYZabcxyz0189-._~"
        #expect(unreserved.oauthEncoded == unreserved)
        #expect("!'()*".oauthEncoded == "%21%27%28%29%2A")
        #expect("arrow left+%/é😀\u{0}".oauthEncoded == "arrow%20left%2B%25%2F%C3%A9%F0%9F%98%80%00")
        #expect("".oauthEncoded == "")
    }

    /// RFC 5849, section 3.4.1.1: a query, a form, names that come twice, an empty value.
    @Test func theBaseStringIsThatOfTheRFC() {
        let signature = OAuthSignature(
            method: "post",
            url: "http://example.com/request",
            parameters: [
                Parameter("b5", "=%3D"), Parameter("a3", "a"), Parameter("c@", ""), Parameter("a2", "r b"),
                Parameter("oauth_consumer_key", "9djdj82h48djs9d2"), Parameter("oauth_token", "kkk9d7dh3k39sjv7"),
                Parameter("oauth_signature_method", "HMAC-SHA1"), Parameter("oauth_timestamp", "137131201"),
                Parameter("oauth_nonce", "7d8f3e4a"), Parameter("c2", ""), Parameter("a3", "2 q"),
            ]
        )
        #expect(
            signature.baseString == "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q"
                + "%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2"
                + "%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201"
                + "%26oauth_token%3Dkkk9d7dh3k39sjv7"
        )
    }

    /// The photographs of RFC 5849, section 1.2, and of OAuth Core 1.0, appendix A.5.
    @Test(arguments: [
        (137_131_202, "chapoH", nil, "MdpQcU8iPSUjWoN/UDMsK2sui9I="),
        (1_191_242_096, "kllo9940pd9333jh", "1.0", "tR3+Ty81lMeYAr/Fid0kMTYa/WM="),
    ])
    func theSignaturesAreThoseOfTheSpecifications(timestamp: Int, nonce: String, version: String?, expected: String) {
        var signature = OAuthSignature(
            method: "GET",
            url: "http://photos.example.net/photos",
            parameters: [
                Parameter("file", "vacation.jpg"), Parameter("size", "original"),
                Parameter("oauth_consumer_key", "dpf43f3p2l4k3l03"), Parameter("oauth_token", "nnch734d00sl2jdk"),
                Parameter("oauth_signature_method", "HMAC-SHA1"), Parameter("oauth_timestamp", "\(timestamp)"),
                Parameter("oauth_nonce", nonce),
            ]
        )
        if let version { signature.parameters.append(Parameter("oauth_version", version)) }
        #expect(signature.hmacSHA1(clientSecret: "kd94hf93k423kf44", tokenSecret: "pfkkdhi9sl3r4s00") == expected)
    }

    /// RFC 2202, section 3: a short key, and one that is longer than a block.
    @Test func theCodesAreThoseOfTheRFC() {
        let code = HMACSHA1.code(for: Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
        #expect(hex(code) == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
        let message = Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)
        let long = HMACSHA1.code(for: message, key: Array(repeating: 0xAA, count: 80))
        #expect(hex(long) == "aa4ae5e15272d00e95705637ce8a3b55ed402112")
    }

    @Test func randomRequestsAreSignedAsOauthlibDoes() throws {
        struct Case: Decodable {
            var url: String
            var parameters: [[String]]
            var client_secret, token_secret, base_string, signature: String
        }
        let url = try #require(
            Bundle.module.url(forResource: "oauth_cases", withExtension: "json", subdirectory: "Fixtures")
        )
        let cases = try JSONDecoder().decode([Case].self, from: Data(contentsOf: url))
        #expect(cases.count == 100)
        for item in cases {
            let signature = OAuthSignature(
                method: "GET",
                url: item.url,
                parameters: item.parameters.map { Parameter($0[0], $0[1]) }
            )
            #expect(signature.baseString == item.base_string)
            #expect(
                signature.hmacSHA1(clientSecret: item.client_secret, tokenSecret: item.token_secret) == item.signature
            )
        }
    }

    @Test func noncesDontRepeat() {
        let nonces = (0..<1000).map { _ in NounProjectCredentials.nonce() }
        #expect(Set(nonces).count == 1000)
        #expect(nonces.allSatisfy { $0.utf8.count == 32 && $0.allSatisfy(\.isHexDigit) })
    }

    @Test func theHeaderHasTheParametersAndNotTheSecret() throws {
        let credentials = try NounProjectCredentials(key: "the-key", secret: "the-secret")
        let header = credentials.authorization(
            "GET",
            "https://api.thenounproject.com/v2/icon",
            query: [Parameter("query", "arrow left")],
            timestamp: 137_131_202,
            nonce: "chapoHchapoH"
        ).field
        #expect(header.hasPrefix("OAuth oauth_consumer_key=\"the-key\", "))
        #expect(header.contains("oauth_timestamp=\"137131202\""))
        #expect(!header.contains("the-secret"))
        #expect(!header.contains("query"))
    }

    @Test func credentialsShowNothing() throws {
        let credentials = try NounProjectCredentials(key: "the-key", secret: "the-secret")
        var dumped = ""
        dump(["in": credentials], to: &dumped)
        for text in ["\(credentials)", String(reflecting: credentials), "\([credentials])", dumped] {
            #expect(!text.contains("the-key") && !text.contains("the-secret"))
            #expect(text.contains("hidden"))
        }
        #expect(!(credentials as Any is any Encodable))
    }

    @Test(arguments: [
        ("", "hush-hush"), ("key", ""), ("key\n", "hush-hush"), ("key", "hush hush"), ("k€y", "hush-hush"),
    ])
    func whatCanBeNoKeyIsRefusedWithAWayOut(key: String, secret: String) {
        let failure = #expect(throws: OperationFailure.self) { try NounProjectCredentials(key: key, secret: secret) }
        #expect(failure?.code == .unauthorized)
        #expect(failure?.message.contains("https://thenounproject.com/developers") == true)
        #expect(failure?.message.contains("hush") == false)
    }

    @Test func aMissingVariableIsNamed() {
        let failure = #expect(throws: OperationFailure.self) {
            try NounProjectCredentials(environment: ["NOUNPROJECT_API_KEY": "key"])
        }
        #expect(failure?.message.hasPrefix("NOUNPROJECT_API_SECRET is not set.") == true)
        #expect(throws: Never.self) {
            try NounProjectCredentials(environment: ["NOUNPROJECT_API_KEY": "key", "NOUNPROJECT_API_SECRET": "s"])
        }
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
    }
}
