import OperationTracking

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Ends a server that a data directory knows.
struct ServerEnding {
    let server: KnownServer

    /// How long a server has to end its work and itself. It gives its operations two seconds, and then cancels them.
    private static let patience: Duration = .seconds(30)
    /// How long one has that is killed if it doesn't.
    private static let grace: Duration = .seconds(5)

    /// Asks it to end, and waits until it has.
    ///
    /// - Throws: ``ServerProblem`` when it doesn't; `CancellationError`.
    func stop() async throws {
        signal(SIGTERM)
        guard try await isGone(within: Self.patience) else {
            throw ServerProblem(
                "The server (pid \(server.process.pid)) doesn't end: wait, or end it by force with `wizard kill`."
            )
        }
    }

    /// Asks it to end, and ends it by force after a while.
    ///
    /// - Returns: whether it took force.
    /// - Throws: as ``stop()``.
    func kill() async throws -> Bool {
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
