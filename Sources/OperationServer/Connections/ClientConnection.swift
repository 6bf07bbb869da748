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
    private let stream = Mutex(StreamState.none)

    /// What is known of a client that is sent a stream.
    private enum StreamState {
        case none
        case open(Parking)
        /// It sends nothing any more. Whether it is still there, it tells when it is sent something.
        case silent(Parking, isToBeTried: Bool)
        case gone
    }

    /// What a stream's sender has to do.
    enum Sign {
        case none
        /// To send something, though there is nothing to be told.
        case isToBeTried
        case isGone
    }

    init(descriptor: Int32) {
        self.descriptor = descriptor
        let address = SocketAddress.text(ofPeerOf: descriptor) ?? "unknown"
        caller = APICaller(isSameUser: Self.isOfSameUser(descriptor), address: address)
    }

    func requestIsComplete() { owesSince.withLock { $0 = nil } }

    func requestIsAnswered() {
        owesSince.withLock { $0 = .now }
        stream.withLock { $0 = .none }
    }

    func streamBegins(_ parking: Parking) { stream.withLock { $0 = .open(parking) } }

    func takeSign() -> Sign {
        stream.withLock { state in
            switch state {
            case .silent(let parking, isToBeTried: true):
                state = .silent(parking, isToBeTried: false)
                return .isToBeTried
            case .gone: return .isGone
            case .none, .open, .silent: return .none
            }
        }
    }

    var hasStream: Bool {
        stream.withLock { if case .none = $0 { false } else { true } }
    }

    /// Looks whether the client has hung up. libmicrohttpd doesn't look at a connection that is parked.
    ///
    /// A client that has closed its connection can't be told from one that has only closed its own direction until it is sent
    /// something: the one refuses it, the other takes it.
    func lookForHangUp() {
        var poll = pollfd(fd: descriptor, events: Self.hangUp, revents: 0)
        guard systemPoll(&poll) > 0 else { return }
        let isGone = poll.revents & Int16(POLLERR | POLLHUP) != 0
        let parking: Parking? = stream.withLock { state in
            switch state {
            case .open(let parking), .silent(let parking, _):
                if isGone {
                    state = .gone
                } else if case .open = state {
                    state = .silent(parking, isToBeTried: true)
                } else {
                    return nil
                }
                return parking
            case .none, .gone: return nil
            }
        }
        parking?.wake()
    }

    /// That the client has closed its direction.
    private static var hangUp: Int16 {
        #if canImport(Darwin)
        // Not run here: there POLLHUP says so by itself.
        0
        #else
        // POLLRDHUP, which the C library shows with _GNU_SOURCE alone.
        0x2000
        #endif
    }

    /// Whether the client has been given enough time for a request and hasn't sent one.
    func isTooSlow(at now: ContinuousClock.Instant, limit: Duration) -> Bool {
        owesSince.withLock { since in since.map { $0.duration(to: now) > limit } ?? false }
    }

    /// Ends the connection; the thread that serves it finds it closed.
    func breakOff() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Sends an answer past libmicrohttpd, and ends the server's direction: for a client that is still sending. As much as there
    /// is room for at once, which is all of it on a connection that nothing was sent on.
    ///
    /// - Parameter withBody: whether the client's method has an answer with a body.
    func sendLastWord(_ response: APIResponse, withBody: Bool) {
        guard case .bytes(let body) = response.body else { return }
        var head = "HTTP/1.1 \(response.status) \(APIProblem.title(of: response.status))\r\n"
        for header in response.headers { head += "\(header.name): \(header.value)\r\n" }
        head += "Date: \(HTTPDate.now)\r\nConnection: close\r\nContent-Length: \(body.count)\r\n\r\n"
        let bytes = Array(head.utf8) + (withBody ? body : [])
        _ = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Self.noSignal) }
        shutdown(descriptor, Int32(SHUT_WR))
    }

    private static var noSignal: Int32 {
        #if canImport(Darwin)
        // Not run here: libmicrohttpd sets SO_NOSIGPIPE there.
        0
        #else
        Int32(MSG_NOSIGNAL)
        #endif
    }

    /// Root could read and change everything here anyway.
    private static func isOfSameUser(_ descriptor: Int32) -> Bool {
        guard let user = PeerUser.userID(ofPeerOf: descriptor) else { return false }
        return user == 0 || user == geteuid()
    }
}

private func systemPoll(_ descriptor: UnsafeMutablePointer<pollfd>) -> Int32 { poll(descriptor, 1, 0) }
