import Dispatch

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// An answer as it came over the wire.
public struct TestResponse: Sendable {
    /// The status code.
    public let status: Int
    /// The field lines, as they came.
    public let fieldLines: [String]
    /// The body, without a transfer coding.
    public let body: String

    /// The value of the first field of that name.
    public func header(_ name: String) -> String? {
        let prefix = name.lowercased() + ":"
        let line = fieldLines.first { $0.lowercased().hasPrefix(prefix) }
        return line.map { String($0.dropFirst(prefix.count).drop(while: { $0 == " " })) }
    }
}

/// A client that sends exactly what a test says, byte by byte. Belongs to the thread of its script.
public final class TestClient {
    private var descriptor: Int32
    private var unread: [UInt8] = []

    /// Runs a script over a new connection to a port of this machine, on a thread of its own: it may block.
    /// - Throws: what the script throws; ``SocketError`` when there is no connection.
    public static func talk<Result: Sendable>(
        to port: Int,
        receiveBuffer: Int? = nil,
        _ script: @escaping @Sendable (TestClient) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "test-client").async {
                continuation.resume(
                    with: Swift.Result {
                        let client = try TestClient(port: port, receiveBuffer: receiveBuffer)
                        defer { client.close() }
                        return try script(client)
                    }
                )
            }
        }
    }

    /// Connects.
    /// - Parameter receiveBuffer: how many bytes the system may take in before they are read; its own choice unless given.
    /// - Throws: ``SocketError``.
    public init(port: Int, receiveBuffer: Int? = nil) throws {
        descriptor = try Socket.make()
        if var size = receiveBuffer.map(Int32.init) {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        // So that a test that goes wrong ends, and says so.
        var timeout = timeval(tv_sec: 120, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        guard Socket.connect(descriptor, toPort: port) else {
            let error = SocketError("connect")
            close()
            throw error
        }
    }

    deinit { close() }

    /// Sends all of `text`.
    public func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Sends all of `bytes`.
    public func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { systemSend(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw SocketError("send") }
            rest = rest.dropFirst(count)
        }
    }

    /// Sends a request, and reads the answer.
    public func ask(_ method: String, _ target: String, headers: [String] = [], body: String? = nil) throws
        -> TestResponse
    {
        var lines = ["\(method) \(target) HTTP/1.1", "Host: 127.0.0.1"] + headers
        if let body { lines += ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"] }
        try send(lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? ""))
        return try readResponse(hasBody: method != "HEAD")
    }

    /// Reads one answer to its end.
    /// - Parameter hasBody: whether there is a body if the head says so: not in answer to HEAD.
    /// - Throws: ``SocketError`` when the server closes first.
    public func readResponse(hasBody: Bool = true) throws -> TestResponse {
        let head = try readHead()
        guard hasBody, head.status >= 200, head.status != 204, head.status != 304 else { return head }
        let body: [UInt8]
        if head.header("Transfer-Encoding") == "chunked" {
            var all: [UInt8] = []
            while let chunk = try readChunk() { all += chunk }
            body = all
        } else {
            body = try read(Int(head.header("Content-Length") ?? "") ?? 0)
        }
        return TestResponse(
            status: head.status,
            fieldLines: head.fieldLines,
            body: String(decoding: body, as: UTF8.self)
        )
    }

    /// Reads the head of an answer, and leaves its body to be read.
    public func readHead() throws -> TestResponse {
        let lines = try readLines()
        let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return TestResponse(status: status ?? 0, fieldLines: Array(lines.dropFirst()), body: "")
    }

    /// Reads the next chunk of a chunked body; `nil` at its end.
    public func readChunk() throws -> [UInt8]? {
        let size = Int(try readLine(), radix: 16) ?? 0
        let chunk = try read(size)
        _ = try readLine()
        return size == 0 ? nil : chunk
    }

    /// Reads chunks until their text contains something, or the body ends.
    /// - Returns: all their text.
    public func readChunks(until isEnough: (String) -> Bool) throws -> String {
        var text = ""
        while !isEnough(text), let chunk = try readChunk() { text += String(decoding: chunk, as: UTF8.self) }
        return text
    }

    /// Reads until the server closes the connection.
    /// - Throws: ``SocketError`` when it doesn't after some time, or breaks the connection off.
    public func readToEnd() throws -> [UInt8] {
        defer { unread = [] }
        while true {
            do {
                unread += try receive()
            } catch let error as SocketError where error.code == 0 {
                return unread
            }
        }
    }

    /// Closes its own direction: it sends nothing any more, and still reads.
    public func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Waits until the server has closed the connection; what still comes is thrown away.
    /// - Returns: `false` when it has not after some time.
    public func waitForPeerClose() -> Bool {
        while true {
            do {
                _ = try receive()
            } catch let error as SocketError {
                return !error.isOverdue
            } catch {
                return false
            }
        }
    }

    /// Blocks the thread for a moment. Never call it on a task.
    public func pauseBriefly() { usleep(500) }

    /// Closes the connection.
    public func close() {
        guard descriptor >= 0 else { return }
        systemClose(descriptor)
        descriptor = -1
    }

    private func readLines() throws -> [String] {
        var lines: [String] = []
        while true {
            let line = try readLine()
            if line.isEmpty { return lines }
            lines.append(line)
        }
    }

    private func readLine() throws -> String {
        let end = Array("\r\n".utf8)
        while true {
            if let index = unread.firstIndex(of: end[0]), unread[index...].starts(with: end) {
                let line = String(decoding: unread[..<index], as: UTF8.self)
                unread.removeSubrange(..<(index + 2))
                return line
            }
            unread += try receive()
        }
    }

    private func read(_ count: Int) throws -> [UInt8] {
        while unread.count < count { unread += try receive() }
        defer { unread.removeSubrange(..<count) }
        return Array(unread[..<count])
    }

    /// - Throws: ``SocketError``; with code 0 at the end of the stream.
    private func receive() throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var count: Int
        // With a time limit, being stopped and told to go on interrupts it (signal(7)).
        repeat {
            errno = 0
            count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
        } while count < 0 && errno == EINTR
        guard count > 0 else { throw SocketError("recv") }
        return Array(buffer[..<count])
    }
}

private func systemSend(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
    send(descriptor, bytes, count, Int32(MSG_NOSIGNAL))
    #else
    send(descriptor, bytes, count, 0)
    #endif
}

private func systemClose(_ descriptor: Int32) {
    _ = close(descriptor)
}
