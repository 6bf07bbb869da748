import OperationTransfer
import TestSockets
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(Patience.minutes))) struct ResponseTests {
    private let transport = CurlTransport()

    @Test func givesStatusHeadersAndBody() async throws {
        let server = try TestServer(answering: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nx-a: 2\r\n\r\nhello")
        let response = try await transport.send(HTTPRequest(url: server.url()))
        #expect(response.status == 200)
        #expect(response.headers.values(for: "X-A") == ["1", "2"])
        #expect(try await response.body.collect(upTo: 5) == Array("hello".utf8))
    }

    @Test(arguments: [400, 404, 500, 503])
    func takesAnyStatusForAnAnswer(status: Int) async throws {
        let server = try TestServer(answering: "HTTP/1.1 \(status) Whatever\r\nContent-Length: 3\r\n\r\nwhy")
        let response = try await transport.send(HTTPRequest(url: server.url()))
        #expect(response.status == status)
        #expect(try await response.body.collect(upTo: 100) == Array("why".utf8))
    }

    @Test func readsAChunkedBodyToItsEnd() async throws {
        let server = try TestServer(
            answering:
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n"
        )
        let response = try await transport.send(HTTPRequest(url: server.url()))
        #expect(try await response.body.collect(upTo: 100) == Array("abcde".utf8))
        #expect(response.headers["X-Trailer"] == nil)
    }

    @Test func readsABodyThatEndsWithTheConnection() async throws {
        let server = try TestServer(answering: "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc")
        let response = try await transport.send(HTTPRequest(url: server.url()))
        #expect(try await response.body.collect(upTo: 100) == Array("abc".utf8))
    }

    @Test func hasNoBodyForHead() async throws {
        let server = try TestServer(answering: "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        let response = try await transport.send(HTTPRequest(.head, url: server.url()))
        #expect(response.headers["Content-Length"] == "1000")
        #expect(try await response.body.collect(upTo: 0) == [])
    }

    @Test func stillGivesTheEndAfterTheEnd() async throws {
        let server = try TestServer(answering: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
        var iterator = try await transport.send(HTTPRequest(url: server.url())).body.makeAsyncIterator()
        #expect(try await iterator.next() == [UInt8(ascii: "x")])
        #expect(try await iterator.next() == nil)
        #expect(try await iterator.next() == nil)
    }

    @Test func skipsInterimAnswers() async throws {
        let server = try TestServer(
            answering: "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        )
        let response = try await transport.send(HTTPRequest(url: server.url()))
        #expect(response.status == 200)
        #expect(response.headers["X-Early"] == nil)
    }

    @Test func returnsTheHeadBeforeTheBodyBegins() async throws {
        let headIsThere = TestValue<Void>()
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
            headIsThere.waitBlocking()
            try connection.write("abc")
        }
        let response = try await transport.send(HTTPRequest(url: server.url()))
        headIsThere.set()
        #expect(try await response.body.collect(upTo: 3) == Array("abc".utf8))
    }

    @Test func handsOverEachPieceWithoutWaitingForTheNext() async throws {
        let isRead = (0..<50).map { _ in TestValue<Void>() }
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for event in isRead {
                try connection.writeChunk(Array("{}\n".utf8))
                event.waitBlocking()
            }
        }
        let body = try await transport.send(HTTPRequest(url: server.url())).body
        var lines = body.lines().makeAsyncIterator()
        for event in isRead {
            #expect(try await lines.next() == Array("{}".utf8))
            event.set()
        }
    }

    @Test func usesAConnectionAgain() async throws {
        let server = try TestServer { connection in
            while true {
                let request = try connection.readRequest()
                try connection.write(
                    "HTTP/1.1 200 OK\r\nContent-Length: \(request.line.utf8.count)\r\n\r\n\(request.line)"
                )
            }
        }
        for number in 0..<5 {
            let body = try await transport.send(HTTPRequest(url: server.url("/\(number)"))).body
            #expect(try await body.collect(upTo: 100) == Array("GET /\(number) HTTP/1.1".utf8))
        }
        #expect(server.connectionCount == 1)
    }

    @Test func carriesManyTransfersAtOnce() async throws {
        let server = try TestServer { connection in
            let request = try connection.readRequest()
            let body = [UInt8](repeating: UInt8(request.body.count), count: 300_000)
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\nConnection: close\r\n\r\n")
            try connection.write(body)
        }
        try await withThrowingTaskGroup { group in
            for number in 1...40 {
                group.addTask {
                    let request = HTTPRequest(.post, url: server.url(), body: [UInt8](repeating: 0, count: number))
                    let body = try await transport.send(request).body.collect(upTo: 1_000_000)
                    #expect(body == [UInt8](repeating: UInt8(number), count: 300_000))
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func refusesASecondReaderAtTheSameTime() async throws {
        let isRefused = TestValue<Void>()
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n")
            isRefused.waitBlocking()
            try connection.write("x")
        }
        let body = try await transport.send(HTTPRequest(url: server.url())).body
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    do {
                        return try await body.collect(upTo: 1) == [UInt8(ascii: "x")]
                    } catch {
                        isRefused.set()
                        return false
                    }
                }
            }
            #expect(await group.reduce(into: 0) { $0 += $1 ? 1 : 0 } == 1)
        }
    }

    @Test func aBodyKeepsItsTransportAtWork() async throws {
        let isLetGo = TestValue<Void>()
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
            isLetGo.waitBlocking()
            try connection.write("abc")
        }
        let body = try await CurlTransport().send(HTTPRequest(url: server.url())).body
        isLetGo.set()
        #expect(try await body.collect(upTo: 3) == Array("abc".utf8))
    }
}

extension TestServer {
    /// A server that answers the first request of each connection with `answer`, and closes.
    convenience init(answering answer: String) throws {
        try self.init { connection in
            try connection.readRequest()
            try connection.write(answer)
        }
    }
}
