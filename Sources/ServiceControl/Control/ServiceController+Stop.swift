import OperationTracking
import ProcessOperations

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A service that doesn't run after it was asked to stop.
public struct StoppedService: Sendable, Hashable {
    /// Its name.
    public var service: String
    /// Whether it ran at all.
    public var wasRunning: Bool
    /// What its `shutdown_cmd` has come to, as words of a sentence, where signals had to follow it; `nil` where none had to, or it has none.
    public var shutdownProblem: String?

    /// Makes a description.
    public init(service: String, wasRunning: Bool, shutdownProblem: String? = nil) {
        self.service = service
        self.wasRunning = wasRunning
        self.shutdownProblem = shutdownProblem
    }
}

extension ServiceController {
    /// Stops a service: by its `shutdown_cmd` where it has one, then, if it is still there, by signals.
    ///
    /// What was started here is ended with its whole session. Another process is ended only where it is the service's own,
    /// holds its port, and may be ended as by ``kill(_:pid:by:)``.
    ///
    /// - Parameters:
    ///   - name: the service.
    ///   - seen: those whom the caller has seen hold the service's port; where another holds it by now, nothing is done. What they have
    ///     forked since goes with them. `nil` for whoever holds it.
    ///   - actor: who wants it, for the audit log.
    /// - Throws: ``ServiceError``: `unknown_service`, `port_conflict` where another process holds its port, `not_possible`, and
    ///   those of ``kill(_:pid:by:)``; `CancellationError`.
    @discardableResult
    public func stop(
        _ name: String,
        among seen: Set<SeenProcess>? = nil,
        by actor: String
    ) async throws -> StoppedService {
        let service = try registry.service(name)
        return try await exclusively(name, "stopped") {
            try await operation(.stopService, "Stop \(name)", by: actor) { handle in
                try await self.stop(service, expecting: seen.map { .only($0) } ?? .any, by: actor, handle)
            }
        }
    }

    /// Stops a service, or ends what holds its port in its place, and starts it.
    ///
    /// - Parameters:
    ///   - name: a service with a `startup_cmd`.
    ///   - seen: those whom the caller has seen hold the service's port; where another holds it by now, nothing is done. What they have
    ///     forked since goes with them. `nil` for whoever holds it.
    ///   - timeout: as in ``start(_:within:by:)``.
    ///   - actor: who wants it, for the audit log.
    /// - Throws: as ``stop(_:among:by:)`` and ``start(_:within:by:)``; `not_possible` also where another process holds the port by now.
    @discardableResult
    public func restart(
        _ name: String,
        among seen: Set<SeenProcess>? = nil,
        within timeout: Duration? = nil,
        by actor: String
    ) async throws -> StartedService {
        try await restart(name, expecting: seen.map { .only($0) } ?? .any, within: timeout, by: actor)
    }

    @discardableResult
    func restart(
        _ name: String,
        expecting holders: ExpectedHolders,
        within timeout: Duration? = nil,
        by actor: String
    ) async throws -> StartedService {
        let service = try registry.service(name)
        return try await exclusively(name, "restarted") {
            try await operation(.restartService, "Restart \(name)", steps: 3, by: actor) { handle in
                try await self.restart(service, expecting: holders, within: timeout, by: actor, handle)
            }
        }
    }

    private func restart(
        _ service: ServiceDefinition,
        expecting holders: ExpectedHolders,
        within timeout: Duration?,
        by actor: String,
        _ handle: OperationHandle
    ) async throws -> StartedService {
        let report = try await report(of: service)
        // Before anything is ended: none is for a start that can't follow.
        try checkRestart(report)
        let seen = holders.orOnly(report.use?.holders.seen ?? [])
        // Also where its own process is a stranger.
        if let use = report.use { try seen.check(use, system) }
        var freed: FreedPort?
        if report.status == .portConflict, let port = service.port {
            try Self.checkRight(service, in: registry.path)
            // Its own process is stopped as any is.
            freed = try await free(port, expecting: seen, sparingOwnOf: service, by: actor, handle)
        }
        _ = try await stop(service, expecting: seen, by: actor, handle)
        // What was stopped is what ran; what is started is what the file says by now.
        var started = try await start(service.name, within: timeout, by: actor, handle)
        started.freed = freed
        return started
    }

    /// - Parameter holders: who may be ended that holds its port; those that hold it now where anybody may.
    func stop(
        _ service: ServiceDefinition,
        expecting holders: ExpectedHolders,
        by actor: String,
        _ handle: OperationHandle
    ) async throws -> StoppedService {
        let report = try await report(of: service)
        let seen = holders.orOnly(report.use?.holders.seen ?? [])
        if let use = report.use { try seen.check(use, system) }
        let known = knownProcess(of: service.name)
        if report.status == .portConflict {
            throw conflictError(report, "Kill that instead.")
        }
        guard hasOwn(report) else {
            if let problem = known.problem { throw problem }
            // What has failed is stopped once somebody has asked for that.
            try folder.change(service.name) { $0.expectEnd() }
            return StoppedService(service: service.name, wasRunning: false)
        }
        // What was started by a person's command under this name is not the registration's to end, whose name it may have by now.
        if service.registeredBy != nil, known.running != nil, !known.isOfRegistration {
            throw Self.registeredOnly(service, in: registry.path)
        }
        // Where others may write what is kept, its end couldn't be told from one by itself.
        _ = try folder.record(of: service.name)
        let session = known.running.map { StartedSession(ledBy: $0, child: known.child) }
        var shutdownProblem: String?
        if let command = service.shutdownCommand {
            try checkCommandRight(service)
            let sockets = Set((report.use?.sockets ?? []).map(\.inode))
            expectEnd(of: service.name)
            do {
                shutdownProblem = try await shutDown(service, command, session, sockets, by: actor, handle)
            } catch {
                expectNoEnd(of: service.name)
                throw error
            }
        } else {
            expectEnd(of: service.name)
        }
        if let session, session.isThere {
            handle.setPhase("ending", message: "\(service.name) (pid \(session.leader.pid))")
            await end(session, service.name, by: actor, handle)
            guard !session.isThere else {
                throw ServiceError(
                    .notEnded,
                    "\(service.name) (pid \(session.leader.pid)) can't be ended, even by force: look what it waits for, or end it as root."
                )
            }
        }
        if let port = service.port, try !system.listeners(port: port).isEmpty {
            try Self.checkRight(service, in: registry.path)
            // Another may have taken it meanwhile.
            _ = try await free(port, expecting: seen, by: actor, handle)
        } else if service.port == nil, known.running == nil, try await self.report(of: service).status == .running {
            throw ServiceError(
                .notPossible,
                "\(service.name) was not started here and holds no port: give it a shutdown_cmd in \(registry.path), or end it by hand."
            )
        }
        return StoppedService(service: service.name, wasRunning: true, shutdownProblem: shutdownProblem)
    }

    /// Whether there is anything to stop, beside those that are in its place.
    func hasOwn(_ report: ServiceReport) -> Bool {
        let known = knownProcess(of: report.service.name)
        if known.running != nil || report.status == .running { return true }
        guard report.status == .portConflict, let use = report.use else {
            return report.use?.isFree == false || report.process != nil
        }
        return !sides(of: use, report.service, known).own.isEmpty
    }

    /// Runs the command, and waits until the service is gone with the sockets that it had. That it fails is noted: signals follow.
    ///
    /// - Returns: how it has failed; `nil` where it hasn't.
    private func shutDown(
        _ service: ServiceDefinition,
        _ command: ServiceCommand,
        _ session: StartedSession?,
        _ sockets: Set<UInt64>,
        by actor: String,
        _ handle: OperationHandle
    ) async throws -> String? {
        handle.setPhase("shutting down", message: command.description.withoutURLSecrets)
        try SmallFile.makeFolder(folder.path)
        var launch = launch(of: service, command)
        if let pid = session?.leader.pid { launch.environment["SERVICE_PID"] = "\(pid)" }
        let what = Self.shutdown(of: service.name)
        let process = try ServiceProcess(launch, what, log: folder.log(of: service.name)) { _, _ in }
        note("service.shutdown", by: actor, handle.id, "\(service.name): \(command)")
        let clock = handle.clock
        let deadline = clock.monotonicNanoseconds + configuration.stopTimeout.nanoseconds
        var problem: String? =
            "shutdown_cmd didn't end it within \(Int(configuration.stopTimeout.seconds.rounded())) s"
        do {
            while clock.monotonicNanoseconds < deadline {
                if try process.ending != nil && !isThere(service, session, sockets) {
                    problem = nil
                    break
                }
                if let ending = process.ending, ending != .exited(0) {
                    problem = "shutdown_cmd ended \(ending.text)"
                    break
                }
                try await handle.checkpoint()
                try await clock.sleep(for: .milliseconds(100))
            }
        } catch {
            await end(StartedSession(process), what, by: actor, handle)
            throw error
        }
        await end(StartedSession(process), what, by: actor, handle)
        if let problem {
            handle.setMessage(problem)
            note("service.shutdown_failed", by: actor, handle.id, "\(service.name): \(problem), so signals follow")
        }
        return problem
    }

    private func isThere(
        _ service: ServiceDefinition,
        _ session: StartedSession?,
        _ sockets: Set<UInt64>
    ) throws -> Bool {
        if let session, session.isThere { return true }
        guard let port = service.port else { return false }
        return try system.listeners(port: port).contains { sockets.contains($0.inode) }
    }

    /// Ends a session, and notes how. Not in the caller's task, which may be cancelled: what is to end is ended all the same.
    func end(_ session: StartedSession, _ name: String, by actor: String, _ handle: OperationHandle) async {
        await Task {
            await end(
                session,
                what: "\(name) (pid \(session.leader.pid)) and its session",
                by: actor,
                handle
            )
        }.value
    }

    private func end(_ session: StartedSession, what: String, by actor: String, _ handle: OperationHandle) async {
        guard session.isThere else { return }
        note("process.terminated", by: actor, handle.id, what)
        session.signal(SIGTERM)
        // What is stopped has to go on to hear that.
        session.signal(SIGCONT)
        guard await !hasGone(session, within: configuration.grace, handle.clock) else { return }
        handle.setPhase("ending by force", message: what)
        note("process.killed", by: actor, handle.id, what)
        session.signal(SIGKILL)
        _ = await hasGone(session, within: .seconds(5), handle.clock)
    }

    private func hasGone(_ session: StartedSession, within limit: Duration, _ clock: any TrackingClock) async -> Bool {
        let deadline = clock.monotonicNanoseconds + limit.nanoseconds
        while session.isThere {
            guard clock.monotonicNanoseconds < deadline, (try? await clock.sleep(for: .milliseconds(20))) != nil else {
                return false
            }
        }
        return true
    }
}
