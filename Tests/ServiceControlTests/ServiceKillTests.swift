import Glibc
import OperationTracking
import Synchronization
import Testing

@testable import ServiceControl

@Suite("Ending what holds a port", .enabled(if: Python.path != nil, Python.whenMissing))
struct ServiceKillTests {
    @Test("a real server is ended, its port is free, and it is noted by whom")
    func kill() async throws {
        let port = try freePort()
        let fixture = try ServiceFixture([ServiceDefinition(name: "web", port: port)])
        let child = try Child(shell: webServer(port))
        try await waitForListener(port, child.pid)
        let freed = try await fixture.services.kill("web", by: "a test")
        #expect(freed.ended.map(\.identity.pid) == [child.pid])
        #expect(!freed.wasForced)
        #expect(try PortScanner().use(of: port).isFree)
        let noted = try await fixture.noted()
        #expect(noted.contains { $0.action == "process.terminated" && $0.actor == "a test" && $0.operationID != nil })
        #expect(noted.contains { $0.action == "operation.completed" })
    }

    @Test("a server that ignores SIGTERM is ended by force, with its workers")
    func force() async throws {
        let listener = try Listener()
        let port = listener.port
        let fixture = try ServiceFixture([ServiceDefinition(name: "web", port: port)]) { $0.grace = .milliseconds(200) }
        let child = try Child(shell: "trap '' TERM; sleep 1000 & sleep 1000", output: listener.descriptor)
        try await eventually { try PortScanner().use(of: port).holders.count == 4 }
        listener.close()
        // A child that another test starts in this moment has a copy until its exec.
        try await eventually { try PortScanner().use(of: port).holders.count == 3 }
        let freed = try await fixture.services.kill(port: port, by: "a test")
        #expect(freed.wasForced)
        #expect(freed.ended.contains { $0.identity.pid == child.pid })
        #expect(try PortScanner().use(of: port).isFree)
        #expect(try await fixture.noted().contains { $0.action == "process.killed" })
    }

    @Test("only what holds the port of a service in the file is ended")
    func rights() async throws {
        let port = try freePort()
        var registered = ServiceDefinition(name: "extension", port: port)
        registered.registeredBy = "http"
        let fixture = try ServiceFixture([registered, ServiceDefinition(name: "tauri")])
        let child = try Child(shell: webServer(port))
        try await waitForListener(port, child.pid)
        #expect(
            try await fixture.error { try await fixture.services.kill("extension", by: "http") }.code == .notPermitted
        )
        #expect(
            try await fixture.error { try await fixture.services.kill(port: port, by: "http") }.code == .notPermitted
        )
        #expect(try await fixture.error { try await fixture.services.kill(port: 1, by: "http") }.code == .notPermitted)
        #expect(try await fixture.error { try await fixture.services.kill("tauri", by: "http") }.code == .notPossible)
        #expect(
            try await fixture.error { try await fixture.services.kill("other", by: "http") }.code == .unknownService
        )
        #expect(try await fixture.services.conflicts().conflicts.map(\.canKill) == [false])
        #expect(Glibc.kill(child.pid, 0) == 0)
    }

    @Test("a service that outlives a kill which was given up fails when it ends by itself", arguments: [false, true])
    func givenUp(byAnother: Bool) async throws {
        let port = try freePort()
        let command = ServiceCommand.shell("trap '' TERM; \(webServer(port))")
        let fixture = try ServiceFixture([ServiceDefinition(name: "web", port: port, startupCommand: command)])
        let process = try #require(try await fixture.services.start("web", by: "a test").process)
        let killer = byAnother ? try fixture.anotherController() : fixture.services
        let kill = Task { try await killer.kill("web", by: "a test") }
        try await eventually { fixture.tracker.activeOperations.first?.phase == "ending" }
        kill.cancel()
        await #expect(throws: CancellationError.self) { try await kill.value }
        Glibc.kill(process.pid, SIGKILL)
        try await eventually { try await fixture.services.status(of: "web").status == .failed }
    }

    @Test("a port that this program holds is not freed")
    func own() async throws {
        let listener = try Listener()
        let fixture = try ServiceFixture([ServiceDefinition(name: "web", port: listener.port)])
        let error = try await fixture.error { try await fixture.services.kill("web", by: "a test") }
        #expect(error.code == .notPermitted)
        #expect(error.message.contains("this program itself") && error.message.contains("all is well where"))
        try await fixture.services.registry.update("web") { $0.processName = "another" }
        // The one refusal sends nobody to what the other refuses.
        for advice in [
            try await fixture.error { try await fixture.services.stop("web", by: "a test") },
            try await fixture.error { try await fixture.services.kill("web", by: "a test") },
        ] {
            #expect(advice.message.contains("end it by hand") && !advice.message.contains("instead"), "\(advice)")
        }
    }

    @Test("a process that was seen and doesn't hold the port any more stands for no other")
    func otherPID() async throws {
        let port = try freePort()
        let fixture = try ServiceFixture([ServiceDefinition(name: "web", port: port)])
        let child = try Child(shell: webServer(port))
        try await waitForListener(port, child.pid)
        let error = try await fixture.error { try await fixture.services.kill("web", pid: 1, by: "a test") }
        #expect(error.code == .notPossible)
        #expect(Glibc.kill(child.pid, 0) == 0)
    }

    @Test("one that came to the port beside the one that was named is left alone")
    func besideTheNamed() async throws {
        let first = try Listener(sharesPort: true)
        let second = try Listener(port: first.port, sharesPort: true)
        let children = try [first, second].map { try Child(["/bin/sleep", "1000"], output: $0.descriptor) }
        [first, second].forEach { $0.close() }
        try await eventually { try PortScanner().use(of: first.port).holders.count == 2 }
        let fixture = try ServiceFixture([ServiceDefinition(name: "web", port: first.port)])
        let freed = try await fixture.services.kill("web", pid: children[0].pid, by: "a test")
        #expect(freed.ended.map(\.identity.pid) == [children[0].pid])
        #expect(freed.left.map(\.identity.pid) == [children[1].pid])
        #expect(Glibc.kill(children[1].pid, 0) == 0)
    }

    @Test("a process that has ended and that its parent hasn't looked after doesn't run")
    func zombie() async throws {
        let child = try Child(shell: "exit 0")
        let identity = try #require(ProcessIdentity(running: child.pid))
        await child.end()
        let record = StartedRecord(process: identity)
        #expect(identity.isRunning && record.running == nil)
    }

    @Test(
        "a server of another user is left alone, even by root",
        .enabled(if: isRoot, "LEFT OUT: only root can start a process of another user")
    )
    func otherUser() async throws {
        let listener = try Listener()
        let fixture = try ServiceFixture([ServiceDefinition(name: "web", port: listener.port)])
        let script = "import os, time; os.setgroups([]); os.setuid(1234); time.sleep(1000)"
        let child = try Child([try #require(Python.path), "-c", script], output: listener.descriptor)
        listener.close()
        try await eventually {
            let holders = try PortScanner().use(of: listener.port).holders
            return holders.count == 1 && holders.first?.userID == 1234
        }
        let error = try await fixture.error { try await fixture.services.kill("web", by: "a test") }
        #expect(error.message.contains("user 1234"))
        #expect(Glibc.kill(child.pid, 0) == 0)
    }

    @Test("a server that is replaced between the look and the signal passes the signal on to nobody")
    func replaced() async throws {
        let listener = try Listener()
        let port = listener.port
        let first = try Child(["/bin/sleep", "1000"], output: listener.descriptor)
        let second = try Child(["/bin/sleep", "1000"])
        listener.close()
        try await eventually { try PortScanner().use(of: port).holders.map(\.identity.pid) == [first.pid] }
        let race = RacingSystem { pid in
            guard pid == first.pid else { return }
            Glibc.kill(first.pid, SIGKILL)
            waitid(P_PID, id_t(first.pid), nil, WEXITED | WNOWAIT)
        }
        let fixture = try ServiceFixture([ServiceDefinition(name: "web", port: port)], system: race)
        _ = try await fixture.services.kill("web", by: "a test")
        #expect(Glibc.kill(second.pid, 0) == 0)
        #expect(try PortScanner().use(of: port).isFree)
    }

    @Test(
        "a process that gets the very number of the one that was seen is left alone",
        .enabled(if: isRoot, "LEFT OUT: only root can choose the next pid")
    )
    func reusedNumber() async throws {
        let listener = try Listener()
        let port = listener.port
        let first = try Child(["/bin/sleep", "1000"], output: listener.descriptor)
        listener.close()
        try await eventually { try PortScanner().use(of: port).holders.map(\.name) == ["sleep"] }
        let innocent = Mutex<Child?>(nil)
        let race = RacingSystem { pid in
            guard pid == first.pid, innocent.withLock({ $0 == nil }) else { return }
            first.reap()
            innocent.withLock { $0 = Child.withNumber(first.pid) }
        }
        let fixture = try ServiceFixture([ServiceDefinition(name: "web", port: port)], system: race)
        let freed = try await fixture.services.kill("web", by: "a test")
        #expect(freed.ended.isEmpty)
        guard innocent.withLock({ $0?.pid }) == first.pid else {
            try Test.cancel("LEFT OUT: the system has given \(first.pid) to a process of somebody else's")
        }
        #expect(ProcessDetails(pid: first.pid)?.name == "sleep")
        #expect(Glibc.kill(first.pid, 0) == 0)
    }
}

extension Child {
    /// Starts a process with a number that has just become free. Others start processes, too, so that may fail.
    static func withNumber(_ pid: pid_t) -> Child? {
        let path = "/proc/sys/kernel/ns_last_pid"
        let text = ProcFile.contents(of: path).map { String(decoding: $0.dropLast(), as: UTF8.self) }
        guard let last = text.flatMap({ Int32($0) }) else { return nil }
        func give(_ number: pid_t) {
            guard let file = fopen(path, "w") else { return }
            fputs("\(number - 1)", file)
            fclose(file)
        }
        // The numbers of processes that have ended lately are not for those that other tests start.
        defer { give(last + 1) }
        for _ in 0..<20 {
            give(pid)
            guard let child = try? Child(["/bin/sleep", "1000"]) else { return nil }
            if child.pid == pid { return child }
        }
        return nil
    }
}

/// The real system, with something that happens just before a process is held.
struct RacingSystem: ControlSystem {
    private let real = SystemPorts()
    private let beforeHold: @Sendable (Int32) -> Void
    private let fails: @Sendable () -> Bool

    /// - Parameter fails: whether the system doesn't say who listens.
    init(
        _ beforeHold: @escaping @Sendable (Int32) -> Void = { _ in },
        fails: @escaping @Sendable () -> Bool = { false }
    ) {
        self.beforeHold = beforeHold
        self.fails = fails
    }

    func hold(_ pid: Int32) -> ProcessHold {
        beforeHold(pid)
        return real.hold(pid)
    }

    var ownPID: Int32 { real.ownPID }
    var userID: UInt32 { real.userID }
    func identity(of pid: Int32) -> ProcessIdentity? { real.identity(of: pid) }
    func send(_ signal: Int32, to reference: Int32) -> Int32 { real.send(signal, to: reference) }
    func release(_ reference: Int32) { real.release(reference) }
    func allProcesses() -> [Int32] { real.allProcesses() }
    func candidates(named name: String) -> [Int32] { real.candidates(named: name) }

    func listeners(port: UInt16?) throws(ServiceError) -> [ListeningSocket] {
        if fails() { throw ServiceError(.system, "The system doesn't say.") }
        return try real.listeners(port: port)
    }

    func holders(of inodes: Set<UInt64>) -> [Int32: Set<UInt64>] { real.holders(of: inodes) }
    func sockets(of pid: Int32, among inodes: Set<UInt64>) -> Set<UInt64> { real.sockets(of: pid, among: inodes) }
    func process(_ pid: Int32) -> ProcessDetails? { real.process(pid) }
}
