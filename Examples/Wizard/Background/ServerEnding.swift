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
    /// How long a shell that has waited for one may go on to be taken for one that ends with it.
    var shellPatience: Duration = .seconds(5)

    /// Asks it to end, and waits until it has, for as long as it says that it is stopping: what it does to services may take what its
    /// configuration gives them.
    ///
    /// - Throws: ``ServerProblem`` when it doesn't; `CancellationError`.
    func stop() async throws {
        let leader = expectEnd()
        signal(SIGTERM)
        var isStopping = false
        while try await !isOver(within: patience, { !server.isRunning }) {
            // It answers until shortly before it is gone.
            let wasStopping = isStopping
            isStopping = await ServerClient(server).health()?.status == "stopping"
            guard isStopping || wasStopping else {
                throw ServerProblem(
                    "The server (pid \(server.process.pid)) doesn't end: wait, or end it by force with `wizard kill`."
                )
            }
        }
        try await settle(leader)
    }

    /// Asks it to end, and ends it by force after a while.
    ///
    /// - Returns: whether it took force.
    /// - Throws: as ``stop()``.
    func kill() async throws -> Bool {
        let leader = expectEnd()
        signal(SIGTERM)
        if try await isOver(within: Self.grace, { !server.isRunning }) {
            try await settle(leader)
            return false
        }
        signal(SIGKILL)
        guard try await isOver(within: Self.grace, { !server.isRunning }) else {
            throw ServerProblem(
                "The server (pid \(server.process.pid)) doesn't end even by force: look at it with `ps`."
            )
        }
        try await settle(leader)
        return true
    }

    /// Notes that its end is no failure, before it is asked to: whoever watches sees that at once. Where it doesn't end now, it does
    /// later, so that this stays.
    ///
    /// - Returns: the process by which it was started, if it is a service: a shell may be between the two.
    private func expectEnd() -> ProcessIdentity? {
        guard let services, let leader = ProcessIdentity(running: getsid(server.process.pid)), services.has(leader)
        else { return nil }
        services.expectEnd(of: leader)
        return leader
    }

    /// Takes that back for a shell that lives on without it.
    private func settle(_ leader: ProcessIdentity?) async throws {
        guard let leader else { return }
        let session = ProcessSession(id: leader.pid)
        if try await !isOver(within: shellPatience, { !session.members.contains(leader) }) {
            services?.expectNoEnd(of: leader)
        }
    }

    private func signal(_ number: Int32) {
        let pid = server.process.pid
        ProcessSession(id: getsid(pid)).signal(server.process, number)
    }

    private func isOver(within limit: Duration, _ condition: () -> Bool) async throws -> Bool {
        let clock = SystemTrackingClock()
        let deadline = clock.monotonicNanoseconds + limit.nanoseconds
        while !condition() {
            guard clock.monotonicNanoseconds < deadline else { return false }
            try await Task.sleep(for: .milliseconds(50))
        }
        return true
    }
}
