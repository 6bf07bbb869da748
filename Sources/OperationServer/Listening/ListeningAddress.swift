#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// An address and port of this machine, as the system takes it.
struct ListeningAddress {
    private var storage = sockaddr_storage()
    private let size: socklen_t

    /// Finds the address of a host.
    ///
    /// - Parameters:
    ///   - host: an IPv4 or IPv6 address, or a name of this machine such as `localhost`. IPv4 is taken where a name has both.
    ///   - port: 0 for any free one.
    /// - Throws: `ServerError`: `invalid_host`.
    init(host: String, port: UInt16) throws(ServerError) {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        #if canImport(Glibc)
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
        hints.ai_socktype = SOCK_STREAM
        #endif
        hints.ai_flags = AI_PASSIVE
        var found: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, String(port), &hints, &found)
        defer { if let found { freeaddrinfo(found) } }
        let candidates = sequence(first: found, next: { $0?.pointee.ai_next }).prefix { $0 != nil }.compactMap(\.self)
        guard result == 0, !host.isEmpty,
            let chosen = candidates.first(where: { $0.pointee.ai_family == AF_INET }) ?? candidates.first,
            let address = chosen.pointee.ai_addr
        else {
            throw ServerError(
                .invalidHost,
                "The host '\(host)' is neither an address nor a known name: give one of this machine's, such as 127.0.0.1."
            )
        }
        size = chosen.pointee.ai_addrlen
        withUnsafeMutableBytes(of: &storage) { bytes in
            bytes.copyMemory(from: UnsafeRawBufferPointer(start: address, count: min(Int(size), bytes.count)))
        }
    }

    /// The address at which a socket is bound.
    init?(of descriptor: Int32) {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        guard result == 0 else { return nil }
        self.storage = storage
        self.size = size
    }

    var family: Int32 { Int32(storage.ss_family) }

    var port: UInt16 {
        // The port stands at the same place in both kinds of address.
        withUnsafeBytes(of: storage) { UInt16(bigEndian: $0.loadUnaligned(as: sockaddr_in.self).sin_port) }
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
        }
    }

    /// The address as people write it.
    var text: String { withPointer { SocketAddress.text($0, $1) } ?? "?" }
}

/// The other end of a connection.
enum SocketAddress {
    /// The address without its port, as people write it.
    static func text(_ address: UnsafePointer<sockaddr>, _ size: socklen_t) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(NI_MAXHOST)) { text in
            let result = getnameinfo(address, size, text.baseAddress, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
            guard result == 0, let start = text.baseAddress else { return nil }
            return String(cString: start)
        }
    }

    /// The address of the peer of a connected socket.
    static func text(ofPeerOf descriptor: Int32) -> String? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                getpeername(descriptor, address, &size) == 0 ? text(address, size) : nil
            }
        }
    }
}
