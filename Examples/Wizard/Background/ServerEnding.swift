import OperationTracking
import ServiceControl

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Ends a server that a data directory knows.
struct ServerEnding {
    let server: KnownServer
    /// Where it may be a service, whose end is no failure then; `nil` where it is none.
    var services: ServiceFolder?

    /// How long a server has that says nothing of stopping.
    var patience: Duration = .seconds(30)
    /// How long one has that is killed if it doesn't.
    private static let grace: Duration = .seconds(5)

    /// Asks it to end, and waits until it has, for as long as it says that it is stopping: what it does to services may take what its
    /// configuration gives them.
    ///
    /// - Throws: ``ServerProblem`` when it doesn't; `CancellationError`.
    func stop() async throws {
        expectEnd()
        signal(SIGTERM)
        var isStopping = false
        while try await !isGone(within: patience) {
            // It answers until shortly before it is gone.
            let wasStopping = isStopping
            isStopping = await ServerClient(server).health()?.status == "stopping"
            guard isStopping || wasStopping else {
                throw ServerProblem(
                    "The server (pid \(server.process.pid)) doesn't end: wait, or end it by force with `wizard kill`."
                )
            }
        }
    }

    /// Asks it to end, and ends it by force after a while.
    ///
    /// - Returns: whether it took force.
    /// - Throws: as ``stop()``.
    func kill() async throws -> Bool {
        expectEnd()
        signal(SIGTERM)
        if try await isGone(within: Self.grace) { return false }
        signal(SIGKILL)
        guard try await isGone(within: Self.grace) else {
            throw ServerProblem(
                "The server (pid \(server.process.pid)) doesn't end even by force: look at it with `ps`."
            )
        }
        return true
    }

    /// Notes that its end is no failure, before it is asked to: whoever watches sees that at once. Where it doesn't end now, or a shell
    /// that started it goes on for a while, that ends later, and the note stays.
    private func expectEnd() {
        guard let services, let leader = ProcessIdentity(running: getsid(server.process.pid)) else { return }
        services.expectEnd(of: leader)
    }

    private func signal(_ number: Int32) {
        let pid = server.process.pid
        ProcessSession(id: getsid(pid)).signal(server.process, number)
    }

    private func isGone(within limit: Duration) async throws -> Bool {
        let clock = SystemTrackingClock()
        let deadline = clock.monotonicNanoseconds + limit.nanoseconds
        while server.isRunning {
            guard clock.monotonicNanoseconds < deadline else { return false }
            try await Task.sleep(for: .milliseconds(50))
        }
        return true
    }
}
