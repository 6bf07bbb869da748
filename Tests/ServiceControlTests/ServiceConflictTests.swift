import Foundation
import Glibc
import OperationTracking
import Testing

@testable import ServiceControl

@Suite("Conflicts", .enabled(if: Python.path != nil, Python.whenMissing))
struct ServiceConflictTests {
    @Test("a port that another program holds is a conflict, with the fields that its API has")
    func conflict() async throws {
        let port = try freePort()
        let fixture = try ServiceFixture([
            ServiceDefinition(name: "vite", port: port, processName: "node"),
            ServiceDefinition(name: "api", port: port, processName: "python", isEnabled: false),
            ServiceDefinition(name: "web", port: try freePort()),
        ])
        let child = try Child(shell: webServer(port))
        try await waitForListener(port, child.pid)
        let conflicts = try await fixture.services.conflicts()
        let json = try JSONEncoder().encode(conflicts)
        let object = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
        #expect(object["total"] as? Int == 1)
        #expect(object["requires_attention"] as? Bool == true)
        let first = try #require((object["conflicts"] as? [[String: Any]])?.first)
        #expect(first["service"] as? String == "vite")
        #expect(first["port"] as? Int == Int(port))
        #expect(first["expected_process"] as? String == "node")
        #expect((first["actual_process"] as? String)?.hasPrefix("python") == true)
        #expect(first["pid"] as? Int == Int(child.pid))
        #expect(first["is_correct"] as? Bool == false)
        #expect(first["can_kill"] as? Bool == true)
        #expect(first["can_restart"] as? Bool == false)
        let report = try await fixture.services.status(of: "vite")
        #expect(report.status == .portConflict)
        #expect(report.detail?.contains("(pid \(child.pid)), not by node") == true)
        #expect(try await fixture.services.status(of: "api").status == .running)
        #expect(try await fixture.services.status().map(\.status) == [.portConflict, .running, .stopped])
    }

    @Test("starting doesn't push anybody away, restarting does")
    func restart() async throws {
        let port = try freePort()
        let fixture = try ServiceFixture([
            ServiceDefinition(name: "web", port: port, processName: "x", startupCommand: .shell(webServer(port)))
        ])
        let child = try Child(shell: webServer(port))
        try await waitForListener(port, child.pid)
        #expect(try await fixture.error { try await fixture.services.start("web", by: "a test") }.code == .portConflict)
        #expect(try await fixture.error { try await fixture.services.stop("web", by: "a test") }.code == .portConflict)
        #expect(kill(child.pid, 0) == 0)
        try await fixture.services.restart("web", by: "a test")
        #expect(try await fixture.services.status(of: "web").status == .running)
        await child.end()
        try await fixture.services.stop("web", by: "a test")
    }

    enum Obstacle: CaseIterable {
        case disabled, program, shutdown, folder, record, recordIsFolder, log
    }

    @Test("nobody is ended for a start that can't follow", arguments: Obstacle.allCases)
    func restartWithoutStart(_ obstacle: Obstacle) async throws {
        let port = try freePort()
        var service = ServiceDefinition(name: "web", port: port, processName: "x", startupCommand: .shell("exit 1"))
        if obstacle == .disabled { service.isEnabled = false }
        if obstacle == .program { service.startupCommand = .program(["/nonexistent/program"]) }
        if obstacle == .shutdown { service.shutdownCommand = .program(["/nonexistent/program"]) }
        let fixture = try ServiceFixture([service])
        let folder = fixture.folder.path + "/services"
        try #require(mkdir(folder, 0o755) == 0)
        // What has lost its port to another and is to be stopped.
        let own = try Child(shell: "exec sleep 1000")
        let code: ServiceError.Code
        switch obstacle {
        case .disabled: code = .disabled
        case .program: code = .startFailed
        case .shutdown:
            code = .startFailed
            let process = try #require(ProcessIdentity(running: own.pid))
            try fixture.services.folder.keep(StartedRecord(process: process), of: "web")
        case .folder:
            code = .notPermitted
            chmod(folder, 0o777)
        case .record:
            code = .notPermitted
            let process = try #require(ProcessIdentity(running: own.pid))
            try fixture.services.folder.keep(StartedRecord(process: process), of: "web")
            chmod(folder + "/web.process.json", 0o666)
        case .recordIsFolder:
            code = .system
            try #require(mkdir(folder + "/web.process.json", 0o755) == 0)
        case .log:
            code = .system
            try #require(symlink("/dev/null", folder + "/web.log") == 0)
        }
        let stranger = try Child(shell: webServer(port))
        try await waitForListener(port, stranger.pid)
        #expect(try await fixture.error { try await fixture.services.restart("web", by: "a test") }.code == code)
        let healed = try await fixture.services.heal(by: "a test")
        // A disabled service has no conflicts.
        #expect(healed.steps.map(\.outcome) == (obstacle == .disabled ? [] : [.failed]))
        #expect(SystemProcess.isAlive(stranger.pid))
        #expect(try await fixture.noted().allSatisfy { $0.action != "process.terminated" })
    }

    @Test("a stranger beside its own process, known by its name, isn't ended where shutdown_cmd can't be run")
    func restartBesideOwnWithoutShutdown() async throws {
        let port = try freePort()
        var service = ServiceDefinition(name: "web", port: port, processName: "sleep", startupCommand: .shell("exit 1"))
        service.shutdownCommand = .program(["/nonexistent/program"])
        let fixture = try ServiceFixture([service])
        let stranger = try Child(shell: webServer(port))
        try await waitForListener(port, stranger.pid)
        let own = try await sleeper(beside: port)
        // It is known by its name once it runs the program.
        try await eventually { ProcessDetails(pid: own.pid)?.name == "sleep" }
        let error = try await fixture.error { try await fixture.services.restart("web", by: "a test") }
        #expect(error.code == .startFailed && error.message.hasPrefix("shutdown_cmd of web: "), "\(error)")
        #expect(SystemProcess.isAlive(stranger.pid) && SystemProcess.isAlive(own.pid))
        #expect(try await fixture.noted().allSatisfy { $0.action != "process.terminated" })
    }

    @Test("what was registered isn't stopped for a start that isn't allowed any more")
    func restartOfRegistered() async throws {
        var service = ServiceDefinition(name: "web", startupCommand: .shell("exec sleep 1000"))
        service.registeredBy = "http"
        let fixture = try ServiceFixture([service]) { $0.runsRegisteredCommands = true }
        let process = try #require(try await fixture.services.start("web", by: "a test").process)
        let other = try fixture.anotherController()
        #expect(try await fixture.error { try await other.restart("web", by: "a test") }.code == .notPermitted)
        #expect(SystemProcess.isAlive(process.pid))
        try await fixture.services.stop("web", by: "a test")
    }

    @Test("a server on the port's IPv6 side is a conflict, too")
    func otherFamily() async throws {
        let port = try freePort()
        let fixture = try ServiceFixture([ServiceDefinition(name: "web", port: port, processName: "python")])
        let child = try Child(shell: webServer(port))
        try await waitForListener(port, child.pid)
        let listener = try Listener("::1", port: port)
        let report = try await fixture.services.status(of: "web")
        #expect(report.status == .portConflict)
        #expect(report.process?.identity.pid == getpid())
        _ = listener
    }

    @Test("a restart for what was seen ends none where its own process has come since")
    func restartBesideItsOwn() async throws {
        let port = try freePort()
        let fixture = try ServiceFixture([
            ServiceDefinition(name: "web", port: port, processName: "python", startupCommand: .shell(webServer(port)))
        ])
        let own = try Child(shell: webServer(port))
        try await waitForListener(port, own.pid)
        let wrong = try await sleeper(beside: port)
        let error = try await fixture.error {
            try await fixture.services.restart("web", among: [SeenProcess(pid: wrong.pid)], by: "a test")
        }
        #expect(error.code == .notPossible && error.message.contains("(pid \(own.pid))"))
        #expect(kill(wrong.pid, 0) == 0 && kill(own.pid, 0) == 0)
        let freed = try await fixture.services.kill(
            "web",
            among: [SeenProcess(pid: wrong.pid)],
            sparingOwn: true,
            by: "a test"
        )
        #expect(freed.ended.map(\.identity.pid) == [wrong.pid] && freed.left.map(\.identity.pid) == [own.pid])
    }

    @Test("whoever takes the port while a service stops is left alone and named", arguments: [false, true])
    func takenWhileStopping(restarts: Bool) async throws {
        let port = try freePort()
        let marks = TemporaryFolder()
        let fixture = try ServiceFixture([
            ServiceDefinition(
                name: "web",
                port: port,
                startupCommand: .shell(webServer(port)),
                shutdownCommand: .shell("kill $SERVICE_PID; until [ -e \(marks.path)/taken ]; do sleep 0.02; done")
            )
        ])
        let own = try #require(try await fixture.services.start("web", by: "a test").process)
        async let refusal = fixture.error {
            if restarts {
                try await fixture.services.restart("web", by: "a test")
            } else {
                try await fixture.services.stop("web", by: "a test")
            }
        }
        try await eventually { try PortScanner().use(of: port).isFree }
        let stranger = try Child(shell: webServer(port))
        try await waitForListener(port, stranger.pid)
        close(open(marks.path + "/taken", O_CREAT | O_WRONLY, 0o600))
        #expect(try await refusal.message.contains("(pid \(stranger.pid))"))
        #expect(kill(stranger.pid, 0) == 0 && !own.isRunning)
        #expect(try PortScanner().use(of: port).holders.map(\.identity.pid) == [stranger.pid])
    }

    @Test("monitoring notes changes, not how things are")
    func monitoring() async throws {
        let port = try freePort()
        let fixture = try ServiceFixture([ServiceDefinition(name: "web", port: port, processName: "node")])
        await fixture.services.lookForChanges()
        #expect(try await fixture.noted().isEmpty)
        let child = try Child(shell: webServer(port))
        try await waitForListener(port, child.pid)
        await fixture.services.lookForChanges()
        await fixture.services.lookForChanges()
        let noted = try await fixture.noted()
        #expect(noted.map(\.action) == ["service.port_conflict"])
        #expect(noted.first?.detail?.contains("which was stopped: Port \(port)") == true)
        await fixture.services.startMonitoring()
        #expect(await fixture.services.isMonitoring)
        await fixture.services.stopMonitoring()
        #expect(await !fixture.services.isMonitoring)
    }
}
