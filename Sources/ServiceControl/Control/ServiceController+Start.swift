#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
public import OperationTracking
import ProcessOperations

/// A service that runs after it was asked to start.
public struct StartedService: Sendable, Hashable {
    /// Its name.
    public var service: String
    /// The process by which it was started; `nil` when it ran already, or its command has ended and left a server behind.
    public var process: ProcessIdentity?
    /// Whether it ran already, so that nothing was done.
    public var wasRunning: Bool
    /// The file with what it prints; `nil` when it ran already.
    public var log: String?
    /// What was ended that held its port in its place; `nil` where nothing had to be.
    public var freed: FreedPort?

    /// Makes a description.
    public init(
        service: String,
        process: ProcessIdentity? = nil,
        wasRunning: Bool = false,
        log: String? = nil,
        freed: FreedPort? = nil
    ) {
        self.service = service
        self.process = process
        self.wasRunning = wasRunning
        self.log = log
        self.freed = freed
    }
}

extension ServiceController {
    /// Starts a service, and returns when its port and its health endpoint answer.
    ///
    /// It runs in a session of its own, with its output in a log, without standard input, in this program's directory and with
    /// its environment, ``Configuration/environment`` and `PORT`. A command may fork and end; it counts as failed when it ends with another exit code than 0,
    /// or when the port doesn't open in time. Then what it has left is ended, and the error has its last lines. What a program has begun
    /// that was killed meanwhile is waited for, and neither begun anew nor ended.
    ///
    /// - Parameters:
    ///   - name: a service with a `startup_cmd`.
    ///   - timeout: how long it has until it answers; `nil` for ``Configuration/startTimeout``.
    ///   - actor: who wants it, for the audit log.
    /// - Throws: ``ServiceError``: `unknown_service`, `not_possible`, `disabled`, `not_permitted`, `port_conflict`,
    ///   `start_failed`, `timeout`, `busy`, `system`; `CancellationError`.
    @discardableResult
    public func start(
        _ name: String,
        within timeout: Duration? = nil,
        by actor: String
    ) async throws -> StartedService {
        _ = try registry.service(name)
        return try await exclusively(name, "started") {
            try await operation(.startService, "Start \(name)", steps: 3, by: actor) { handle in
                try await self.start(name, within: timeout, by: actor, handle)
            }
        }
    }

    func start(
        _ name: String,
        within timeout: Duration?,
        by actor: String,
        _ handle: OperationHandle
    ) async throws -> StartedService {
        let service = try registry.service(name)
        let command = try checkStart(service)
        let timeout = timeout ?? configuration.startTimeout
        let report = try await reportOnceUp(service, within: timeout, handle)
        // The file may have been changed during the look.
        guard try registry.service(name) == service else {
            throw ServiceError(.busy, "\(name) was changed in \(registry.path) in this moment: start it again.")
        }
        switch report.status {
        case .running: return StartedService(service: name, wasRunning: true)
        case .portConflict: throw conflictError(report, "Kill that, or restart.")
        case .unknown:
            if let problem = knownProcess(of: name).problem { throw problem }
            guard report.use?.isFree != true else {
                throw ServiceError(.timeout, "\(report.detail ?? "It is being started.") Wait for it, or restart it.")
            }
            throw ServiceError(.portConflict, report.detail ?? "Its port is held by another user's process.")
        case .failed where report.process != nil:
            throw ServiceError(.notPossible, "\(report.detail ?? "It runs, and isn't well.") Restart it.")
        case .failed, .stopped: break
        }
        handle.setPhase("starting", message: command.description.withoutURLSecrets)
        let process: ServiceProcess
        do throws(ServiceError) {
            process = try launch(service, command)
        } catch {
            if error.code == .startFailed { failed(service, error.message) }
            throw error
        }
        note("process.started", by: actor, handle.id, "\(name) (pid \(process.identity.pid)): \(command)")
        do {
            try keep(process, of: service, within: timeout, handle)
            try await waitUntilUp(service, process, within: timeout, handle)
        } catch {
            process.expectEnd()
            let failure = (error as? ServiceError).flatMap { [.startFailed, .timeout].contains($0.code) ? $0 : nil }
            if failure == nil { expectEnd(of: name) }
            await end(StartedSession(process), name, by: actor, handle)
            if let failure { fail(name, process, failure.message) }
            throw error
        }
        let isThere = process.ending == nil
        // Where that can't be kept, it counts as having come up once its time is over.
        try? folder.change(name, ifOf: process.identity) { record in
            record.deadline = nil
            // What it has left behind is known by its port and its name.
            if !isThere { record.isToEnd = true }
        }
        return StartedService(service: name, process: isThere ? process.identity : nil, log: process.log.path)
    }

    /// How a service is, once what a program has begun that was killed meanwhile has come up: whoever starts it keeps others out.
    private func reportOnceUp(
        _ service: ServiceDefinition,
        within timeout: Duration,
        _ handle: OperationHandle
    ) async throws -> ServiceReport {
        let end = handle.clock.monotonicNanoseconds + timeout.nanoseconds
        while true {
            let report = try await report(of: service)
            let isComing = report.use?.isFree == true && knownProcess(of: service.name).isStarting
            guard report.status == .unknown, isComing, handle.clock.monotonicNanoseconds < end else { return report }
            handle.setPhase("waiting", message: report.detail)
            try await handle.checkpoint()
            try await handle.clock.sleep(for: .milliseconds(100))
        }
    }

    private func checkStart(_ service: ServiceDefinition) throws(ServiceError) -> ServiceCommand {
        guard let command = service.startupCommand else {
            throw ServiceError(.notPossible, "\(service.name) has no startup_cmd: give it one in \(registry.path).")
        }
        guard service.isEnabled else {
            throw ServiceError(.disabled, "\(service.name) is disabled: set \"enabled\" to true in \(registry.path).")
        }
        try checkCommandRight(service)
        return command
    }

    /// Looks whether a service could be started, before anything is ended for that: what is known to be in the way is found now as well
    /// as afterwards.
    func checkRestart(_ report: ServiceReport) throws(ServiceError) {
        let service = report.service
        try check(launch(of: service, try checkStart(service)), Self.startup(of: service.name))
        // It is run where there is something to stop.
        if let command = service.shutdownCommand, hasOwn(report) {
            try check(launch(of: service, command), Self.shutdown(of: service.name))
        }
        try folder.checkStart(of: service.name)
    }

    private func check(_ launch: Launch, _ what: String) throws(ServiceError) {
        do throws(OperationFailure) {
            try launch.check()
        } catch {
            throw ServiceError(.startFailed, "\(what): \(error.message)")
        }
    }

    private static func startup(of name: String) -> String { "startup_cmd of \(name)" }
    static func shutdown(of name: String) -> String { "shutdown_cmd of \(name)" }

    func checkCommandRight(_ service: ServiceDefinition) throws(ServiceError) {
        guard let name = service.registeredBy, !configuration.runsRegisteredCommands else { return }
        throw ServiceError(
            .notPermitted,
            "\(service.name) was registered by \(name.shown), whose commands are not run: allow it in the configuration, or take \"registered_by\" out of \(registry.path)."
        )
    }

    private func launch(
        _ service: ServiceDefinition,
        _ command: ServiceCommand
    ) throws(ServiceError) -> ServiceProcess {
        try SmallFile.makeFolder(folder.path)
        let name = service.name
        let launch = launch(of: service, command)
        let process = try ServiceProcess(launch, Self.startup(of: name), log: folder.log(of: name)) {
            [weak self] process, ending in
            Task { await self?.ended(name, process, ending) }
        }
        started[name] = process
        return process
    }

    func launch(of service: ServiceDefinition, _ command: ServiceCommand) -> Launch {
        let words = command.words
        return Launch(program: words[0], arguments: Array(words.dropFirst()), environment: environment(of: service))
    }

    /// Keeps what a later program knows it by.
    private func keep(
        _ process: ServiceProcess,
        of service: ServiceDefinition,
        within timeout: Duration,
        _ handle: OperationHandle
    ) throws(ServiceError) {
        var record = record(of: process.identity, service)
        record.deadline = clock.monotonicNanoseconds.later(by: timeout)
        try folder.keep(record, of: service.name)
        handle.update(completed: 1)
    }

    private func record(of process: ProcessIdentity, _ service: ServiceDefinition) -> StartedRecord {
        StartedRecord(
            pid: process.pid,
            startTime: process.startTime,
            space: ProcessIdentity.space,
            registeredBy: service.registeredBy
        )
    }

    /// What the commands of a service find in their environment.
    func environment(of service: ServiceDefinition) -> [String: String] {
        var environment = ProcessInfo.processInfo.environment.merging(configuration.environment) { $1 }
        if let port = service.port { environment["PORT"] = "\(port)" }
        return environment
    }

    /// Waits until the service answers.
    private func waitUntilUp(
        _ service: ServiceDefinition,
        _ process: ServiceProcess,
        within timeout: Duration,
        _ handle: OperationHandle
    ) async throws {
        let clock = handle.clock
        let begin = clock.monotonicNanoseconds
        handle.setPhase("waiting", message: service.port.map { "for port \($0)" } ?? "for \(service.name)")
        while true {
            try await handle.checkpoint()
            guard let lack = try await lack(of: service, process, since: begin, handle) else { return }
            try checkEnding(service, process)
            guard clock.monotonicNanoseconds - begin < timeout.nanoseconds else {
                throw timedOut(service, process, after: timeout, lack)
            }
            try await clock.sleep(for: .milliseconds(100))
        }
    }

    /// Why the service isn't up yet, as words of a sentence; `nil` when it is.
    private func lack(
        of service: ServiceDefinition,
        _ process: ServiceProcess,
        since begin: Int64,
        _ handle: OperationHandle
    ) async throws -> String? {
        let use = try service.port.map { port throws(ServiceError) in try PortScanner(system: system).use(of: port) }
        if let use {
            guard !use.isFree else { return "nobody listens on port \(use.port)" }
            let look = look(at: service, use: use)
            guard look.status == .running else {
                throw ServiceError(
                    .portConflict,
                    look.detail ?? "Port \(use.port) was taken by another process meanwhile."
                )
            }
            handle.update(completed: 2)
        }
        if let health, let url = service.askableHealthURL(of: use) {
            handle.setPhase("checking health")
            if case .ill(let why) = await health.answer(of: url) { return why }
        } else if service.port == nil {
            // There is nothing to ask but whether it is still there.
            let time = handle.clock.monotonicNanoseconds - begin
            guard process.isRunning, time >= configuration.settleTime.nanoseconds else {
                return "it has run too shortly"
            }
        }
        handle.update(completed: 3)
        return nil
    }

    /// A command that ends well may have left a server behind, or have asked another program to start one.
    private func checkEnding(_ service: ServiceDefinition, _ process: ServiceProcess) throws(ServiceError) {
        guard let ending = process.ending else { return }
        let canStillAnswer = service.port != nil || service.healthEndpoint != nil || process.isRunning
        if ending == .exited(0), canStillAnswer { return }
        throw ServiceError(.startFailed, "\(service.name) ended at once, \(ending.text). \(said(process))")
    }

    private func timedOut(
        _ service: ServiceDefinition,
        _ process: ServiceProcess,
        after timeout: Duration,
        _ lack: String
    ) -> ServiceError {
        let seconds = Int(timeout.seconds.rounded())
        return ServiceError(
            .timeout,
            "\(service.name) wasn't up within \(seconds) s, and was ended: \(lack.sentence) \(said(process))"
        )
    }

    private func said(_ process: ServiceProcess) -> String {
        let lines = process.lastLines(10)
        if lines.isEmpty { return "It printed nothing." }
        let text = lines.joined(separator: " | ").withoutURLSecrets
        return "Its last lines: \(text.count <= 900 ? text : "…" + text.suffix(899)) (all of them: \(process.log.path))"
    }

    /// Another may have been started under the name before this one's end is heard of.
    private func ended(_ name: String, _ process: ServiceProcess, _ ending: ProcessEnding) {
        guard started[name] === process, !process.isToEnd else { return }
        guard ending == .exited(0) else {
            return fail(name, process, "It ended by itself, \(ending.text). \(said(process))")
        }
        // One that hasn't answered is the affair of its start.
        try? folder.change(name, ifOf: process.identity) { record in
            if record.deadline == nil { record.isToEnd = true }
        }
    }

    /// Notes that a service has failed before there was a process of it.
    private func failed(_ service: ServiceDefinition, _ why: String) {
        // 0 is no process's number.
        var record = record(of: ProcessIdentity(pid: 0, startTime: 0), service)
        record.failure = why
        // Where it can't be kept, the service counts as stopped.
        try? folder.keep(record, of: service.name)
        note("service.failed", by: "services", nil, "\(service.name): \(why)")
    }

    /// Notes that a service has ended which nobody had asked to, for this program and later ones.
    private func fail(_ name: String, _ process: ServiceProcess, _ why: String) {
        var isNew = false
        // Where it can't be kept, the service counts as stopped.
        try? folder.change(name, ifOf: process.identity) { record in
            // Another program may have stopped it.
            isNew = record.failure == nil && record.isToEnd != true
            if isNew { record.failure = why }
        }
        if isNew { note("service.failed", by: "services", nil, "\(name) (pid \(process.identity.pid)): \(why)") }
    }
}

extension ProcessEnding {
    var text: String {
        switch self {
        case .exited(let code): "with exit code \(code)"
        case .signalled(let number): "by signal \(number)"
        case .unknown: "how isn't known"
        }
    }
}
