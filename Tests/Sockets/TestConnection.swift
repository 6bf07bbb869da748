#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A request as it came over the wire.
public struct TestRequest: Sendable {
    /// The request line.
    public let line: String
    /// The field lines, as they came.
    public let fieldLines: [String]
    /// The body, as long as `Content-Length` says.
    public let body: [UInt8]

    /// The value of the first field of that name.
    public func header(_ name: String) -> String? {
        let prefix = name.lowercased() + ":"
        let line = fieldLines.first { $0.lowercased().hasPrefix(prefix) }
        return line.map { String($0.dropFirst(prefix.count).drop(while: { $0 == " " })) }
    }
}

/// The server's end of a connection. Belongs to the thread of its script.
public final class TestConnection {
    private var descriptor: Int32?
    private var unread: [UInt8] = []

    init(descriptor: Int32) {
        self.descriptor = descriptor
        // So that a test that goes wrong ends, and says so.
        var timeout = timeval(tv_sec: 120, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        #if canImport(Darwin)
        setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
        #endif
    }

    /// Reads one request.
    /// - Throws: ``SocketError`` when the client closes first.
    @discardableResult
    public func readRequest() throws -> TestRequest {
        let blank = Array("\r\n\r\n".utf8)
        while true {
            if let end = unread.indices.first(where: { unread[$0...].starts(with: blank) }) {
                let lines = String(decoding: unread[..<end], as: UTF8.self).split(separator: "\r\n").map(String.init)
                unread.removeSubrange(..<(end + blank.count))
                let bare = TestRequest(line: lines[0], fieldLines: Array(lines.dropFirst()), body: [])
                let length = bare.header("Content-Length").flatMap { Int($0) } ?? 0
                while unread.count < length { unread += try receive() }
                defer { unread.removeSubrange(..<length) }
                return TestRequest(line: bare.line, fieldLines: bare.fieldLines, body: Array(unread[..<length]))
            }
            unread += try receive()
        }
    }

    /// Sends all of `bytes`.
    public func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor ?? -1, $0.baseAddress, $0.count, Self.noSignal) }
            guard count > 0 else { throw SocketError("send") }
            rest = rest.dropFirst(count)
        }
    }

    /// Sends all of `text`.
    public func write(_ text: String) throws {
        try write(Array(text.utf8))
    }

    /// Sends as a chunk of a chunked body (RFC 9112, section 7.1).
    public func writeChunk(_ bytes: [UInt8]) throws {
        try write(Array((String(bytes.count, radix: 16) + "\r\n").utf8) + bytes + Array("\r\n".utf8))
    }

    /// Sends zeros for as long as they are taken.
    /// - Returns: how many were taken, up to `limit`, before there was no room for `time`.
    public func writeUntilBlocked(limit: Int, for time: Duration = .seconds(1)) -> Int {
        let block = [UInt8](repeating: 0, count: 64 << 10)
        var total = 0
        while total < limit {
            let count = block.withUnsafeBytes {
                send(
                    descriptor ?? -1,
                    $0.baseAddress,
                    min($0.count, limit - total),
                    Self.noSignal | Int32(MSG_DONTWAIT)
                )
            }
            if count > 0 {
                total += count
                continue
            }
            var item = pollfd(fd: descriptor ?? -1, events: Int16(POLLOUT), revents: 0)
            guard poll(&item, 1, Int32(time / .milliseconds(1))) == 1, item.revents == Int16(POLLOUT) else { break }
        }
        return total
    }

    /// Reads at least `count` bytes and throws them away, `piece` bytes and then a pause at a time.
    public func readSlowly(_ count: Int, piece: Int, every pause: Duration) throws {
        var total = 0
        while total < count {
            let next = min(count, total + piece)
            while total < next { total += try receive().count }
            usleep(UInt32(pause / .microseconds(1)))
        }
    }

    /// Waits until the client has closed the connection; what still comes is thrown away.
    /// - Returns: `false` when it has not after two minutes.
    public func waitForPeerClose() -> Bool {
        while true {
            do {
                _ = try receive()
            } catch let error as SocketError {
                return error.code != EAGAIN
            } catch {
                return false
            }
        }
    }

    /// Blocks the thread for a moment.
    public func pauseBriefly() { usleep(500) }

    /// Closes the connection in the regular way.
    public func close() {
        guard let descriptor else { return }
        self.descriptor = nil
        #if canImport(Glibc)
        _ = Glibc.close(descriptor)
        #else
        _ = Darwin.close(descriptor)
        #endif
    }

    /// Breaks the connection off with a TCP reset.
    public func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor ?? -1, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    /// - Throws: ``SocketError``; with code 0 at the end of the stream.
    private func receive() throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var count: Int
        // With a time limit, being stopped and told to go on interrupts it (signal(7)).
        repeat {
            errno = 0
            count = buffer.withUnsafeMutableBytes { recv(descriptor ?? -1, $0.baseAddress, $0.count, 0) }
        } while count < 0 && errno == EINTR
        guard count > 0 else { throw SocketError("recv") }
        return Array(buffer[..<count])
    }

    #if canImport(Glibc)
    private static let noSignal = Int32(MSG_NOSIGNAL)
    #else
    private static let noSignal: Int32 = 0
    #endif
}
