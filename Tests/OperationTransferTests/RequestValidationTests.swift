import OperationTransfer
import TestSockets
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(Patience.minutes))) struct RequestValidationTests {
    private let transport = CurlTransport()

    @Test(arguments: [
        "", "/path", "example.org/path", "http://", "http://exa mple.org/", "http://example.org/\r\nX: y",
        "http://example.org/\0",
        "http://example.org:99999/", "http://[::1/",
    ])
    func refusesAnInvalidURL(url: String) async {
        #expect(await code(of: HTTPRequest(url: url)) == .invalidURL)
    }

    @Test(arguments: ["ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "ws://example.org/"])
    func refusesEverySchemeButHTTP(url: String) async {
        #expect(await code(of: HTTPRequest(url: url)) == .unsupportedScheme)
    }

    @Test(arguments: ["", "GE T", "GET\r\nX: y", "GET\0", "GÉT", "GET:"])
    func refusesAMethodThatIsNoToken(method: String) async throws {
        try await expectNothingIsSent { HTTPRequest(HTTPMethod(rawValue: method), url: $0) }
    }

    @Test(arguments: ["", "A B", "A:", "A\r\nX", "A\n", "A\0", "Ä"])
    func refusesAHeaderNameThatIsNoToken(name: String) async throws {
        try await expectNothingIsSent { HTTPRequest(url: $0, headers: [name: "value"]) }
    }

    @Test(arguments: ["a\r\nX: y", "a\rb", "a\nb", "a\0b", "a\u{7F}"])
    func refusesAHeaderValueWithControlCharacters(value: String) async throws {
        try await expectNothingIsSent { HTTPRequest(url: $0, headers: ["X-Test": value]) }
    }

    @Test(arguments: ["content-length", "Transfer-Encoding"])
    func refusesHeadersThatSayWhereTheBodyEnds(name: String) async throws {
        try await expectNothingIsSent { HTTPRequest(.post, url: $0, headers: [name: "1"], body: [1]) }
    }

    @Test func namesNoSecretInARefusal() async {
        let request = HTTPRequest(url: "http://example.org/", headers: ["Authorization": "secret\n"])
        let error = await #expect(throws: TransferError.self) { try await transport.send(request) }
        #expect(error?.message.contains("Authorization") == true)
        #expect(error?.message.contains("secret") == false)
    }

    private func code(of request: HTTPRequest) async -> TransferError.Code? {
        await #expect(throws: TransferError.self) { try await transport.send(request) }?.code
    }

    private func expectNothingIsSent(_ request: (String) -> HTTPRequest) async throws {
        let server = try TestServer { _ in }
        #expect(await code(of: request(server.url())) == .invalidRequest)
        #expect(server.connectionCount == 0)
    }
}
