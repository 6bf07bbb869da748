#if os(Linux)
import CSockDiag
#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// The requests and answers of sock_diag(7) for TCP, as bytes. Pure: no socket here.
enum SockDiagMessages {
    /// A TCP connection, seen from one of its ends.
    struct Connection: Hashable {
        var local: IPAddress
        var localPort: UInt16
        var remote: IPAddress
        var remotePort: UInt16

        /// The same with IPv4 addresses that an IPv6 socket has mapped.
        var unmapped: Connection {
            var plain = self
            plain.local = local.mappedIPv4 ?? local
            plain.remote = remote.mappedIPv4 ?? remote
            return plain
        }
    }

    /// One socket that an answer tells of.
    struct Entry: Hashable {
        var connection: Connection
        var state: UInt8
        var userID: UInt32
        var inode: UInt64
        var isIPv6Only: Bool?
    }

    /// What one message of the kernel brings.
    enum Answer: Hashable {
        case entries([Entry], isLast: Bool)
        /// An errno.
        case refused(Int32)
        /// It is cut off, or no answer to a request of ours.
        case malformed
    }

    /// Asks for every socket of a family that listens, on any port or on one.
    static func listeners(isIPv6: Bool, port: UInt16 = 0) -> [UInt8] {
        var request = inet_diag_req_v2()
        request.sdiag_family = UInt8(isIPv6 ? AF_INET6 : AF_INET)
        request.sdiag_protocol = UInt8(IPPROTO_TCP)
        request.idiag_states = 1 << listen
        request.id.idiag_sport = port.bigEndian
        return message(request, flags: UInt16(NLM_F_REQUEST | NLM_F_DUMP))
    }

    /// Asks for one end of one connection.
    static func socket(_ connection: Connection) -> [UInt8] {
        var request = inet_diag_req_v2()
        request.sdiag_family = UInt8(connection.local.isIPv6 ? AF_INET6 : AF_INET)
        request.sdiag_protocol = UInt8(IPPROTO_TCP)
        request.idiag_states = .max
        request.id.idiag_sport = connection.localPort.bigEndian
        request.id.idiag_dport = connection.remotePort.bigEndian
        connection.local.withBytes { bytes in
            withUnsafeMutableBytes(of: &request.id.idiag_src) { $0.copyMemory(from: bytes) }
        }
        connection.remote.withBytes { bytes in
            withUnsafeMutableBytes(of: &request.id.idiag_dst) { $0.copyMemory(from: bytes) }
        }
        // INET_DIAG_NOCOOKIE: any socket with these addresses will do.
        request.id.idiag_cookie = (.max, .max)
        return message(request, flags: UInt16(NLM_F_REQUEST))
    }

    /// `TCP_LISTEN` of the kernel's include/net/tcp_states.h.
    static let listen: UInt8 = 10

    /// Reads a datagram of the kernel, which holds one message or several (netlink(7)).
    static func answer(_ datagram: UnsafeRawBufferPointer) -> Answer {
        var entries: [Entry] = []
        var rest = datagram[...]
        while rest.count >= MemoryLayout<nlmsghdr>.size {
            let header = UnsafeRawBufferPointer(rebasing: rest).loadUnaligned(as: nlmsghdr.self)
            let length = Int(header.nlmsg_len)
            guard length >= MemoryLayout<nlmsghdr>.size, length <= rest.count else { return .malformed }
            let body = UnsafeRawBufferPointer(rebasing: rest.prefix(length).dropFirst(MemoryLayout<nlmsghdr>.size))
            switch Int32(header.nlmsg_type) {
            case NLMSG_DONE: return .entries(entries, isLast: true)
            case NLMSG_ERROR:
                guard body.count >= 4 else { return .malformed }
                return .refused(-body.loadUnaligned(as: Int32.self))
            case Int32(SOCK_DIAG_BY_FAMILY):
                guard let entry = entry(body) else { return .malformed }
                entries.append(entry)
            default: break
            }
            rest = rest.dropFirst(aligned(length))
        }
        return .entries(entries, isLast: false)
    }

    private static func message(_ request: inet_diag_req_v2, flags: UInt16) -> [UInt8] {
        var header = nlmsghdr()
        header.nlmsg_len = UInt32(MemoryLayout<nlmsghdr>.size + MemoryLayout<inet_diag_req_v2>.size)
        header.nlmsg_type = UInt16(SOCK_DIAG_BY_FAMILY)
        header.nlmsg_flags = flags
        return withUnsafeBytes(of: header, Array.init) + withUnsafeBytes(of: request, Array.init)
    }

    private static func entry(_ body: UnsafeRawBufferPointer) -> Entry? {
        guard body.count >= MemoryLayout<inet_diag_msg>.size else { return nil }
        let message = body.loadUnaligned(as: inet_diag_msg.self)
        let isIPv6 = Int32(message.idiag_family) == AF_INET6
        guard isIPv6 || Int32(message.idiag_family) == AF_INET,
            let local = withUnsafeBytes(of: message.id.idiag_src, { IPAddress($0, isIPv6: isIPv6) }),
            let remote = withUnsafeBytes(of: message.id.idiag_dst, { IPAddress($0, isIPv6: isIPv6) })
        else { return nil }
        let connection = Connection(
            local: local,
            localPort: UInt16(bigEndian: message.id.idiag_sport),
            remote: remote,
            remotePort: UInt16(bigEndian: message.id.idiag_dport)
        )
        return Entry(
            connection: connection,
            state: message.idiag_state,
            userID: message.idiag_uid,
            inode: UInt64(message.idiag_inode),
            isIPv6Only: isIPv6Only(body.dropFirst(MemoryLayout<inet_diag_msg>.size))
        )
    }

    /// Looks for `INET_DIAG_SKV6ONLY` among the attributes: each a length, a type and a value, padded to four bytes.
    private static func isIPv6Only(_ attributes: UnsafeRawBufferPointer.SubSequence) -> Bool? {
        var rest = attributes
        while rest.count >= MemoryLayout<nlattr>.size {
            let header = UnsafeRawBufferPointer(rebasing: rest).loadUnaligned(as: nlattr.self)
            let length = Int(header.nla_len)
            guard length >= MemoryLayout<nlattr>.size, length <= rest.count else { return nil }
            if Int(header.nla_type) == Int(INET_DIAG_SKV6ONLY), length > MemoryLayout<nlattr>.size {
                return rest[rest.startIndex + MemoryLayout<nlattr>.size] != 0
            }
            rest = rest.dropFirst(aligned(length))
        }
        return nil
    }

    private static func aligned(_ length: Int) -> Int { (length + 3) & ~3 }
}
#endif
