import OperationTransfer
import TestSockets
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(Patience.minutes))) struct RedirectTests {
    private let transport = CurlTransport()

    @Test func givesARedirectAsTheAnswerUnlessAskedToFollow() async throws {
        let server = try chain(to: "/end")
        let response = try await transport.send(HTTPRequest(url: server.url("/2")))
        #expect(response.status == 302)
        #expect(response.headers["Location"] == "/1")
        #expect(try await response.body.collect(upTo: 100) == Array("moved".utf8))
    }

    @Test func followsAsManyAsAskedAndGivesTheLastAnswerOnly() async throws {
        let server = try chain(to: "/end")
        let response = try await transport.send(HTTPRequest(url: server.url("/2"), maximumRedirects: 3))
        #expect(response.status == 200)
        #expect(response.headers["Location"] == nil)
        #expect(try await response.body.collect(upTo: 100) == Array("here".utf8))
    }

    @Test func failsAtOneMore() async throws {
        let server = try chain(to: "/end")
        let error = await #expect(throws: TransferError.self) {
            try await transport.send(HTTPRequest(url: server.url("/3?token=secret"), maximumRedirects: 2))
        }
        #expect(error?.code == .tooManyRedirects)
        #expect(error?.message.contains("127.0.0.1:\(server.port)") == true)
        #expect(error?.message.contains("secret") == false)
    }

    @Test(arguments: ["ftp://127.0.0.1/", "file:///etc/passwd"])
    func neverLeavesHTTP(target: String) async throws {
        let server = try chain(to: target)
        let error = await #expect(throws: TransferError.self) {
            try await transport.send(HTTPRequest(url: server.url("/0"), maximumRedirects: 5))
        }
        #expect(error?.code == .unsupportedScheme)
    }

    @Test func doesNotTakeCredentialsToAnotherPort() async throws {
        let received = TestValue<TestRequest>()
        let other = try TestServer { connection in
            received.set(try connection.readRequest())
            try connection.write("HTTP/1.1 204 No Content\r\n\r\n")
        }
        let server = try chain(to: other.url())
        let request = HTTPRequest(url: server.url("/0"), headers: ["Authorization": "Bearer x"], maximumRedirects: 1)
        #expect(try await transport.send(request).status == 204)
        #expect(await received.value().header("Authorization") == nil)
    }

    @Test func namesThePlaceThatFailedAfterARedirect() async throws {
        let port = try TestServer.unusedPort()
        let server = try chain(to: "http://127.0.0.1:\(port)/")
        let error = await #expect(throws: TransferError.self) {
            try await transport.send(HTTPRequest(url: server.url("/0"), maximumRedirects: 1))
        }
        #expect(error?.code == .connectionRefused)
        #expect(error?.message.contains("127.0.0.1:\(port)") == true)
    }

    /// A server on which `/2` leads to `/1`, that to `/0`, and that to `target`; `/end` is an end.
    private func chain(to target: String) throws -> TestServer {
        try TestServer { connection in
            while true {
                let line = try connection.readRequest().line
                let number = Int(line.dropFirst("GET /".count).prefix(while: \.isNumber))
                guard let number else {
                    try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere")
                    continue
                }
                let next = number == 0 ? target : "/\(number - 1)"
                try connection.write("HTTP/1.1 302 Found\r\nLocation: \(next)\r\nContent-Length: 5\r\n\r\nmoved")
            }
        }
    }
}
