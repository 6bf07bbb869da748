import OperationTracking
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The processes of a service, by whichever program it was started.
final class StartedSession: Sendable {
    let leader: ProcessIdentity
    private let child: ServiceProcess?
    private let watched: Mutex<WatchedSession>

    /// - Parameter child: `nil` where another program has started it; then its leader is there still.
    init(ledBy leader: ProcessIdentity, child: ServiceProcess?) {
        self.leader = leader
        self.child = child
        watched = Mutex(WatchedSession(ledBy: leader))
    }

    convenience init(_ child: ServiceProcess) {
        self.init(ledBy: child.identity, child: child)
    }

    /// Whether anything of it runs but this program, which may have been started as a service itself.
    var isThere: Bool {
        if let child { return child.isRunning }
        let own = getpid()
        return watched.withLock { $0.look() }.contains { $0.pid != own }
    }

    /// Signals all of it but this program.
    func signal(_ number: Int32) {
        if let child { return child.signalAll(number) }
        watched.withLock { $0.signal(number, sparing: getpid()) }
    }
}
