import OperationTransfer
import TestSockets
import TestSupport
import Testing

/// What goes over the wire.
@Suite(.timeLimit(.minutes(Patience.minutes))) struct RequestTests {
    @Test func getsWithNothingButWhatIsNeeded() async throws {
        let request = try await sent { HTTPRequest(url: $0.url("/a/b?c=d#fragment")) }
        #expect(request.line == "GET /a/b?c=d HTTP/1.1")
        #expect(Set(request.fieldLines.map { $0.prefix(while: { $0 != ":" }) }) == ["Host", "Accept", "User-Agent"])
        #expect(request.header("User-Agent") == "OperationTracking/0.1")
    }

    @Test func postsABodyWithItsLengthAndNoTypeOfItsOwn() async throws {
        let body = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
        let request = try await sent { HTTPRequest(.post, url: $0.url(), body: body) }
        #expect(request.line == "POST / HTTP/1.1")
        #expect(request.header("Content-Length") == "100000")
        #expect(request.header("Content-Type") == nil)
        #expect(request.header("Transfer-Encoding") == nil)
        #expect(request.body == body)
    }

    @Test func doesNotAskWhetherToContinueEvenForALargeBody() async throws {
        let request = try await sent {
            HTTPRequest(.post, url: $0.url(), body: [UInt8](repeating: 0, count: 3_000_000))
        }
        #expect(request.header("Expect") == nil)
        #expect(request.body.count == 3_000_000)
    }

    @Test func postsAnEmptyBody() async throws {
        let request = try await sent { HTTPRequest(.post, url: $0.url()) }
        #expect(request.line == "POST / HTTP/1.1")
        #expect(request.header("Content-Length") == "0")
    }

    @Test(arguments: ["PUT", "PATCH", "DELETE", "GET"])
    func sendsABodyWithAnyMethod(method: String) async throws {
        let request = try await sent { HTTPRequest(HTTPMethod(rawValue: method), url: $0.url(), body: [1, 0, 2]) }
        #expect(request.line == "\(method) / HTTP/1.1")
        #expect(request.body == [1, 0, 2])
    }

    @Test(arguments: ["DELETE", "PROPFIND"])
    func sendsAnyMethodWithoutABody(method: String) async throws {
        let request = try await sent { HTTPRequest(HTTPMethod(rawValue: method), url: $0.url()) }
        #expect(request.line == "\(method) / HTTP/1.1")
        #expect(request.header("Content-Length") == nil)
    }

    @Test func sendsHeadersAsTheyAre() async throws {
        let request = try await sent {
            HTTPRequest(
                .post,
                url: $0.url(),
                headers: [
                    "Content-Type": "application/json", "User-Agent": "Mine/1", "X-Empty": "", "X-Twice": "a",
                    "x-twice": "b; c",
                    "Accept": "text/plain", "X-UTF8": "ä",
                ],
                body: Array("{}".utf8)
            )
        }
        #expect(request.header("Content-Type") == "application/json")
        #expect(request.header("User-Agent") == "Mine/1")
        #expect(request.header("Accept") == "text/plain")
        #expect(request.fieldLines.contains("X-Empty:"))
        #expect(request.fieldLines.contains("X-Twice: a"))
        #expect(request.fieldLines.contains("x-twice: b; c"))
        #expect(request.fieldLines.contains("X-UTF8: ä"))
        #expect(request.fieldLines.count { $0.hasPrefix("User-Agent") } == 1)
    }

    @Test func sendsTheUserAgentOfTheConfiguration() async throws {
        let transport = CurlTransport(configuration: .init(userAgent: "Other/2"))
        let request = try await sent(through: transport) { HTTPRequest(url: $0.url()) }
        #expect(request.header("User-Agent") == "Other/2")
    }

    /// The request as a server sees it.
    private func sent(
        through transport: CurlTransport = CurlTransport(),
        _ request: (TestServer) -> HTTPRequest
    ) async throws -> TestRequest {
        let received = TestValue<TestRequest>()
        let server = try TestServer { connection in
            received.set(try connection.readRequest())
            try connection.write("HTTP/1.1 204 No Content\r\n\r\n")
        }
        #expect(try await transport.send(request(server)).status == 204)
        return await received.value()
    }
}
