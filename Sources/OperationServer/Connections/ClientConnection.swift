import OperationHTTP
import ServiceControl
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A client's connection, for as long as it is open.
final class ClientConnection: Sendable {
    let descriptor: Int32
    let caller: APICaller
    /// Since when the client owes a whole request; `nil` while it has sent one that is not answered yet.
    private let owesSince = Mutex<ContinuousClock.Instant?>(.now)

    init(descriptor: Int32) {
        self.descriptor = descriptor
        let address = SocketAddress.text(ofPeerOf: descriptor) ?? "unknown"
        caller = APICaller(isSameUser: Self.isOfSameUser(descriptor), address: address)
    }

    func requestIsComplete() { owesSince.withLock { $0 = nil } }

    func requestIsAnswered() { owesSince.withLock { $0 = .now } }

    /// Whether the client has been given enough time for a request and hasn't sent one.
    func isTooSlow(at now: ContinuousClock.Instant, limit: Duration) -> Bool {
        owesSince.withLock { since in since.map { $0.duration(to: now) > limit } ?? false }
    }

    /// Ends the connection; the thread that serves it finds it closed.
    func breakOff() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Root could read and change everything here anyway.
    private static func isOfSameUser(_ descriptor: Int32) -> Bool {
        guard let user = PeerUser.userID(ofPeerOf: descriptor) else { return false }
        return user == 0 || user == geteuid()
    }
}
