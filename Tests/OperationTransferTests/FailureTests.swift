import OperationTransfer
import TestSockets
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(Patience.minutes))) struct FailureTests {
    private let transport = CurlTransport()

    @Test func tellsThatNothingListens() async throws {
        let port = try TestServer.unusedPort()
        let url = "http://user:secret@127.0.0.1:\(port)/path?token=secret"
        let error = await #expect(throws: TransferError.self) { try await transport.send(HTTPRequest(url: url)) }
        #expect(error?.code == .connectionRefused)
        #expect(error?.message.contains("127.0.0.1:\(port)") == true)
        #expect(error?.message.contains("secret") == false)
    }

    @Test func tellsThatAHostIsUnknown() async {
        // A label has at most 63 bytes (RFC 1035, section 2.3.4): no resolver is asked, which might be slow, or none.
        let host = String(repeating: "a", count: 64) + ".invalid"
        let error = await #expect(throws: TransferError.self) {
            try await transport.send(HTTPRequest(url: "http://\(host)/"))
        }
        #expect(error?.code == .hostNotFound)
        #expect(error?.message.contains(host) == true)
    }

    @Test func tellsThatTLSFails() async throws {
        let server = try TestServer { connection in try connection.write("HTTP/1.1 400 Bad Request\r\n\r\n") }
        let error = await #expect(throws: TransferError.self) {
            try await transport.send(HTTPRequest(url: "https://127.0.0.1:\(server.port)/"))
        }
        #expect(error?.code == .tlsFailed)
    }

    @Test func tellsThatTheAnswerIsNotHTTP() async throws {
        let server = try TestServer(answering: "220 smtp.example.org ESMTP\r\n")
        let error = await #expect(throws: TransferError.self) {
            try await transport.send(HTTPRequest(url: server.url()))
        }
        #expect(error?.code == .transportFailed)
        #expect(error?.message.contains("HTTP") == true)
    }

    @Test(arguments: ["", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"])
    func tellsThatTheConnectionWasLostBeforeTheHead(beginning: String) async throws {
        let server = try TestServer(answering: beginning)
        let error = await #expect(throws: TransferError.self) {
            try await transport.send(HTTPRequest(url: server.url()))
        }
        #expect(error?.code == .connectionLost)
    }

    @Test func tellsThatTheConnectionWasResetBeforeTheHead() async throws {
        let server = try TestServer { connection in
            try connection.readRequest()
            connection.reset()
        }
        let error = await #expect(throws: TransferError.self) {
            try await transport.send(HTTPRequest(url: server.url()))
        }
        #expect(error?.code == .connectionLost)
    }

    @Test(arguments: [
        "Content-Length: 10\r\n\r\nabcde",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
        "Transfer-Encoding: chunked\r\n\r\n9\r\nabcde",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n",
    ])
    func givesWhatArrivedBeforeTheConnectionWasCut(answer: String) async throws {
        let server = try TestServer(answering: "HTTP/1.1 200 OK\r\n" + answer)
        try await expectLost(after: Array("abcde".utf8), from: server)
    }

    @Test func givesWhatArrivedBeforeTheConnectionWasReset() async throws {
        let isRead = TestValue<Void>()
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabcde")
            isRead.waitBlocking()
            connection.reset()
        }
        var chunks = try await transport.send(HTTPRequest(url: server.url())).body.makeAsyncIterator()
        var bytes: [UInt8] = []
        while bytes.count < 5 { bytes += try #require(try await chunks.next()) }
        #expect(bytes == Array("abcde".utf8))
        isRead.set()
        let error = await #expect(throws: TransferError.self) { try await chunks.next() }
        #expect(error?.code == .connectionLost)
    }

    @Test func givesAllOfALargeCutBodyEvenToAReaderWhoComesLate() async throws {
        // More than the transport's buffer, so that curl has paused when the connection is cut.
        let bytes = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let isCut = TestValue<Void>()
        let server = try TestServer { connection in
            defer { isCut.set() }
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n")
            try connection.write(bytes)
        }
        try await expectLost(after: bytes, from: server)
    }

    @Test func keepsFailingWithTheSameError() async throws {
        let server = try TestServer(answering: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        var chunks = try await transport.send(HTTPRequest(url: server.url())).body.makeAsyncIterator()
        let first = await #expect(throws: TransferError.self) { try await chunks.next() }
        let second = await #expect(throws: TransferError.self) { try await chunks.next() }
        #expect(first == second)
    }

    @Test func failsWhatIsUnderWayWhenShutDown() async throws {
        let isGone = TestValue<Bool>()
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabcde")
            isGone.set(connection.waitForPeerClose())
        }
        let transport = CurlTransport()
        var chunks = try await transport.send(HTTPRequest(url: server.url())).body.makeAsyncIterator()
        _ = try await chunks.next()
        transport.shutdown()
        transport.shutdown()
        let error = await #expect(throws: TransferError.self) { while try await chunks.next() != nil {} }
        #expect(error?.code == .transportFailed)
        #expect(await isGone.value())
    }

    @Test func failsWhatIsSentAfterShutDown() async throws {
        let transport = CurlTransport()
        transport.shutdown()
        let error = await #expect(throws: TransferError.self) {
            try await transport.send(HTTPRequest(url: "http://127.0.0.1:1/"))
        }
        #expect(error?.code == .transportFailed)
    }

    @Test func answersFirstRequestsThatComeTogether() async throws {
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 204 No Content\r\n\r\n")
        }
        let transport = CurlTransport()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask { try await transport.send(HTTPRequest(url: server.url())).status }
            }
            for try await status in group { #expect(status == 204) }
        }
    }

    @Test func goesOnWithOtherTransfersAfterAFailure() async throws {
        let port = try TestServer.unusedPort()
        await #expect(throws: TransferError.self) {
            try await transport.send(HTTPRequest(url: "http://127.0.0.1:\(port)/"))
        }
        let server = try TestServer(answering: "HTTP/1.1 204 No Content\r\n\r\n")
        #expect(try await transport.send(HTTPRequest(url: server.url())).status == 204)
    }

    private func expectLost(after bytes: [UInt8], from server: TestServer) async throws {
        let body = try await transport.send(HTTPRequest(url: server.url())).body
        var received: [UInt8] = []
        let error = await #expect(throws: TransferError.self) {
            for try await chunk in body { received += chunk }
        }
        #expect(received == bytes)
        #expect(error?.code == .connectionLost)
    }
}
