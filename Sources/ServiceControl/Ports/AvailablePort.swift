#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Finds out whether a server could listen on a port.
enum AvailablePort {
    /// Whether the port can be bound on every address of this machine, IPv4 and IPv6, as far as it has them.
    ///
    /// So those sockets count, too, that are bound and don't listen, which no list shows.
    static func isFree(_ port: UInt16) -> Bool {
        canBind(port, isIPv6: false) && canBind(port, isIPv6: true)
    }

    private static func canBind(_ port: UInt16, isIPv6: Bool) -> Bool {
        #if canImport(Glibc)
        let stream = Int32(SOCK_STREAM.rawValue)
        #else
        let stream = SOCK_STREAM
        #endif
        let descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, stream, 0)
        // A machine without IPv6 has nobody on the port there either.
        guard descriptor >= 0 else { return isIPv6 }
        defer { close(descriptor) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        // As servers do, so that connections that have just ended are no hindrance.
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, size)
        guard isIPv6 else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            return bound(descriptor, &address, MemoryLayout<sockaddr_in>.size)
        }
        setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, size)
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        return bound(descriptor, &address, MemoryLayout<sockaddr_in6>.size) || errno == EADDRNOTAVAIL
    }

    private static func bound<Address>(_ descriptor: Int32, _ address: inout Address, _ size: Int) -> Bool {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(size)) == 0 }
        }
    }
}
