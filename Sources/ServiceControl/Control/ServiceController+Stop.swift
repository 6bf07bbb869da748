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

    /// Makes a description.
    public init(service: String, wasRunning: Bool) {
        self.service = service
        self.wasRunning = wasRunning
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
    ///   - actor: who wants it, for the audit log.
    /// - Throws: ``ServiceError``: `unknown_service`, `port_conflict` where another process holds its port, `not_possible`, and
    ///   those of ``kill(_:pid:by:)``; `CancellationError`.
    @discardableResult
    public func stop(_ name: String, by actor: String) async throws -> StoppedService {
        let service = try registry.service(name)
        return try await exclusively(name, "stopped") {
            try await operation(.stopService, "Stop \(name)", by: actor) { handle in
                try await self.stop(service, by: actor, handle)
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
    /// - Throws: as ``stop(_:by:)`` and ``start(_:within:by:)``; `not_possible` also where another process holds the port by now.
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
        guard service.startupCommand != nil else {
            throw ServiceError(.notPossible, "\(service.name) has no startup_cmd: give it one in \(registry.path).")
        }
        let report = try await report(of: service)
        let seen = holders.orOnly(report.use?.holders.seen ?? [])
        // Before anything is ended, also where its own process is a stranger: none is ended for a start that can't follow.
        if let use = report.use { try seen.check(use, system) }
        if report.status == .portConflict, let port = service.port {
            try Self.checkRight(service, in: registry.path)
            // Its own process is stopped as any is.
            _ = try await free(port, expecting: seen, sparingOwnOf: service, by: actor, handle)
        }
        _ = try await stop(service, expecting: seen, by: actor, handle)
        return try await start(service, within: timeout, by: actor, handle)
    }

    /// - Parameter holders: who may be ended that holds its port; those that hold it now where anybody may.
    func stop(
        _ service: ServiceDefinition,
        expecting holders: ExpectedHolders = .any,
        by actor: String,
        _ handle: OperationHandle
    ) async throws -> StoppedService {
        let report = try await report(of: service)
        let seen = holders.orOnly(report.use?.holders.seen ?? [])
        let known = knownProcess(of: service.name)
        let isHeld = report.use?.isFree == false
        if report.status == .portConflict {
            throw ServiceError(
                .portConflict,
                "\(report.detail ?? "Another process holds its port.") Kill that instead."
            )
        }
        guard isHeld || known.running != nil || report.process != nil || report.status == .running else {
            return StoppedService(service: service.name, wasRunning: false)
        }
        // What was started by a person's command under this name is not the registration's to end, whose name it may have by now.
        if service.registeredBy != nil, known.running != nil, !known.isOfRegistration {
            throw Self.registeredOnly(service, in: registry.path)
        }
        known.child?.expectEnd()
        if let command = service.shutdownCommand {
            let sockets = Set((report.use?.sockets ?? []).map(\.inode))
            try await shutDown(service, command, known, sockets, by: actor, handle)
        }
        if let leader = known.running, isThere(leader) {
            handle.setPhase("ending", message: "\(service.name) (pid \(leader.pid))")
            note("process.terminated", by: actor, handle.id, "\(service.name) (pid \(leader.pid)) and its session")
            if let child = known.child {
                await Task { await self.end(child, handle.clock) }.value
            } else {
                await Task { await self.end(sessionOf: leader, handle.clock) }.value
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
        return StoppedService(service: service.name, wasRunning: true)
    }

    /// Runs the command, and waits until the service is gone with the sockets that it had. That it fails is noted: signals follow.
    private func shutDown(
        _ service: ServiceDefinition,
        _ command: ServiceCommand,
        _ known: KnownProcess,
        _ sockets: Set<UInt64>,
        by actor: String,
        _ handle: OperationHandle
    ) async throws {
        try checkCommandRight(service)
        handle.setPhase("shutting down", message: command.description)
        try SmallFile.makeFolder(folder.path)
        var environment = environment(of: service)
        if let pid = known.running?.pid { environment["SERVICE_PID"] = "\(pid)" }
        let launch = Launch(
            program: command.words[0],
            arguments: Array(command.words.dropFirst()),
            environment: environment
        )
        let process = try ServiceProcess(launch, log: folder.log(of: service.name)) { _, _ in }
        note("service.shutdown", by: actor, handle.id, "\(service.name): \(command)")
        let clock = handle.clock
        let deadline = clock.monotonicNanoseconds + configuration.stopTimeout.nanoseconds
        while clock.monotonicNanoseconds < deadline {
            if try process.ending != nil && !isThere(service, known, sockets) { break }
            if let ending = process.ending, ending != .exited(0) {
                handle.setMessage("shutdown_cmd ended \(ending.text)")
                break
            }
            do {
                try await handle.checkpoint()
                try await clock.sleep(for: .milliseconds(100))
            } catch {
                await Task { await self.end(process, clock) }.value
                throw error
            }
        }
        await end(process, clock)
    }

    private func isThere(
        _ service: ServiceDefinition,
        _ known: KnownProcess,
        _ sockets: Set<UInt64>
    ) throws -> Bool {
        if let leader = known.running, isThere(leader) { return true }
        guard let port = service.port else { return false }
        return try system.listeners(port: port).contains { sockets.contains($0.inode) }
    }

    private func isThere(_ leader: ProcessIdentity) -> Bool {
        if let child = started.values.first(where: { $0.identity == leader }) { return child.isRunning }
        return leader.isRunning
    }

    /// Ends a session of a child.
    func end(_ process: ServiceProcess, _ clock: any TrackingClock) async {
        process.expectEnd()
        await end(clock, isThere: { process.isRunning }, signal: process.signalAll)
    }

    /// Ends a session that another program has started, by its leader, which is still there. Whatever is signalled is held
    /// first, and is of the session then.
    private func end(sessionOf leader: ProcessIdentity, _ clock: any TrackingClock) async {
        let system = system
        let members: @Sendable () -> [ProcessIdentity] = {
            guard leader.isRunning, getsid(leader.pid) == leader.pid else { return leader.isRunning ? [leader] : [] }
            return system.allProcesses().compactMap { pid in
                guard let member = system.identity(of: pid), getsid(pid) == leader.pid, pid > 1 else { return nil }
                return member
            }
        }
        let first = members()
        await end(
            clock,
            isThere: { first.contains { $0.isRunning } },
            signal: { number in
                for member in Set(first + members()) { _ = system.signal(member, number, ifItHas: nil) }
            }
        )
    }

    private func end(
        _ clock: any TrackingClock,
        isThere: @Sendable () -> Bool,
        signal: @Sendable (Int32) -> Void
    ) async {
        guard isThere() else { return }
        signal(SIGTERM)
        // What is stopped has to go on to hear that.
        signal(SIGCONT)
        for (limit, next) in [(configuration.grace, SIGKILL), (Duration.seconds(5), 0)] {
            let deadline = clock.monotonicNanoseconds + limit.nanoseconds
            while isThere(), clock.monotonicNanoseconds < deadline {
                guard (try? await clock.sleep(for: .milliseconds(20))) != nil else { break }
            }
            if next != 0, isThere() { signal(next) }
        }
    }
}
