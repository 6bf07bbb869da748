import OperationTransfer
import TestSockets
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(Patience.minutes))) struct TimeoutTests {
    private let transport = CurlTransport()
    /// Long enough for a busy machine to bring in the head.
    private let lowSpeed = LowSpeedLimit(bytesPerSecond: 1000, for: .seconds(2))

    @Test func endsAConnectThatTakesTooLong() async throws {
        let port = try UnreachablePort()
        let request = HTTPRequest(
            url: "http://127.0.0.1:\(port.port)/",
            timeouts: HTTPTimeouts(connect: .milliseconds(200))
        )
        let error = await #expect(throws: TransferError.self) { try await transport.send(request) }
        #expect(error?.code == .timeoutConnect)
        #expect(error?.message.contains("127.0.0.1:\(port.port)") == true)
    }

    @Test func endsATransferWhoseHeadIsLate() async throws {
        let isGone = TestValue<Bool>()
        let server = try TestServer { connection in
            // Whether or not the request got here in time.
            defer { isGone.set(connection.waitForPeerClose()) }
            try connection.readRequest()
        }
        let request = HTTPRequest(url: server.url(), timeouts: HTTPTimeouts(total: .seconds(1)))
        let error = await #expect(throws: TransferError.self) { try await transport.send(request) }
        #expect(error?.code == .timeoutTotal)
        #expect(await isGone.value())
    }

    @Test func endsATransferWhoseBodyIsLateHoweverFastItIs() async throws {
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while true {
                try connection.writeChunk([UInt8](repeating: 0, count: 100_000))
                connection.pauseBriefly()
            }
        }
        let request = HTTPRequest(
            url: server.url(),
            timeouts: HTTPTimeouts(lowSpeed: lowSpeed, total: .seconds(6))
        )
        let body = try await transport.send(request).body
        let error = await #expect(throws: TransferError.self) { for try await _ in body {} }
        #expect(error?.code == .timeoutTotal)
    }

    @Test func endsATransferWhoseReaderStandsStill() async throws {
        let isGone = TestValue<Bool>()
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
            _ = connection.writeUntilBlocked(limit: 100_000_000)
            isGone.set(connection.waitForPeerClose())
        }
        let request = HTTPRequest(url: server.url(), timeouts: HTTPTimeouts(total: .seconds(4)))
        let body = try await transport.send(request).body
        #expect(await isGone.value())
        let error = await #expect(throws: TransferError.self) { for try await _ in body {} }
        #expect(error?.code == .timeoutTotal)
    }

    @Test func endsATransferThatStallsBeforeTheHead() async throws {
        let server = try TestServer { connection in
            try connection.readRequest()
            _ = connection.waitForPeerClose()
        }
        let request = HTTPRequest(url: server.url(), timeouts: HTTPTimeouts(lowSpeed: lowSpeed))
        let error = await #expect(throws: TransferError.self) { try await transport.send(request) }
        #expect(error?.code == .timeoutStalled)
    }

    @Test func endsATransferThatStallsInItsBodyAfterWhatArrived() async throws {
        let isGone = TestValue<Bool>()
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")
            isGone.set(connection.waitForPeerClose())
        }
        let request = HTTPRequest(url: server.url(), timeouts: HTTPTimeouts(lowSpeed: lowSpeed))
        let body = try await transport.send(request).body
        var received: [UInt8] = []
        let error = await #expect(throws: TransferError.self) { for try await chunk in body { received += chunk } }
        #expect(received == Array("abc".utf8))
        #expect(error?.code == .timeoutStalled)
        #expect(await isGone.value())
    }

    @Test func doesNotTakeAReadersPauseForLowSpeed() async throws {
        let size = 20_000_000
        let isBlocked = TestValue<Void>()
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
            // More than two periods.
            let sent = connection.writeUntilBlocked(limit: size, for: .seconds(5))
            isBlocked.set()
            try connection.write([UInt8](repeating: 0, count: size - sent))
        }
        let request = HTTPRequest(url: server.url(), timeouts: HTTPTimeouts(lowSpeed: lowSpeed))
        let body = try await transport.send(request).body
        await isBlocked.value()
        #expect(try await body.collect(upTo: size).count == size)
    }

    @Test func countsWhatIsSentAsMovement() async throws {
        // The server takes the request's body at some 10 MB/s, for more than two periods; the system's buffers are read empty in
        // less than half of one, which is how long nothing moves before the answer.
        let size = 48_000_000
        let server = try TestServer(receiveBuffer: 64 << 10) { connection in
            try connection.readSlowly(size, piece: 500_000, every: .milliseconds(50))
            try connection.write("HTTP/1.1 204 No Content\r\n\r\n")
        }
        let request = HTTPRequest(
            .post,
            url: server.url(),
            body: [UInt8](repeating: 0, count: size),
            timeouts: HTTPTimeouts(lowSpeed: lowSpeed)
        )
        #expect(try await transport.send(request).status == 204)
    }
}
