#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Waiting on behalf of a client that may leave meanwhile.
struct ClientWatch {
    let socket: Int32

    /// Waits until `deadline`; false when the connection is closed before. It is the client that closes it, or
    /// `MHD_stop_daemon`, which shuts down the socket of each connection before it waits for its thread.
    func wait(until deadline: ContinuousClock.Instant) -> Bool {
        var watched = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        while true {
            let left = ContinuousClock.now.duration(to: deadline)
            let ready = poll(&watched, 1, left.pollTimeout)
            guard ready >= 0 || errno == EINTR else { return false }
            if ready > 0 {
                if hasBroken(watched) || hasClosed { return false }
                // The client has sent its next request already. Asking for input would end each poll at once from now
                // on; a connection that breaks is told all the same.
                watched.events = 0
            }
            if left <= .zero { return true }
        }
    }

    private func hasBroken(_ polled: pollfd) -> Bool {
        Int32(polled.revents) & (POLLHUP | POLLERR | POLLNVAL) != 0
    }

    private var hasClosed: Bool {
        var byte: UInt8 = 0
        let received = recv(socket, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        return received == 0 || (received < 0 && errno != EAGAIN && errno != EINTR)
    }
}

extension Duration {
    /// In milliseconds, rounded up so that `poll` does not return before the time.
    fileprivate var pollTimeout: Int32 {
        Int32(clamping: (max(0, nanoseconds) + 999_999) / 1_000_000)
    }
}
