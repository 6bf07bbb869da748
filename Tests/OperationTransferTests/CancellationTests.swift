import OperationTransfer
import TestSockets
import TestSupport
import Testing

/// However a transfer is given up, the server sees the connection closed.
@Suite(.timeLimit(.minutes(Patience.minutes))) struct CancellationTests {
    private let transport = CurlTransport()

    @Test func beforeTheHead() async throws {
        let server = try HoldingServer(sending: "")
        let task = Task { try await transport.send(HTTPRequest(url: server.url)) }
        await server.hasSent.value()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(await server.isGone.value())
    }

    @Test func beforeSending() async throws {
        let server = try HoldingServer(sending: "")
        let mayBegin = TestValue<Void>()
        let task = Task {
            await mayBegin.value()
            return try await transport.send(HTTPRequest(url: server.url))
        }
        task.cancel()
        mayBegin.set()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func whileConnecting() async throws {
        let port = try UnreachablePort()
        let mayCancel = TestValue<Void>()
        let task = Task {
            mayCancel.set()
            return try await transport.send(HTTPRequest(url: "http://127.0.0.1:\(port.port)/"))
        }
        await mayCancel.value()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func whileAChunkIsAwaited() async throws {
        let server = try HoldingServer(sending: "abc")
        let firstIsRead = TestValue<Void>()
        let task = Task {
            for try await _ in try await transport.send(HTTPRequest(url: server.url)).body { firstIsRead.set() }
        }
        await firstIsRead.value()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(await server.isGone.value())
    }

    @Test func betweenChunksEvenWhereMoreHasArrived() async throws {
        let server = try HoldingServer(sending: String(repeating: "x", count: 5_000_000))
        let firstIsRead = TestValue<Void>()
        let isCancelled = TestValue<Void>()
        let body = try await transport.send(HTTPRequest(url: server.url)).body
        let task = Task {
            var chunks = 0
            do {
                for try await _ in body {
                    chunks += 1
                    firstIsRead.set()
                    await isCancelled.value()
                }
            } catch is CancellationError {}
            return chunks
        }
        await firstIsRead.value()
        task.cancel()
        isCancelled.set()
        #expect(try await task.value == 1)
        #expect(await server.isGone.value())
        await #expect(throws: CancellationError.self) { try await body.collect(upTo: .max) }
    }

    @Test func whenTheBodyIsDroppedUnread() async throws {
        let server = try HoldingServer(sending: "abc")
        #expect(try await transport.send(HTTPRequest(url: server.url)).status == 200)
        #expect(await server.isGone.value())
    }

    @Test func whenTheBodyIsDroppedWhileCurlIsPaused() async throws {
        let server = try HoldingServer(sending: String(repeating: "x", count: 20_000_000), untilBlocked: true)
        var body: HTTPBody? = try await transport.send(HTTPRequest(url: server.url)).body
        await server.hasSent.value()
        #expect(body != nil)
        body = nil
        #expect(await server.isGone.value())
    }

    @Test func whenReadingStopsHalfWay() async throws {
        let server = try HoldingServer(sending: "abc")
        for try await _ in try await transport.send(HTTPRequest(url: server.url)).body { break }
        #expect(await server.isGone.value())
    }

    @Test func leavesOtherTransfersAlone() async throws {
        let held = try HoldingServer(sending: "abc")
        let mayEnd = TestValue<Void>()
        let other = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
            mayEnd.waitBlocking()
            try connection.write("abc")
        }
        let body = try await transport.send(HTTPRequest(url: other.url())).body
        _ = try await transport.send(HTTPRequest(url: held.url))
        #expect(await held.isGone.value())
        mayEnd.set()
        #expect(try await body.collect(upTo: 3) == Array("abc".utf8))
    }

    @Test func atAnyMomentLosesNothingAndHangsNowhere() async throws {
        let server = try TestServer { connection in
            while true {
                try connection.readRequest()
                try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n")
                try connection.write([UInt8](repeating: 0, count: 400_000))
            }
        }
        await withTaskGroup { group in
            for number in 0..<200 {
                group.addTask {
                    let task = Task {
                        try await transport.send(HTTPRequest(url: server.url())).body.collect(upTo: 400_000).count
                    }
                    for _ in 0..<(number % 50) { await Task.yield() }
                    task.cancel()
                    switch await task.result {
                    case .success(let count): #expect(count == 400_000)
                    case .failure(let error): #expect(error is CancellationError)
                    }
                }
            }
        }
    }
}

/// Sends the beginning of an answer that never ends, and watches for the client to close.
private struct HoldingServer {
    let hasSent = TestValue<Void>()
    let isGone = TestValue<Bool>()
    let url: String
    private let server: TestServer

    /// - Parameter body: the beginning of the body; with an empty one the head isn't sent either.
    init(sending body: String, untilBlocked: Bool = false) throws {
        server = try TestServer { [hasSent, isGone] connection in
            defer { isGone.set(connection.waitForPeerClose()) }
            try connection.readRequest()
            if !body.isEmpty { try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n") }
            if untilBlocked {
                _ = connection.writeUntilBlocked(limit: body.utf8.count)
            } else {
                try connection.write(body)
            }
            hasSent.set()
        }
        url = server.url()
    }
}
