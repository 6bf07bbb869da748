import Dispatch
import Foundation

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A connection that shows what an HTTP library hides: where each chunk begins, and whether the end was orderly.
///
/// Its calls block, so each runs on a Dispatch queue of the connection's own. `@unchecked`: all state is read and
/// written on that serial queue alone.
final class RawClient: @unchecked Sendable {
    struct Head: Sendable {
        let status: Int
        let headers: [String: String]
    }

    /// What came after the head.
    enum Piece: Equatable, Sendable {
        case chunk(String)
        /// The final chunk.
        case end
        /// The connection was closed.
        case closed
    }

    struct Unexpected: Error {
        let text: String
    }

    private let queue = DispatchQueue(label: "RawClient")
    private var descriptor: Int32 = -1
    private var buffer: [UInt8] = []

    /// Connects to a stand-in's URL.
    init(_ url: String) throws {
        let port = try Self.port(url)
        #if canImport(Glibc)
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafeBytes(of: &address) {
            connect(descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
        // A test that waits for what never comes fails instead of hanging.
        var patience = timeval(tv_sec: 120, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard connected == 0 else { throw Unexpected(text: "no connection to \(url)") }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Sends a request and reads the head of its answer.
    func request(_ method: String, _ path: String, body: String = "") async throws -> Head {
        try await sendRequest(method, path, body: body)
        return try await head()
    }

    /// Sends a request.
    func sendRequest(_ method: String, _ path: String, body: String = "") async throws {
        try await run { [self] in
            write("\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
    }

    /// Reads the head of the answer to a request that was only sent.
    func head() async throws -> Head {
        try await run { [self] in try readHead() }
    }

    /// The body of an answer with a Content-Length.
    func body(of head: Head) async throws -> String {
        let length = Int(head.headers["Content-Length"] ?? "") ?? 0
        return try await run { [self] in String(decoding: try take(length), as: UTF8.self) }
    }

    /// The next piece of a chunked answer.
    func piece() async throws -> Piece {
        try await run { [self] in try readPiece() }
    }

    /// The rest of a chunked answer.
    func rest() async throws -> [Piece] {
        try await run { [self] in
            var pieces: [Piece] = []
            while pieces.last != .end, pieces.last != .closed { pieces.append(try readPiece()) }
            return pieces
        }
    }

    /// Closes the connection: in an orderly way, or by a reset.
    func hangUp(resetting: Bool = false) async throws {
        try await run { [self] in
            var linger = linger(l_onoff: resetting ? 1 : 0, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
            close(descriptor)
            descriptor = -1
        }
    }

    private func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result(catching: work)) }
        }
    }

    private func write(_ text: String) {
        #if canImport(Glibc)
        let flags = Int32(MSG_NOSIGNAL)
        #else
        let flags: Int32 = 0
        #endif
        _ = send(descriptor, text, text.utf8.count, flags)
    }

    private func readHead() throws -> Head {
        let status = try line().split(separator: " ")
        guard status.count > 1, let code = Int(status[1]) else { throw Unexpected(text: "status line \(status)") }
        var headers: [String: String] = [:]
        while case let header = try line(), !header.isEmpty {
            let colon = header.firstIndex(of: ":") ?? header.endIndex
            headers[String(header[..<colon])] = header[colon...].dropFirst().trimmingCharacters(in: .whitespaces)
        }
        return Head(status: code, headers: headers)
    }

    private func readPiece() throws -> Piece {
        do {
            guard let size = Int(try line(), radix: 16) else { throw Unexpected(text: "chunk size") }
            let bytes = try take(size)
            _ = try line()
            return size == 0 ? .end : .chunk(String(decoding: bytes, as: UTF8.self))
        } catch is Closed {
            return .closed
        }
    }

    private struct Closed: Error {}

    private func line() throws -> String {
        var end = buffer.firstIndex(of: UInt8(ascii: "\n"))
        while end == nil {
            try receive()
            end = buffer.firstIndex(of: UInt8(ascii: "\n"))
        }
        let bytes = try take((end ?? 0) + 1)
        return String(decoding: bytes.dropLast(2), as: UTF8.self)
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while buffer.count < count { try receive() }
        defer { buffer.removeFirst(count) }
        return Array(buffer.prefix(count))
    }

    private func receive() throws {
        var piece = [UInt8](repeating: 0, count: 65_536)
        var count: Int
        // With a time limit, being stopped and told to go on interrupts it (signal(7)).
        repeat { count = recv(descriptor, &piece, piece.count, 0) } while count < 0 && errno == EINTR
        if count == 0 || (count < 0 && errno == ECONNRESET) { throw Closed() }
        if count < 0 { throw Unexpected(text: "recv: \(String(cString: strerror(errno)))") }
        buffer += piece.prefix(count)
    }

    private static func port(_ url: String) throws -> UInt16 {
        guard let text = url.split(separator: ":").last, let port = UInt16(text) else { throw Unexpected(text: url) }
        return port
    }
}
