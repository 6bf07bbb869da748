import Foundation
import OperationTracking
import OperationTrackingTesting
import OperationTransfer
import Testing

@testable import NounProjectOperations

struct NounProjectClientTests {
    private func client(
        address: NounProjectAddress = .default,
        _ answer: @escaping @Sendable (HTTPRequest) throws -> HTTPResponse
    ) -> (NounProjectClient, FakeTransport) {
        let transport = FakeTransport(answer)
        let client = NounProjectClient(
            credentials: .test,
            address: address,
            transport: transport,
            clock: ManualClock()
        )
        return (client, transport)
    }

    private func failure(
        status: Int,
        body: String = "",
        headers: HTTPHeaders = [:]
    ) async throws -> OperationFailure {
        let (client, _) = client { _ in .json(body, status: status, headers: headers) }
        let failure = await #expect(throws: OperationFailure.self) { try await client.search("check") }
        return try #require(failure)
    }

    @Test func aSearchAsksForWhatIsWantedAndSignsIt() async throws {
        let (client, transport) = client { _ in .json(#"{"icons":[]}"#) }
        _ = try await client.search(
            "arrow left!",
            limit: 3,
            onlyPublicDomain: true,
            thumbnailSize: 84,
            includesLinks: true,
            page: "a=b"
        )
        let request = try #require(transport.sent.first)
        #expect(
            request.url
                == "https://api.thenounproject.com/v2/icon?query=arrow%20left%21&limit=3&limit_to_public_domain=1"
                + "&thumbnail_size=84&include_svg=1&next_page=a%3Db"
        )
        #expect(request.headers["Authorization"]?.hasPrefix("OAuth oauth_consumer_key=\"the-key\"") == true)
        #expect(request.headers["Authorization"]?.contains("oauth_timestamp=\"1767225600\"") == true)
        #expect(request.maximumRedirects == 0)
    }

    @Test func iconsAreReadWhateverTheirIdIsAndWhateverIsMissing() async throws {
        let (client, _) = client { _ in
            .json(
                """
                {"generated_at": "now", "next_page": "eyJ", "total": 3, "unknown": [1.5, null, {"a": true}], "icons": [
                  {"id": "1134", "term": "Log Cabin", "attribution": "Log Cabin by Modik from Noun Project",
                   "license_description": "public-domain", "permalink": "/term/log-cabin/1134", "tags": ["cabin", "wood"],
                   "creator": {"name": "Modik", "username": "modik"}, "thumbnail_url": "https://static/1134.png",
                   "collections": [{"id": 32157, "name": "Homes", "creator": {"name": "Modik"}}],
                   "icon_url": "https://static.thenounproject.com/1134.svg?Signature=hush"},
                  {"id": 7, "tags": [{"id": "1", "slug": "seven"}], "creator": null, "collections": null},
                  {"term": "no id"}, "no icon"
                ], "usage_limits": {"monthly": {"limit": 5000, "usage": 440}}}
                """
            )
        }
        let page = try await client.search("cabin")
        #expect(page.icons.map(\.id) == ["1134", "7"])
        #expect(page.total == 3)
        #expect(page.nextPage == "eyJ")
        #expect(page.usage.tightest?.quota.remaining == 4560)
        let first = page.icons[0]
        #expect(first.creator?.name == "Modik")
        #expect(first.collections.first?.id == "32157")
        #expect(first.licenseDescription == "public-domain")
        #expect(first.tags == ["cabin", "wood"])
        #expect(page.icons[1].tags == ["seven"])
        #expect(page.icons[1].term == nil)
        var shown = "\(first) \(page)"
        dump(page, to: &shown)
        #expect(!shown.contains("hush"))
    }

    @Test func aDownloadIsTakenOutOfItsBase64() async throws {
        let (client, transport) = client { _ in
            .json(#"{"base64_encoded_file": "PHN2\nZy8+", "content_type": "image/svg+xml"}"#)
        }
        let bytes = try await client.download("12", format: .svg, color: "00FF00", size: 100)
        #expect(String(decoding: bytes, as: UTF8.self) == "<svg/>")
        #expect(transport.sent[0].target.path == "/v2/icon/12/download")
        #expect(transport.sent[0].target.query == ["filetype": "svg", "color": "00FF00", "size": "100"])
    }

    @Test func anIdCannotLeaveItsPlaceInThePath() async throws {
        let (client, transport) = client { _ in .json(#"{"icon": {"id": "1"}}"#) }
        _ = try await client.icon("../client/usage?x=")
        #expect(transport.sent[0].url.hasSuffix("/v2/icon/..%2Fclient%2Fusage%3Fx%3D"))
    }

    @Test(arguments: ["", ".", ".."])
    func whatLeadsOutOfItsPlaceIsNoId(_ id: String) async throws {
        let (client, transport) = client { _ in .json(#"{"icon": {"id": "1"}, "collection": {"id": "1"}}"#) }
        let failures = [
            await #expect(throws: OperationFailure.self) { try await client.icon(id) },
            await #expect(throws: OperationFailure.self) { try await client.download(id, format: .svg) },
            await #expect(throws: OperationFailure.self) { try await client.collection(id) },
        ]
        #expect(failures.allSatisfy { $0?.code == .invalidRequest })
        #expect(transport.sent.isEmpty)
    }

    @Test(arguments: [400, 401, 403, 404, 429, 500])
    func aServerThatRepeatsWhatIsSecretIsNotQuoted(_ status: Int) async throws {
        let secrets: [@Sendable (String) -> String] = [
            { _ in "THE-KEY" }, { _ in "the-secret" }, { $0.value(of: "oauth_nonce") },
            { $0.value(of: "oauth_signature") }, { $0.value(of: "oauth_signature").removingPercentEncoding ?? "" },
            { $0.value(of: "oauth_signature").oauthEncoded },
        ]
        for secret in secrets {
            let (client, transport) = client { request in
                let echo = secret(request.headers["Authorization"] ?? "")
                return .json(#"{"message": "signature_invalid: \#(echo) in GET&https"}"#, status: status)
            }
            let failure = await #expect(throws: OperationFailure.self) { try await client.usage() }
            let echo = secret(try #require(transport.sent.first?.headers["Authorization"]))
            #expect(echo.utf8.count > 6 && failure?.message.contains(echo) == false)
            #expect(failure?.message.contains("signature_invalid") == false)
        }
    }

    @Test func aCollectionHasItsIcons() async throws {
        let (client, transport) = client { _ in
            .json(#"{"collection": {"id": 4, "name": "Iconathon", "icons": [{"id": "5"}]}}"#)
        }
        let collection = try await client.collection("national-park-service")
        #expect(collection.id == "4")
        #expect(collection.icons.map(\.id) == ["5"])
        #expect(transport.sent[0].target.path == "/v2/collection/national-park-service")
    }

    @Test(arguments: [
        #"{"usage_limits": {"monthly": {"limit": 5000, "usage": 440}}}"#,
        #"{"usage_limits": {"monthly": {"limit": "5000", "usage": 440.0}, "daily": null}}"#,
        #"{"monthly": {"limit": 5000, "used": 440}}"#,
        #"{"limits": {"daily": null, "hourly": null, "monthly": 5000}, "usage": {"daily": 1, "hourly": 1, "monthly": 440}}"#,
        #"{"usage": {"monthly": {"icon_calls_used": 440, "icon_calls_limit": 5000, "service_calls_used": 1, "service_calls_limit": 9}}}"#,
    ])
    func usageIsReadInAllItsShapes(_ json: String) async throws {
        let (client, _) = client { _ in .json(json) }
        let usage = try await client.usage()
        #expect(usage.quotas.count == 1)
        #expect(usage.quotas[.monthly]?.limit == 5000)
        #expect(usage.quotas[.monthly]?.remaining == 4560)
    }

    @Test func usageThatMakesNoSenseIsLeftOut() async throws {
        let (client, _) = client { _ in
            .json(#"{"usage_limits": {"daily": {"limit": -1, "usage": 3}, "hourly": "many", "monthly": [1]}}"#)
        }
        #expect(try await client.usage().quotas.isEmpty)
    }

    @Test func refusedKeysAreToldApartFromPlansThatDontReach() async throws {
        let unauthorized = try await failure(status: 401, body: #"{"message": "bad signature"}"#)
        #expect(unauthorized.code == .unauthorized)
        #expect(unauthorized.message.contains("https://thenounproject.com/developers"))
        #expect(unauthorized.message.contains("bad signature"))
        #expect(try await failure(status: 403).code == .notPermitted)
        #expect(try await failure(status: 404).code == .notFound)
        #expect(try await failure(status: 503).code == .serverError)
        #expect(try await failure(status: 302).code == .protocolError)
    }

    @Test func aRefusalKeepsItsMeaningWhateverItsBody() async throws {
        #expect(try await failure(status: 401, body: String(repeating: "x", count: 1 << 20)).code == .unauthorized)
        let failure = try await failure(
            status: 401,
            body: #"{"message": "see https://u:pw@x.y/z?Signature=hush\u001b[31m \u202e"}"#
        )
        #expect(!failure.message.contains("hush") && !failure.message.contains("pw"))
        #expect(!failure.message.unicodeScalars.contains { $0.value == 0x1B || $0.value == 0x202E })
    }

    @Test(arguments: [
        ("30", Duration.seconds(30)), ("0", .zero), ("Thu, 01 Jan 2026 00:01:30 GMT", .seconds(90)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", .zero),
    ])
    func tooManyCallsSayWhenToComeAgain(text: String, expected: Duration) async throws {
        let failure = try await failure(status: 429, headers: ["Retry-After": text])
        #expect(failure.code == .rateLimited)
        #expect(failure.retryAfter == expected)
    }

    @Test func aWaitWithoutEndCanBeSaid() async throws {
        let failure = try await failure(status: 429, headers: ["Retry-After": "99999999999999999999"])
        #expect(failure.code == .rateLimited)
        #expect(failure.retryAfter == .seconds(1 << 40))
    }

    @Test(arguments: [nil, "soon", "-1", "Thu, 01 Jan 2026 00:61:30 GMT"])
    func tooManyCallsMaySayNothingOfUse(text: String?) async throws {
        let failure = try await failure(status: 429, headers: text.map { ["Retry-After": $0] } ?? [:])
        #expect(failure.code == .rateLimited)
        #expect(failure.retryAfter == nil)
    }

    @Test(arguments: [
        ("hourly", "2026-01-01 01:00 UTC"), ("daily", "2026-01-02 00:00 UTC"), ("monthly", "2026-02-01 00:00 UTC"),
    ])
    func anExhaustedQuotaSaysWhenToGoOn(window: String, end: String) async throws {
        for status in [403, 429] {
            let body = #"{"usage_limits": {"\#(window)": {"limit": 10, "usage": 10}}}"#
            let failure = try await failure(status: status, body: body)
            #expect(failure.code == .quotaExhausted)
            #expect(failure.message.contains(end))
        }
    }

    @Test(arguments: [
        "", "<html>", "[]", "null", "{\"base64_encoded_file\": \"\"}", "{\"base64_encoded_file\": \"@@\"}",
    ])
    func whatIsNoAnswerOfTheApiIsNoFile(_ body: String) async throws {
        let (client, _) = client { _ in .json(body) }
        let failure = await #expect(throws: OperationFailure.self) { try await client.download("1", format: .svg) }
        #expect(failure?.code == .protocolError)
        #expect(failure?.message.contains("NOUNPROJECT_API_BASE") == true)
    }

    @Test func anEndlessAnswerIsNotReadToItsEnd() async throws {
        let (client, _) = client { _ in
            HTTPResponse(status: 200, body: HTTPBody(unfolding: { Array(repeating: 0x20, count: 1 << 16) }))
        }
        let failure = await #expect(throws: OperationFailure.self) { try await client.download("1", format: .svg) }
        #expect(failure?.code == .protocolError)
    }

    @Test func aFileThatIsTooLargeIsRefused() async throws {
        let file = Data(repeating: 0x20, count: 3001).base64EncodedString()
        let (client, _) = client { _ in .json(#"{"base64_encoded_file": "\#(file)"}"#) }
        await #expect(throws: OperationFailure.self) { try await client.download("1", format: .svg, limit: 3000) }
        #expect(try await client.download("1", format: .svg, limit: 3001).count == 3001)
    }

    @Test func aLinkIsFollowedWithoutOurSignature() async throws {
        let (client, transport) = client { request in
            request.url.contains(".svg")
                ? .json("<svg/>")
                : .json(#"{"icons": [{"id": 1, "icon_url": "https://static.thenounproject.com/1.svg?Expires=1"}]}"#)
        }
        let icon = try #require(try await client.search("check").icons.first)
        #expect(try await client.fileBehindLink(of: icon) == Array("<svg/>".utf8))
        #expect(transport.sent[1].headers["Authorization"] == nil)
    }

    @Test(arguments: [
        "http://169.254.169.254/latest", "https://evil.example/1.svg", "https://thenounproject.com.evil.example/1.svg",
        "https://evil.example#.thenounproject.com/", "http://static.thenounproject.com/1.svg", "file:///etc/passwd",
        "https://static.thenounproject.com@evil.example/", "https://evil.example\\.thenounproject.com/", "//x", "",
        "https://static.thenounproject.com:8443/1.svg", "http://127.0.0.1:81/",
    ])
    func aLinkElsewhereIsNotFollowed(_ link: String) throws {
        #expect(!NounProjectAddress.default.mayLead(to: link))
        #expect(try !NounProjectAddress("http://127.0.0.1:80").mayLead(to: link))
    }

    @Test func linksToItselfAndToTheNounProjectAreFollowed() throws {
        let address = try NounProjectAddress("http://127.0.0.1:8080/api/")
        #expect(address.url == "http://127.0.0.1:8080/api")
        #expect(address.mayLead(to: "http://127.0.0.1:8080/1.svg"))
        #expect(address.mayLead(to: "https://static.thenounproject.com/1.svg?Signature=x"))
        #expect(address.mayLead(to: "https://static.thenounproject.com?x"))
    }

    @Test(arguments: [
        ("HTTPS://API.Example.com:443", "https://api.example.com"), ("http://localhost:80/x/", "http://localhost/x"),
        ("http://localhost:8443", "http://localhost:8443"),
    ])
    func addressesTakeTheFormThatIsSigned(text: String, expected: String) throws {
        #expect(try NounProjectAddress(text).url == expected)
    }

    @Test(arguments: [
        "", "api.thenounproject.com", "ftp://x", "http://", "http://u:p@x", "http://x?y", "http://x:0", "http://x/#a",
        "http://x y",
    ])
    func whatIsNoAddressIsRefused(_ text: String) {
        let failure = #expect(throws: OperationFailure.self) { try NounProjectAddress(text) }
        #expect(failure?.message.contains("NOUNPROJECT_API_BASE") == true)
        #expect(failure?.message.contains("u:p") == false)
    }
}

extension String {
    /// A parameter of an `Authorization` field, as it stands there.
    fileprivate func value(of parameter: String) -> String {
        guard let start = firstRange(of: parameter + "=\"")?.upperBound else { return "" }
        return String(self[start...].prefix { $0 != "\"" })
    }
}
