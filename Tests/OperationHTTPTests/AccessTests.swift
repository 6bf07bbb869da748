import OperationTracking
import OperationTrackingTesting
import Testing

@testable import OperationHTTP

@Suite struct AccessTests {
    let fixture = APIFixture { configuration in
        configuration.token = "a long secret"
        configuration.allowedHosts = ["wizard.example"]
        configuration.allowedOrigins = ["https://page.example"]
    }
    let root = APIFixture.root

    private func ask(
        _ method: String = "GET",
        _ target: String = APIFixture.root,
        _ headers: [APIHeader] = [],
        caller: APICaller = APIFixture.stranger
    ) async -> APIResponse {
        await fixture.ask(method, target, headers: headers, caller: caller)
    }

    @Test func aStrangerNeedsTheToken() async {
        let answer = await ask()
        #expect(answer.status == 401)
        #expect(answer.header("WWW-Authenticate") == "Bearer")
        #expect(answer.header("Content-Type") == "application/problem+json")
        #expect(await ask("GET", root, [APIHeader("authorization", "Bearer a long secret")]).status == 200)
    }

    @Test(arguments: [
        "Bearer a long secre", "Bearer a long secret2", "Bearer ", "bearer", "BEARER x",
    ])
    func aWrongTokenIsRefusedWhoeverGivesIt(authorization: String) async {
        let header = APIHeader("Authorization", authorization)
        #expect(await ask("GET", root, [header]).status == 401)
        #expect(await ask("GET", root, [header], caller: APIFixture.user).status == 401)
    }

    @Test(arguments: ["Basic a long secret", "a long secret", ""])
    func credentialsOfAnotherSchemeOpenNothingAndCloseNothing(authorization: String) async {
        let header = APIHeader("Authorization", authorization)
        #expect(await ask("GET", root, [header]).status == 401)
        #expect(await ask("GET", root, [header], caller: APIFixture.user).status == 200)
    }

    @Test func whatStandsInBracketsIsAnAddress() async {
        var request = APIRequest(method: "GET", target: root, caller: APIFixture.user)
        request.headers = [APIHeader("Host", "[evil.example]")]
        #expect(await fixture.api.respond(to: request).status == 400)
    }

    @Test func whatAnyoneMayAskIsNotClosedByAWrongToken() async {
        let wrong = [APIHeader("Authorization", "Bearer out of date")]
        for (method, target) in [("GET", "/health"), ("GET", "/openapi.yaml"), ("DELETE", "/api/session")] {
            #expect(await ask(method, target, wrong).status < 300, "\(target)")
        }
    }

    @Test func aTokenInTheQueryIsNone() async {
        #expect(await ask("GET", root + "?token=a%20long%20secret").status == 401)
    }

    @Test func aLocalUserNeedsNoTokenUnlessTrustIsOff() async {
        #expect(await ask("GET", root, caller: APIFixture.user).status == 200)
        let strict = APIFixture {
            $0.token = "a long secret"
            $0.trustsLocalUser = false
        }
        #expect(await strict.ask("GET", root).status == 401)
    }

    @Test func withoutATokenNobodyElseGetsIn() async {
        let fixture = APIFixture()
        for value in ["Bearer ", "Bearer x"] {
            let answer = await fixture.ask(
                "GET",
                root,
                headers: [APIHeader("Authorization", value)],
                caller: APIFixture.stranger
            )
            #expect(answer.status == 401)
        }
    }

    @Test func theTokenIsTradedForACookieThatOpensTheAPI() async throws {
        let session = await ask("POST", "/api/session", [APIHeader("Authorization", "Bearer a long secret")])
        #expect(session.status == 200)
        let cookie = try #require(session.header("Set-Cookie"))
        #expect(cookie.contains("HttpOnly"))
        #expect(cookie.contains("SameSite=Strict"))
        #expect(!cookie.contains("a long secret"))
        let pair = String(try #require(cookie.split(separator: ";").first))
        #expect(await ask("GET", root, [APIHeader("Cookie", "other=1; " + pair)]).status == 200)
        #expect(await ask("GET", root, [APIHeader("Cookie", pair + "x")]).status == 401)
        #expect(await ask("GET", root, [APIHeader("Cookie", "operation_session=")]).status == 401)

        #expect(await ask("DELETE", "/api/session", [APIHeader("Cookie", pair)]).status == 204)
        #expect(await ask("GET", root, [APIHeader("Cookie", pair)]).status == 401)
    }

    @Test func aSessionEndsAfterSomeHours() async throws {
        let session = await ask("POST", "/api/session", [APIHeader("Authorization", "Bearer a long secret")])
        let pair = String(try #require(session.header("Set-Cookie")?.split(separator: ";").first))
        await fixture.clock.advance(by: .seconds(12 * 3600 - 1))
        #expect(await ask("GET", root, [APIHeader("Cookie", pair)]).status == 200)
        await fixture.clock.advance(by: .seconds(1))
        #expect(await ask("GET", root, [APIHeader("Cookie", pair)]).status == 401)
    }

    @Test func aSessionNeedsTheTokenItself() async {
        #expect(await ask("POST", "/api/session").status == 401)
        let local = await ask("POST", "/api/session", caller: APIFixture.user)
        #expect(local.status == 200)
        #expect(local.header("Set-Cookie") == nil)
    }

    @Test(arguments: ["127.0.0.1", "[::1]:8765", "localhost:1", "x.localhost", "192.168.1.5:80", "WIZARD.example:443"])
    func aHostThatIsThisServerIsTaken(host: String) async {
        var request = APIRequest(method: "GET", target: root, caller: APIFixture.user)
        request.headers = [APIHeader("Host", host)]
        #expect(await fixture.api.respond(to: request).status == 200)
    }

    @Test(arguments: [
        "evil.example", "localhost.evil.example:8765", "127.0.0.1.evil.example", "127.0.0.256",
        "wizard.example.",
    ])
    func aNameReboundToThisMachineIsRefused(host: String) async {
        var request = APIRequest(method: "GET", target: root, caller: APIFixture.user)
        request.headers = [APIHeader("Host", host)]
        let answer = await fixture.api.respond(to: request)
        #expect(answer.status == 403)
        #expect(answer.text("code") == "host_not_allowed")
        request.target = "/health"
        #expect(await fixture.api.respond(to: request).status == 200)
    }

    @Test(arguments: [[], ["a", "a"], [""], ["a b"], ["localhost:x"], ["[::1"], ["a/b"], [":80"]])
    func aHostThatIsNoneIsMalformed(hosts: [String]) async {
        var request = APIRequest(method: "GET", target: root, caller: APIFixture.user)
        request.headers = hosts.map { APIHeader("Host", $0) }
        #expect(await fixture.api.respond(to: request).status == 400)
    }

    @Test(arguments: [
        "http://evil.example", "null", "http://127.0.0.1:9", "http://127.0.0.1:8765.evil", "https://PAGE.example",
    ])
    func aPageFromElsewhereIsRefused(origin: String) async {
        for method in ["GET", "POST"] {
            let target = method == "GET" ? root : root + "/start?operation_type=a"
            let answer = await ask(method, target, [APIHeader("Origin", origin)], caller: APIFixture.user)
            #expect(answer.status == 403)
            #expect(answer.text("code") == "origin_not_allowed")
            #expect(answer.header("Access-Control-Allow-Origin") == nil)
        }
        #expect(fixture.tracker.activeOperations.isEmpty)
    }

    @Test func theServersOwnPageMayAsk() async {
        for origin in ["http://127.0.0.1:8765", "https://127.0.0.1:8765"] {
            let answer = await ask("GET", root, [APIHeader("Origin", origin)], caller: APIFixture.user)
            #expect(answer.status == 200)
            #expect(answer.header("Access-Control-Allow-Origin") == nil)
        }
    }

    @Test func anAllowedOriginMayReadTheAnswers() async {
        let origin = APIHeader("Origin", "https://page.example")
        let answer = await ask("GET", root, [origin, APIHeader("Authorization", "Bearer a long secret")])
        #expect(answer.status == 200)
        #expect(answer.header("Access-Control-Allow-Origin") == "https://page.example")
        #expect(answer.header("Vary") == "Origin")
        let preflight = await ask("OPTIONS", root, [origin, APIHeader("Access-Control-Request-Method", "GET")])
        #expect(preflight.status == 204)
        #expect(preflight.header("Access-Control-Allow-Methods") == "GET, HEAD, OPTIONS")
        #expect(preflight.header("Access-Control-Allow-Headers")?.contains("Authorization") == true)
        #expect(await ask("GET", root, [origin]).header("Access-Control-Allow-Origin") == "https://page.example")
    }

    @Test func tokensAreComparedWhole() {
        let cases: [(String, String, Bool)] = [
            ("abc", "abc", true), ("abd", "abc", false), ("ab", "abc", false), ("abcabc", "abc", false),
            ("", "abc", false),
            ("", "", false),
        ]
        for (left, right, areEqual) in cases {
            #expect(AccessPolicy.areEqual(Array(left.utf8), Array(right.utf8)) == areEqual, "\(left) \(right)")
        }
    }
}
