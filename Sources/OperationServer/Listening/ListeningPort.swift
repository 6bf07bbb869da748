import OperationTracking
import ServiceControl

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A socket that listens.
struct ListeningPort {
    let descriptor: Int32
    /// Where it listens, with the port that the system chose if it was to choose one.
    let address: ListeningAddress

    /// - Parameters:
    ///   - host: see ``ListeningAddress``.
    ///   - port: 0 for any free one.
    ///   - isProtected: whether clients from elsewhere need a token.
    /// - Throws: ``ServerError``, with every code that it has.
    init(host: String, port: UInt16, isProtected: Bool) throws(ServerError) {
        let wanted = try Self.address(host: host, port: port, isProtected: isProtected)
        #if canImport(Glibc)
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        #else
        let kind = SOCK_STREAM
        #endif
        let descriptor = socket(wanted.family, kind, 0)
        guard descriptor >= 0 else { throw Self.failure(errno, host, port) }
        do throws(ServerError) {
            address = try Self.listen(descriptor, at: wanted, host)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    private static func address(
        host: String,
        port: UInt16,
        isProtected: Bool
    ) throws(ServerError) -> ListeningAddress {
        let wanted = try ListeningAddress(host: host, port: port)
        guard isProtected || IPAddress(wanted.text)?.isLoopback == true else {
            throw ServerError(
                .tokenRequired,
                "\(host) can be reached from other machines, so the server needs a token there: give it one, or listen on 127.0.0.1."
            )
        }
        return wanted
    }

    private static func listen(
        _ descriptor: Int32,
        at wanted: ListeningAddress,
        _ host: String
    ) throws(ServerError) -> ListeningAddress {
        #if canImport(Darwin)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        #endif
        // libmicrohttpd has several threads accept, and expects that one finds nothing when another was faster.
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        // Without this a server can't be started anew while connections of the last one linger in the system.
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard wanted.withPointer({ bind(descriptor, $0, $1) }) == 0, systemListen(descriptor, SOMAXCONN) == 0,
            let address = ListeningAddress(of: descriptor)
        else { throw failure(errno, host, wanted.port) }
        return address
    }

    private static func failure(_ code: Int32, _ host: String, _ port: UInt16) -> ServerError {
        switch code {
        case EADDRINUSE:
            ServerError(
                .portInUse,
                "Port \(port) is in use already\(holders(of: port)): stop that program, or choose another port (0 takes any free one)."
            )
        case EACCES, EPERM:
            ServerError(
                .permissionDenied,
                "This user may not listen on port \(port): choose one from 1024 on."
            )
        case EADDRNOTAVAIL:
            ServerError(.invalidHost, "\(host) is no address of this machine: give one that is, such as 127.0.0.1.")
        default:
            ServerError(
                .cannotListen,
                "Listening on port \(port) of \(host) failed: \(String(cString: strerror(code)))."
            )
        }
    }

    private static func holders(of port: UInt16) -> String {
        guard let use = try? PortScanner().use(of: port), !use.isFree else { return "" }
        return " by \(use.holderText)"
    }
}

extension OperationServer {
    /// Looks whether a server could listen at an address once nobody else does, and listens there for a moment.
    ///
    /// - Throws: ``ServerError``, with every code that it has but `port_in_use`.
    package static func check(_ host: String, port: UInt16, hasToken: Bool) throws(ServerError) {
        do throws(ServerError) {
            close(try ListeningPort(host: host, port: port, isProtected: hasToken).descriptor)
        } catch  where error.code == .portInUse {
            // The address is one of this machine's, then, and the port one that this user may have.
        }
    }
}

private func systemListen(_ descriptor: Int32, _ backlog: Int32) -> Int32 {
    listen(descriptor, backlog)
}
