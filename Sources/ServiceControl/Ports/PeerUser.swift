#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Finds the user at the other end of a connection within this machine.
public enum PeerUser {
    /// The user whose process has the other end of a TCP connection over loopback.
    ///
    /// One question to the kernel (sock_diag(7)), once a connection. The answer is the user that made the peer's socket, at
    /// the moment of asking.
    ///
    /// - Parameter descriptor: a connected TCP socket, such as a server has accepted.
    /// - Returns: a user id in this process's user namespace; `nil` when it can't be told for sure: the peer is not on loopback, its
    ///   socket is gone or closed already, its user has no number here, or the system doesn't say (Darwin).
    public static func userID(ofPeerOf descriptor: Int32) -> UInt32? {
        #if os(Linux)
        guard let server = endpoint(of: descriptor, getsockname), let client = endpoint(of: descriptor, getpeername),
            client.address.isLoopback, server.address.isLoopback
        else { return nil }
        let connection = SockDiagMessages.Connection(
            local: client.address,
            localPort: client.port,
            remote: server.address,
            remotePort: server.port
        )
        return SockDiagSocket()?.socket(connection).flatMap(userID)
        #else
        return nil
        #endif
    }
}

#if os(Linux)
extension PeerUser {
    /// A socket that no process has any more, as one in TIME_WAIT, is given with user 0 and inode 0: that is not root's. The
    /// number that stands for every user without one here (`/proc/sys/kernel/overflowuid`) is nobody's in particular.
    static func userID(of entry: SockDiagMessages.Entry) -> UInt32? {
        entry.inode != 0 && entry.userID != 65534 ? entry.userID : nil
    }

    private typealias Name = (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32

    /// An IPv4 connection to a socket that takes both kinds has mapped addresses on the server's side, and its own on the
    /// client's.
    private static func endpoint(of descriptor: Int32, _ name: Name) -> (address: IPAddress, port: UInt16)? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name(descriptor, $0, &size) }
        }
        guard result == 0 else { return nil }
        return withUnsafeBytes(of: storage) { bytes in
            switch Int32(storage.ss_family) {
            case AF_INET:
                let socket = bytes.loadUnaligned(as: sockaddr_in.self)
                return withUnsafeBytes(of: socket.sin_addr) { IPAddress($0, isIPv6: false) }
                    .map { ($0, UInt16(bigEndian: socket.sin_port)) }
            case AF_INET6:
                let socket = bytes.loadUnaligned(as: sockaddr_in6.self)
                return withUnsafeBytes(of: socket.sin6_addr) { IPAddress($0, isIPv6: true) }
                    .map { ($0.mappedIPv4 ?? $0, UInt16(bigEndian: socket.sin6_port)) }
            default: return nil
            }
        }
    }
}
#endif
