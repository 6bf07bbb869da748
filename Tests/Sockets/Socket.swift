#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A system call that failed, by its name and `errno`.
public struct SocketError: Error, CustomStringConvertible {
    /// The name of the call.
    public let call: String
    /// What `errno` was.
    public let code: Int32

    init(_ call: String) {
        self.call = call
        code = errno
    }

    /// Whether nothing came in the time that a test waits.
    public var isOverdue: Bool { code == EAGAIN }

    /// The call and the system's words for what went wrong.
    public var description: String { "\(call): \(String(cString: strerror(code)))" }
}

/// The few calls on IPv4 loopback sockets that the test servers are made of.
enum Socket {
    static func make() throws -> Int32 {
        #if canImport(Glibc)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        guard descriptor >= 0 else { throw SocketError("socket") }
        return descriptor
    }

    /// A socket that listens on a port of the system's choice.
    static func listening(backlog: Int32, receiveBuffer: Int? = nil) throws -> (descriptor: Int32, port: Int) {
        let descriptor = try make()
        if var size = receiveBuffer.map(Int32.init) {
            // Before listening: the connections inherit it.
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        guard withLoopback(port: 0, { bind(descriptor, $0, $1) }) == 0 else { throw SocketError("bind") }
        guard listen(descriptor, backlog) == 0 else { throw SocketError("listen") }
        return (descriptor, try port(of: descriptor))
    }

    /// A port of the system's choice that a socket is bound to, which stays and doesn't listen.
    static func reservedPort() throws -> Int {
        let descriptor = try make()
        // A child would keep it longer than the tests.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard withLoopback(port: 0, { bind(descriptor, $0, $1) }) == 0 else { throw SocketError("bind") }
        return try port(of: descriptor)
    }

    /// Connects, or begins to where the socket doesn't block.
    /// - Returns: whether it is connected.
    @discardableResult
    static func connect(_ descriptor: Int32, toPort port: Int) -> Bool {
        withLoopback(port: port) { address, length in
            #if canImport(Glibc)
            Glibc.connect(descriptor, address, length)
            #else
            Darwin.connect(descriptor, address, length)
            #endif
        } == 0
    }

    static func setNonBlocking(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    private static func port(of descriptor: Int32) throws -> Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else { throw SocketError("getsockname") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private static func withLoopback(port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
