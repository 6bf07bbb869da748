import Foundation
import Glibc
import OperationTracking
import Testing

@testable import ServiceControl

@Suite("Conflicts, and putting them right", .enabled(if: Python.path != nil, Python.whenMissing))
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

    @Test("healing ends the wrong process and starts the right one, and leaves the others alone")
    func heal() async throws {
        let ports = try (0..<3).map { _ in try freePort() }
        let fixture = try ServiceFixture([
            ServiceDefinition(
                name: "one",
                port: ports[0],
                processName: "x",
                startupCommand: .shell(webServer(ports[0]))
            ),
            ServiceDefinition(name: "two", port: ports[1], processName: "x"),
            ServiceDefinition(name: "three", port: ports[2], processName: "python"),
        ])
        let children = try ports.map { try Child(shell: webServer($0)) }
        for (port, child) in zip(ports, children) { try await waitForListener(port, child.pid) }
        let plan = try await fixture.services.recover(.portConflicts, isDryRun: true, by: "a test")
        #expect(plan.steps.map(\.action) == [.restart, .kill])
        #expect(plan.steps.allSatisfy { $0.outcome == .planned })
        let report = try await fixture.services.heal(by: "a test")
        #expect(report.isComplete)
        #expect(report.summary == "2 of 2 services put right.")
        let statuses = try await fixture.services.status().map(\.status)
        #expect(statuses == [.running, .stopped, .running])
        let holder = try PortScanner().use(of: ports[0]).holders.first
        #expect(holder?.identity.pid != children[0].pid)
        #expect(try PortScanner().use(of: ports[2]).holders.map(\.identity.pid) == [children[2].pid])
        #expect(try await fixture.services.heal(by: "a test").steps.isEmpty)
        let stopped = try await fixture.services.stopAll(by: "a test")
        #expect(stopped.stopped == ["one"])
    }

    @Test("healing what was shown ends nobody who has come since, and touches no other service")
    func healsWhatWasShown() async throws {
        let ports = try (0..<3).map { _ in try freePort() }
        let fixture = try ServiceFixture(
            zip(["one", "two", "three"], ports).map { ServiceDefinition(name: $0, port: $1, processName: "x") }
        )
        let first = try Child(shell: webServer(ports[0]))
        let second = try Child(shell: webServer(ports[1]))
        try await waitForListener(ports[0], first.pid)
        try await waitForListener(ports[1], second.pid)
        let plan = try await fixture.services.recover(.portConflicts, isDryRun: true, by: "a test")
        #expect(plan.steps.map { $0.holders.map(\.pid) } == [[first.pid], [second.pid]])
        // While the person thinks, another takes the second's place, and a third port is taken.
        kill(second.pid, SIGKILL)
        await second.end()
        let newcomer = try Child(shell: webServer(ports[1]))
        let third = try Child(shell: webServer(ports[2]))
        try await waitForListener(ports[1], newcomer.pid)
        try await waitForListener(ports[2], third.pid)
        let report = try await fixture.services.heal(expecting: plan.holders, by: "a test")
        #expect(report.steps.map(\.service) == ["one", "two"])
        #expect(report.steps.map(\.outcome) == [.done, .failed])
        #expect(report.steps[1].reason.contains("(pid \(newcomer.pid))"))
        #expect(kill(newcomer.pid, 0) == 0 && kill(third.pid, 0) == 0)
        #expect(try PortScanner().use(of: ports[0]).isFree)
    }

    @Test("services that share a port are not healed into each other, nor started both, and the reason names them")
    func sharedPort() async throws {
        let port = try freePort()
        let definitions = ["one", "two"].map {
            ServiceDefinition(name: $0, port: port, processName: "x", startupCommand: .shell(webServer(port)))
        }
        let fixture = try ServiceFixture(definitions)
        let started = try await fixture.services.startAll(by: "a test")
        #expect(started.steps.map(\.outcome) == [.skipped, .skipped])
        let child = try Child(shell: webServer(port))
        try await waitForListener(port, child.pid)
        let report = try await fixture.services.heal(by: "a test")
        #expect(report.steps.map(\.outcome) == [.skipped, .skipped])
        #expect(report.steps.allSatisfy { $0.reason.contains("one and two have the same port, \(port)") })
        #expect(kill(child.pid, 0) == 0)
    }

    @Test("what can't be put right is skipped with its reason, and the operation has failed")
    func incomplete() async throws {
        let listener = try Listener()
        let fixture = try ServiceFixture([ServiceDefinition(name: "web", port: listener.port, processName: "node")])
        let report = try await fixture.services.heal(by: "a test")
        #expect(report.steps.map(\.outcome) == [.skipped])
        #expect(report.steps.first?.reason.contains("this program itself") == true)
        #expect(!report.isComplete)
        #expect(fixture.tracker.recentOperations().first?.status == .failed)
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

    @Test("all who hold a port are named, and those alone are ended who hold it in the service's place")
    func besideItsOwn() async throws {
        let port = try freePort()
        let fixture = try ServiceFixture([
            ServiceDefinition(name: "web", port: port, processName: "python", startupCommand: .shell(webServer(port))),
            ServiceDefinition(name: "other", port: port, processName: "x", isEnabled: false),
        ])
        let own = try Child(shell: webServer(port))
        try await waitForListener(port, own.pid)
        let listener = try Listener("::1", port: port)
        let wrong = try Child(["/bin/sleep", "100"], output: listener.descriptor)
        listener.close()
        try await eventually { try PortScanner().use(of: port).holders.count == 2 }
        let both = try await fixture.services.status(of: "other").detail
        #expect(both?.contains("(pid \(own.pid))") == true && both?.contains("sleep (pid \(wrong.pid))") == true)
        let conflict = try #require(try await fixture.services.conflicts().conflicts.first)
        #expect(!conflict.isCorrect && conflict.pid == wrong.pid && conflict.heldBy == "sleep (pid \(wrong.pid))")
        #expect(
            Set(conflict.holders.map { [$0.process.pid, $0.isCorrect ? 1 : 0] }) == [[own.pid, 1], [wrong.pid, 0]]
        )
        let report = try await fixture.services.heal(by: "a test")
        #expect(report.isComplete && report.steps.map(\.action) == [.kill], "\(report.summary)")
        #expect(report.steps.map { $0.holders.map(\.pid) } == [[wrong.pid]])
        #expect(try PortScanner().use(of: port).holders.map(\.identity.pid) == [own.pid])
        #expect(try await fixture.services.status(of: "web").status == .running)
    }

    @Test("a restart for what was seen ends none where its own process has come since")
    func restartBesideItsOwn() async throws {
        let port = try freePort()
        let fixture = try ServiceFixture([
            ServiceDefinition(name: "web", port: port, processName: "python", startupCommand: .shell(webServer(port)))
        ])
        let own = try Child(shell: webServer(port))
        try await waitForListener(port, own.pid)
        let listener = try Listener("::1", port: port)
        let wrong = try Child(["/bin/sleep", "100"], output: listener.descriptor)
        listener.close()
        try await eventually { try PortScanner().use(of: port).holders.count == 2 }
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

    @Test("a plan names all who are to be ended, and starts the service in their place")
    func severalWrong() async throws {
        let port = try freePort()
        let fixture = try ServiceFixture([ServiceDefinition(name: "web", port: port, processName: "x")])
        let first = try Child(shell: webServer(port))
        try await waitForListener(port, first.pid)
        let listener = try Listener("::1", port: port)
        let second = try Child(["/bin/sleep", "100"], output: listener.descriptor)
        listener.close()
        try await eventually { try PortScanner().use(of: port).holders.count == 2 }
        let plan = try await fixture.services.recover(.portConflicts, isDryRun: true, by: "a test")
        let reason = try #require(plan.steps.first?.reason)
        #expect(reason.contains("(pid \(first.pid))") && reason.contains("(pid \(second.pid))"))
        #expect(try await fixture.services.heal(expecting: plan.holders, by: "a test").isComplete)
        #expect(try PortScanner().use(of: port).isFree)
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

    @Test("a registration for a person's port is refused, and one that is there keeps nothing from being healed")
    func registrationForAPersonsPort() async throws {
        let port = try freePort()
        var registered = ServiceDefinition(name: "extension", port: port)
        registered.registeredBy = "http"
        let web = ServiceDefinition(name: "web", port: port, processName: "x", startupCommand: .shell(webServer(port)))
        let fixture = try ServiceFixture([registered, web])
        #expect(fixture.services.registry.warnings.count == 1)
        let child = try Child(shell: webServer(port))
        try await waitForListener(port, child.pid)
        let plan = try await fixture.services.recover(.portConflicts, isDryRun: true, by: "a test")
        #expect(plan.steps.map(\.action) == [.restart])
        let error = try await fixture.error {
            try await fixture.services.register(ServiceDefinition(name: "new", port: port), by: "http")
        }
        #expect(error.code == .portConflict && error.message.contains("web"))
        let named = try await fixture.error {
            try await fixture.services.register(ServiceDefinition(name: "web", port: try freePort()), by: "http")
        }
        #expect(named.code == .duplicateService && !named.message.contains("unregister"))
    }

    @Test("a recovery has the name that it was given, once")
    func named() async throws {
        let fixture = try ServiceFixture([ServiceDefinition(name: "sleeper", startupCommand: .shell("exec sleep 60"))])
        let id = try #require(OperationID(rawValue: "op_mine"))
        let report = try await fixture.services.recover(.stoppedServices, named: id, by: "a test")
        #expect(report.isComplete && fixture.tracker.recentOperations().contains { $0.id == id })
        try await fixture.services.stop("sleeper", by: "a test")
        await #expect(throws: OperationError.self) {
            try await fixture.services.recover(.stoppedServices, named: id, by: "a test")
        }
    }

    @Test("enabled services with a command are started in their order")
    func startAll() async throws {
        let ports = try (0..<2).map { _ in try freePort() }
        let fixture = try ServiceFixture([
            ServiceDefinition(name: "b", port: ports[0], startupCommand: .shell(webServer(ports[0]))),
            ServiceDefinition(name: "a", port: ports[1], startupCommand: .shell(webServer(ports[1]))),
            ServiceDefinition(name: "off", startupCommand: .shell("sleep 1"), isEnabled: false),
        ])
        #expect(fixture.services.startupOrder.map(\.name) == ["b", "a"])
        #expect(try await fixture.services.startAll(by: "a test").steps.map(\.service) == ["b", "a"])
        #expect(try await fixture.services.stopAll(by: "a test").stopped == ["a", "b"])
    }

    @Test("an available port is nobody's, and a service is moved to it with its health endpoint")
    func ports() async throws {
        let listener = try Listener()
        let fixture = try ServiceFixture([
            ServiceDefinition(name: "web", port: listener.port, healthEndpoint: "http://127.0.0.1:\(listener.port)/ok"),
            ServiceDefinition(name: "other", port: listener.port == .max ? 1024 : listener.port + 1),
        ])
        let port = try await fixture.services.availablePort(from: listener.port)
        #expect(port != listener.port)
        #expect(!fixture.services.registry.services.contains { $0.port == port })
        let error = try await fixture.error {
            try await fixture.services.reassign("other", to: listener.port, by: "a test")
        }
        #expect(error.code == .notPossible)
        let new = try await fixture.services.reassign("web", by: "a test")
        let service = try fixture.services.registry.service("web")
        #expect(service.port == new)
        #expect(service.healthEndpoint == "http://127.0.0.1:\(new)/ok")
        #expect(try await fixture.noted().map(\.action) == ["service.reassigned"])
        let held = try await fixture.error {
            try await fixture.services.reassign("web", to: listener.port, by: "a test")
        }
        #expect(held.code == .portConflict)
    }

    @Test("the environment script is one that a shell reads")
    func environment() throws {
        let fixture = try ServiceFixture([
            ServiceDefinition(name: "my-app.2", port: 80), ServiceDefinition(name: "my_app_2", port: 81),
            ServiceDefinition(name: "3d", port: 82), ServiceDefinition(name: "off", port: 83, isEnabled: false),
            ServiceDefinition(name: "tauri"),
        ])
        let lines = fixture.services.environmentScript.split(separator: "\n").dropFirst()
        #expect(
            lines == [
                "export MY_APP_2_PORT=80", "# my_app_2 has the same variable as my-app.2, and is left out.",
                "export _3D_PORT=82",
            ]
        )
    }

    @Test("what is registered over the network has no commands, asks this machine only, and goes again")
    func registration() async throws {
        let fixture = try ServiceFixture([ServiceDefinition(name: "web")])
        let services = fixture.services
        try await services.register(ServiceDefinition(name: "extension", port: 9000), by: "http")
        #expect(try services.registry.service("extension").registeredBy == "http")
        let command = ServiceDefinition(name: "x", startupCommand: .shell("id"))
        #expect(try await fixture.error { try await services.register(command, by: "http") }.code == .notPermitted)
        let health = ServiceDefinition(name: "x", healthEndpoint: "http://169.254.169.254/latest")
        #expect(try await fixture.error { try await services.register(health, by: "http") }.code == .notPermitted)
        #expect(try await fixture.error { try await services.unregister("web", by: "http") }.code == .notPermitted)
        try await services.unregister("extension", by: "http")
        #expect(services.registry.services.map(\.name) == ["web"])
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

@Suite("Names of processes")
struct ProcessNameTests {
    private func process(_ name: String, _ command: [String] = []) -> ProcessDetails {
        ProcessDetails(
            identity: ProcessIdentity(pid: 50, startTime: 1),
            parent: 1,
            name: name,
            command: command,
            userID: 0,
            realUserID: 0
        )
    }

    @Test(
        "the programs of one family stand for each other",
        arguments: [
            ("python", "python3.11"), ("python3", "python"), ("python3.12", "Python"), ("node", "npm"), ("npm", "node"),
            ("pnpm", "yarn"), ("yarn", "nodejs"), ("tauri", "cargo"), ("tauri", "node"), ("tauri", "tauri"),
            ("wizard", "wizard"),
        ]
    )
    func accepted(_ expected: String, _ actual: String) {
        #expect(process(actual).isNamed(expected))
    }

    @Test(
        "others don't",
        arguments: [
            ("python", "pythonista"), ("node", "nodemon"), ("node", "python3"), ("tauri", "npm"), ("cargo", "node"),
            ("wizard", "wizard2"), ("", "sh"),
        ]
    )
    func refused(_ expected: String, _ actual: String) {
        #expect(!process(actual).isNamed(expected))
    }

    @Test("a script goes by its own name as well as by its interpreter's, and any will do where none is expected")
    func scripts() {
        let server = process("python3", ["/usr/bin/python3", "-u", "/opt/bin/uvicorn", "app:main"])
        #expect(server.isNamed("uvicorn"))
        #expect(server.isNamed("python"))
        #expect(server.isNamed(nil))
        #expect(!server.isNamed("app:main"))
    }
}
