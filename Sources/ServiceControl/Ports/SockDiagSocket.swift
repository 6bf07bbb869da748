#if os(Linux)
import CSockDiag
#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// Asks the kernel for sockets: one netlink socket for one question after the other.
struct SockDiagSocket: ~Copyable {
    private let descriptor: Int32

    /// `nil` where the system has no such sockets, or lets this process have none.
    init?() {
        descriptor = csockdiag_open()
        guard descriptor >= 0 else { return nil }
        // The kernel answers while it takes the question. What doesn't answer is no such kernel.
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// The TCP sockets that listen, on all ports or on one; `nil` when the kernel doesn't say.
    func listeners(port: UInt16?) -> [ListeningSocket]? {
        Self.listeners(port: port) { entries($0, isDump: true) }
    }

    /// - Parameter answer: what the kernel says to a question; `nil` when it doesn't.
    static func listeners(
        port: UInt16?,
        _ answer: (_ request: [UInt8]) -> [SockDiagMessages.Entry]?
    ) -> [ListeningSocket]? {
        var found: [ListeningSocket] = []
        for isIPv6 in [false, true] {
            // Half an answer would hide listeners. Kernels without IPv6 answer the second question, with none.
            guard let entries = answer(SockDiagMessages.listeners(isIPv6: isIPv6, port: port ?? 0)) else { return nil }
            for entry in entries where entry.state == SockDiagMessages.listen {
                found.append(
                    ListeningSocket(
                        address: entry.connection.local,
                        port: entry.connection.localPort,
                        userID: entry.userID,
                        inode: entry.inode,
                        isIPv6Only: entry.isIPv6Only
                    )
                )
            }
        }
        return found
    }

    /// The socket at one end of a connection, whose addresses are no mapped ones; `nil` when there is none.
    func socket(_ connection: SockDiagMessages.Connection) -> SockDiagMessages.Entry? {
        let entries = entries(SockDiagMessages.socket(connection), isDump: false)
        // Where there is no such connection, the kernel gives the socket that listens at the local end.
        return entries?.first { $0.connection.unmapped == connection && $0.state != SockDiagMessages.listen }
    }

    private func entries(_ request: [UInt8], isDump: Bool) -> [SockDiagMessages.Entry]? {
        guard send(descriptor, request, request.count, 0) == request.count else { return nil }
        var all: [SockDiagMessages.Entry] = []
        return withUnsafeTemporaryAllocation(byteCount: 32768, alignment: 8) { buffer in
            while true {
                guard let datagram = receive(into: buffer),
                    case .entries(let entries, let isLast) = SockDiagMessages.answer(datagram)
                else { return nil }
                all += entries
                if isLast || !isDump { return all }
            }
        }
    }

    private func receive(into buffer: UnsafeMutableRawBufferPointer) -> UnsafeRawBufferPointer? {
        while true {
            var sender = sockaddr_nl()
            var size = socklen_t(MemoryLayout<sockaddr_nl>.size)
            let count = withUnsafeMutablePointer(to: &sender) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_TRUNC), $0, &size)
                }
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0, count <= buffer.count else { return nil }
            // Only what port 0 sends is the kernel's.
            if sender.nl_pid == 0 { return UnsafeRawBufferPointer(rebasing: buffer[..<count]) }
        }
    }
}
#endif
