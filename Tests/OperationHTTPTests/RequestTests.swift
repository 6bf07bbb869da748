import OperationTracking
import OperationTrackingTesting
import Testing

@testable import OperationHTTP

@Suite struct RequestTests {
    let fixture = APIFixture()
    let root = APIFixture.root

    @Test(
        arguments: [
            "", "*", "no-slash", "/a b", "/a\u{7F}", "/ä", "/a#b", "/api/ports/operations/%",
            "/api/ports/operations/%4",
            "/api/ports/operations/%zz", "/api/ports/operations/%00", "/api/ports/operations/op_a%00b",
            "/api/ports/operations/%2e%2e%2f", "/api/ports/operations/%2E%2E", "/api/ports/operations/..",
            "/api/ports/operations/.", "/api/ports/operations/a%2fb", "/api/ports/operations/a%5Cb",
            "/api/ports/operations/%ff", "/api/ports/operations/%c0%ae", "/api/ports/operations?a=%00",
            "/api/ports/operations?a=%ff", "/api/ports/operations?a=%",
            "/api/ports/operations?" + String(repeating: "a&", count: 65),
        ]
    )
    func anAddressThatCouldBeReadInTwoWaysIsRefused(target: String) async {
        let answer = await fixture.ask("GET", target)
        #expect(answer.status == 400)
        #expect(answer.header("Content-Type") == "application/problem+json")
        #expect(answer.text("detail")?.isEmpty == false)
    }

    @Test(arguments: ["\u{301}", "\u{FE0F}", "\u{200D}", "\u{1F3FD}"])
    func aTextMayBeginWithWhatJoinsTheSignBefore(mark: String) throws {
        let value = try JSONReader.read(Array("[\"\(mark)text\"]".utf8))
        guard case .array(let elements) = value, case .string(let text)? = elements.first else {
            return #expect(Bool(false), "\(value)")
        }
        #expect(text == "\(mark)text")
    }

    @Test func anAddressHasAtMostEightThousandBytes() async {
        for (length, status) in [(8192, 404), (8193, 414)] {
            let answer = await fixture.ask("GET", "/" + String(repeating: "a", count: length - 1))
            #expect(answer.status == status)
            #expect(answer.header("Content-Type") == "application/problem+json")
        }
    }

    @Test(arguments: [
        "/", "/api", "/api/ports/operations/", "//api/ports/operations", "/API/ports/operations", "/metrics/x",
    ])
    func aPathThatNothingIsAtIsNotFound(target: String) async {
        let answer = await fixture.ask("GET", target)
        #expect(answer.status == 404)
        #expect(answer.number("status") == 404)
        #expect(answer.text("title") == "Not Found")
        #expect(answer.text("type") == "about:blank")
    }

    @Test func anotherMethodIsRefusedWithThoseThatAreTaken() async {
        let cases = [
            ("POST", root, "GET, HEAD, OPTIONS"), ("GET", root + "/start", "POST, OPTIONS"),
            ("DELETE", root + "/op_a", "GET, HEAD, OPTIONS"), ("PUT", root + "/op_a/update", "POST, OPTIONS"),
            ("BREW", root + "/summary", "GET, HEAD, OPTIONS"), ("get", root, "GET, HEAD, OPTIONS"),
        ]
        for (method, target, allow) in cases {
            let answer = await fixture.ask(method, target)
            #expect(answer.status == 405, "\(method) \(target)")
            #expect(answer.header("Allow") == allow, "\(method) \(target)")
        }
    }

    @Test func optionsTellWhatIsTaken() async {
        let answer = await fixture.ask("OPTIONS", root + "/check-overload", caller: APIFixture.stranger)
        #expect(answer.status == 204)
        #expect(answer.header("Allow") == "GET, POST, HEAD, OPTIONS")
        #expect(answer.bytes.isEmpty)
    }

    @Test func headIsAnsweredAsGet() async {
        let answer = await fixture.ask("HEAD", root)
        #expect(answer.status == 200)
        #expect(answer.header("Content-Type") == "application/json")
        let stream = await fixture.ask("HEAD", root + "/stream")
        #expect(stream.status == 200)
        #expect(stream.stream == nil)
        #expect(fixture.api.hub.clientCount == 0)
    }

    @Test(
        arguments: [
            "{", "nope", #"{"a": }"#, #"{"a": 1,}"#, #"{"a": 1} x"#, #"{"a": 1}{}"#, #"{"a": NaN}"#,
            #"{"a": Infinity}"#,
            #"{"a": 1e999}"#, #"{"a": 01}"#, #"{"a": +1}"#, #"{"a": 1.}"#, #"{"a": 1, "a": 2}"#,
            #"{"a": 1, "\u0061": 2}"#,
            #"{"a": "\ud800"}"#, #"{"a": "\x"}"#, "{\"a\": \"b\nc\"}", #"{'a': 1}"#, #"{"a": tru}"#, "\u{FEFF}{}",
            String(repeating: "[", count: 33) + String(repeating: "]", count: 33),
            String(repeating: "[", count: 100_000),
        ]
    )
    func aBodyThatIsNotStrictJSONIsMalformed(json: String) async {
        let answer = await fixture.ask("POST", root + "/start", json: json)
        #expect(answer.status == 400)
        #expect(answer.text("code") == "malformed")
    }

    @Test func aBodyThatIsNotUTF8IsMalformed() async {
        var request = APIFixture.request("POST", root + "/start", json: #"{"a": "?"}"#)
        request.body[7] = 0xFF
        #expect(await fixture.api.respond(to: request).status == 400)
    }

    @Test(arguments: [
        nil, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "multipart/form-data",
    ])
    func aBodyOfAnotherTypeIsRefused(type: String?) async {
        var request = APIFixture.request("POST", root + "/start")
        request.body = Array(#"{"operation_type": "a"}"#.utf8)
        if let type { request.headers.append(APIHeader("Content-Type", type)) }
        #expect(await fixture.api.respond(to: request).status == 415)
        #expect(fixture.tracker.activeOperations.isEmpty)
    }

    @Test(arguments: ["application/json", "Application/JSON", "application/json; charset=utf-8", "application/json ;x"])
    func jsonMayComeWithParameters(type: String) async {
        var request = APIFixture.request("POST", root + "/start")
        request.body = Array(#"{"operation_type": "a"}"#.utf8)
        request.headers.append(APIHeader("Content-Type", type))
        #expect(await fixture.api.respond(to: request).status == 200)
    }

    @Test func aBodyOverTheLimitIsTooLarge() async {
        let fixture = APIFixture { $0.maximumBodyBytes = 100 }
        let text = String(repeating: "a", count: 100)
        let answer = await fixture.ask("POST", root + "/start", json: #"{"operation_type": "\#(text)"}"#)
        #expect(answer.status == 413)
        #expect(fixture.api.tooLargeResponse(to: APIFixture.request("POST", "/")).status == 413)
    }

    @Test func unknownParametersAreLeftAlone() async {
        let answer = await fixture.ask(
            "POST",
            root + "/start?x=1",
            json: #"{"operation_type": "a", "x": {"y": [1, null]}}"#
        )
        #expect(answer.status == 200)
    }

    @Test func anAssetIsServedWithItsTagAndPolicy() async throws {
        let page = APIAsset(path: "/", contentType: "text/html; charset=utf-8", bytes: Array("<p>".utf8))
        let api = OperationAPI(tracker: fixture.tracker, assets: [page])
        let answer = await api.respond(to: APIFixture.request("GET", "/", caller: APIFixture.stranger))
        #expect(answer.text == "<p>")
        #expect(answer.header("Content-Type") == "text/html; charset=utf-8")
        #expect(answer.header("Content-Security-Policy")?.contains("default-src 'none'") == true)
        let tag = try #require(answer.header("ETag"))
        let again = APIFixture.request("GET", "/", headers: [APIHeader("If-None-Match", "\"x\", W/\(tag)")])
        #expect(await api.respond(to: again).status == 304)
    }

    @Test func anotherModuleAddsRoutes() async {
        let more = APIExtension(
            routes: [
                .now("GET", "/api/ports/status") { _ in .json(Array("1".utf8)) },
                .now("DELETE", "/api/ports/unregister/{name}") { .json(Array($0.captures["name"]!.utf8)) },
            ],
            paths: "",
            schemas: ""
        )
        let api = OperationAPI(tracker: fixture.tracker, adding: more)
        #expect(await api.respond(to: APIFixture.request("GET", "/api/ports/status")).text == "1")
        #expect(await api.respond(to: APIFixture.request("DELETE", "/api/ports/unregister/a%20b")).text == "a b")
    }

    /// Whatever comes is answered with a status that means something, and nothing crashes.
    @Test func noiseIsRefusedInGoodOrder() async {
        var chance = SeededGenerator(seed: 5)
        let words = [
            root, "/start", "/op_a", "/update", "/complete", "/stream", "?", "&", "=", "%", "%2", "progress",
            "operation_type",
            "a", "..", "/", "\u{0}", "é", "{", "}", "[", "]", "\"", ":", ",", "1e9", "-", "null", "true", "\\u", "d800",
            " ",
        ]
        func noise(_ length: Int) -> String {
            (0..<Int.random(in: 0...length, using: &chance)).map { _ in words.randomElement(using: &chance) ?? "" }
                .joined()
        }
        for _ in 0..<3000 {
            let method = ["GET", "POST", "DELETE", "HEAD", "OPTIONS"].randomElement(using: &chance) ?? "GET"
            var request = APIFixture.request(method, Bool.random(using: &chance) ? root + noise(4) : noise(6))
            request.headers.append(APIHeader("Content-Type", "application/json"))
            if Bool.random(using: &chance) { request.headers.append(APIHeader("Last-Event-ID", noise(3))) }
            request.body =
                Bool.random(using: &chance)
                ? Array(noise(12).utf8)
                : (0..<Int.random(in: 0...40, using: &chance)).map { _ in UInt8.random(in: 0...255, using: &chance) }
            let answer = await fixture.api.respond(to: request)
            #expect(answer.status < 500, "\(request)")
            guard answer.status >= 400 else { continue }
            #expect(answer.text("detail") != nil, "\(request)")
        }
    }

    @Test(arguments: [
        ("/api/ports/operations", true), ("/api/ports/operations/start?x=1", true), ("/health", true),
        ("/api/ports/operations-of-mine", false), ("/", false), ("/work", false), ("/api/ports/operations/%00", false),
    ])
    func aServiceIsToldWhichPathsAreTheAPIs(target: String, isServed: Bool) {
        #expect(APIFixture().api.serves(target) == isServed)
    }

    @Test func theHostOfATargetInAbsoluteFormGoesBeforeTheHeader() async {
        let fixture = APIFixture()
        for (target, status) in [
            ("http://127.0.0.1:8765\(APIFixture.root)", 200), ("HTTP://localhost\(APIFixture.root)?x=1", 200),
            ("https://localhost", 404), ("http://evil.example\(APIFixture.root)", 403), ("ftp://localhost/", 400),
            ("evil.example\(APIFixture.root)", 400),
        ] {
            #expect(await fixture.ask("GET", target).status == status, "\(target)")
        }
    }

    @Test func theServerAsAWholeCanBeAskedForItsMethods() async {
        let answer = await APIFixture().ask("OPTIONS", "*")
        #expect(answer.status == 204)
        #expect(answer.header("Allow")?.contains("POST") == true)
        #expect(await APIFixture().ask("GET", "*").status == 400)
    }

    @Test func aParameterOfTheQueryBesideAMemberHasToBeOneToo() async {
        let fixture = APIFixture()
        let body = #"{"operation_type": "a", "pid": 5}"#
        for query in ["pid=x", "operation_type=", "operation_type=A", "operation_id=x"] {
            #expect(
                await fixture.ask("POST", APIFixture.root + "/start?" + query, json: body).status == 422,
                "\(query)"
            )
        }
        #expect(await fixture.ask("POST", APIFixture.root + "/start?pid=6", json: body).status == 200)
        #expect(fixture.tracker.activeOperations.map(\.pid) == [5])
    }
}
