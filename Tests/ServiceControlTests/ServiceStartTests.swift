import Foundation
import Glibc
import OperationTracking
import OperationTrackingTesting
import OperationTransfer
import Synchronization
import Testing

@testable import ServiceControl

@Suite("Starting and stopping", .enabled(if: Python.path != nil, Python.whenMissing))
struct ServiceStartTests {
    func service(_ port: UInt16?, _ script: String, health: String? = nil) -> ServiceDefinition {
        ServiceDefinition(
            name: "web",
            port: port,
            processName: "python",
            startupCommand: .shell(script),
            healthEndpoint: health
        )
    }

    @Test("a server is started, known as its own, and stopped")
    func startAndStop() async throws {
        let port = try freePort()
        let fixture = try ServiceFixture([service(port, webServer(port))])
        #expect(try await fixture.services.status(of: "web").status == .stopped)
        let started = try await fixture.services.start("web", by: "a test")
        let report = try await fixture.services.status(of: "web")
        #expect(report.status == .running)
        #expect(report.wasStartedHere)
        #expect(report.process?.identity == started.process)
        #expect(report.process?.isNamed("python") == true)
        #expect(try await fixture.services.start("web", by: "a test").wasRunning)
        #expect(try await fixture.services.stop("web", by: "a test").wasRunning)
        #expect(try PortScanner().use(of: port).isFree)
        #expect(try await fixture.services.status(of: "web").status == .stopped)
        #expect(try await !fixture.services.stop("web", by: "a test").wasRunning)
        let actions = try await fixture.noted().map(\.action)
        #expect(actions.contains("process.started") && actions.contains("process.terminated"))
    }

    private final class Meddler: HTTPTransport {
        let registry = Mutex<ServiceRegistry?>(nil)

        func send(_ request: HTTPRequest) async throws -> HTTPResponse {
            try await registry.withLock(\.self)?.update("web") { $0.description = "changed" }
            throw ServiceError(.system, "Nobody is there.")
        }
    }

    @Test("what is changed in the file during the look at it is not started as it was")
    func changedMeanwhile() async throws {
        let definition = ServiceDefinition(
            name: "web",
            startupCommand: .shell("sleep 1000"),
            healthEndpoint: "http://127.0.0.1:1/"
        )
        let transport = Meddler()
        let fixture = try ServiceFixture([definition], transport: transport) { $0.startTimeout = .seconds(1) }
        transport.registry.withLock { $0 = fixture.services.registry }
        let error = try await fixture.error { try await fixture.services.start("web", by: "a test") }
        #expect(error.code == .busy && error.message.contains("was changed"))
    }

    @Test("each is an operation with its phases, which says who started it")
    func operations() async throws {
        let port = try freePort()
        let fixture = try ServiceFixture([service(port, webServer(port))])
        try await fixture.services.restart("web", by: "a test")
        let operation = try #require(fixture.tracker.recentOperations().first)
        #expect(operation.type == .restartService)
        #expect(operation.status == .completed)
        #expect(operation.description == "Restart web")
        try await fixture.services.stop("web", by: "a test")
        #expect(try await fixture.noted().allSatisfy { $0.actor == "a test" })
    }

    @Test("a command that forks and ends has started its server, and all of it is stopped")
    func forks() async throws {
        let port = try freePort()
        let server = "\(Python.path ?? "") -m http.server \(port) --bind 127.0.0.1"
        let fixture = try ServiceFixture([service(port, "\(server) & sleep 1000 & exit 0")])
        try await fixture.services.start("web", by: "a test")
        let report = try await fixture.services.status(of: "web")
        #expect(report.status == .running)
        #expect(report.wasStartedHere)
        let pid = try #require(report.process?.identity.pid)
        let session = getsid(pid)
        try await fixture.services.stop("web", by: "a test")
        #expect(try PortScanner().use(of: port).isFree)
        #expect(runningProcesses(ofSession: session).isEmpty)
    }

    @Test("a command that fails at once says its code and its last lines")
    func failsAtOnce() async throws {
        let fixture = try ServiceFixture([service(try freePort(), "echo first; echo no such config >&2; exit 3")])
        let error = try await fixture.error { try await fixture.services.start("web", by: "a test") }
        #expect(error.code == .startFailed)
        #expect(error.message.contains("exit code 3"))
        #expect(error.message.contains("first | no such config"))
        #expect(fixture.tracker.recentOperations().first?.status == .failed)
        #expect(fixture.tracker.recentOperations().first?.failure?.code.rawValue == "start_failed")
        let report = try await fixture.services.status(of: "web")
        #expect(report.status == .failed)
        #expect(report.detail?.contains("no such config") == true)
    }

    @Test("a program that isn't there is said to be missing")
    func noProgram() async throws {
        var definition = service(try freePort(), "")
        definition.startupCommand = .program(["/no/such/program"])
        let fixture = try ServiceFixture([definition])
        let error = try await fixture.error { try await fixture.services.start("web", by: "a test") }
        #expect(error.code == .startFailed)
        #expect(error.message.contains("/no/such/program"))
        let report = try await fixture.anotherController().status(of: "web")
        #expect(report.status == .failed && report.detail?.contains("/no/such/program") == true)
        #expect(try await fixture.noted().contains { $0.action == "service.failed" })
    }

    @Test("a server that never opens its port is ended when its time is over")
    func neverOpens() async throws {
        let clock = ManualClock()
        let script = "echo $$; echo warming up; sleep 1000 & sleep 1000"
        let fixture = try ServiceFixture([service(try freePort(), script)], clock: clock)
        async let refusal = fixture.error { try await fixture.services.start("web", by: "a test") }
        let pid: Int32 = try await eventually("it has said its lines") {
            let log = try? String(contentsOfFile: fixture.folder.path + "/services/web.log", encoding: .utf8)
            let lines = log?.split(separator: "\n") ?? []
            return lines.count == 2 ? Int32(lines[0]) : nil
        }
        while fixture.tracker.summary.totalActive > 0 { await clock.advance(by: .seconds(1)) }
        let error = try await refusal
        #expect(error.code == .timeout)
        #expect(error.message.contains("warming up"))
        // On this clock the time that a process has for its end takes none.
        try await eventually("it is ended") { runningProcesses(ofSession: pid).isEmpty }
        #expect(try await fixture.services.status(of: "web").status == .failed)
    }

    @Test("cancelling a start ends what was started")
    func cancelled() async throws {
        let fixture = try ServiceFixture([service(try freePort(), "sleep 1000")])
        let start = Task { try await fixture.services.start("web", by: "a test") }
        let pid: Int32 = try await eventually {
            fixture.tracker.activeOperations.first { $0.phase == "waiting" } == nil
                ? nil : try fixture.services.folder.record(of: "web")?.pid
        }
        try await fixture.tracker.cancel(try #require(fixture.tracker.activeOperations.first?.id))
        await #expect(throws: CancellationError.self) { try await start.value }
        #expect(fixture.tracker.recentOperations().first?.status == .cancelled)
        try await eventually { ProcessIdentity(running: pid) == nil }
        #expect(try await fixture.services.status(of: "web").status == .stopped)
        #expect(
            try await fixture.noted().filter { $0.action.hasPrefix("process.") }.map(\.action) == [
                "process.started", "process.terminated",
            ]
        )
    }

    @Test("what was started is ended where that can't be kept for later programs")
    func noRecord() async throws {
        let fixture = try ServiceFixture([service(try freePort(), "echo $$; sleep 1000 & sleep 1000")])
        try SmallFile.makeFolder(fixture.folder.path + "/services/web.process.json")
        let error = try await fixture.error { try await fixture.services.start("web", by: "a test") }
        #expect(error.code == .system)
        let noted = try await fixture.noted().filter { $0.action.hasPrefix("process.") }
        #expect(noted.map(\.action) == ["process.started", "process.terminated"])
        let text = try #require(noted.first?.detail?.firstMatch(of: /pid (\d+)/)?.1)
        #expect(runningProcesses(ofSession: try #require(Int32(text))).isEmpty)
    }

    @Test("no secret of a URL is in what is noted and said of a command and its output")
    func secrets() async throws {
        let fixture = try ServiceFixture([
            service(try freePort(), "echo fetching https://user:PASSWORD@host.example/x?token=TOKEN; exit 3")
        ])
        let error = try await fixture.error { try await fixture.services.start("web", by: "a test") }
        let said = [error.message] + (try await fixture.noted().compactMap(\.detail))
        #expect(said.count >= 3 && said.contains { $0.contains("host.example/x") })
        #expect(!said.contains { $0.contains("PASSWORD") || $0.contains("TOKEN") }, "\(said)")
        #expect(try await fixture.services.status(of: "web").detail?.contains("PASSWORD") == false)
    }

    @Test("a restart starts what the file says by then")
    func changedWhileStopping() async throws {
        let (old, new) = (try freePort(), try freePort())
        let marks = TemporaryFolder()
        var definition = service(old, "exec \(Python.path ?? "") -m http.server $PORT --bind 127.0.0.1")
        definition.shutdownCommand = .shell(
            "kill $SERVICE_PID; until [ -e \(marks.path)/changed ]; do sleep 0.02; done"
        )
        let fixture = try ServiceFixture([definition])
        try await fixture.services.start("web", by: "a test")
        async let restarted = fixture.services.restart("web", by: "a test")
        try await eventually { try PortScanner().use(of: old).isFree }
        try await fixture.services.registry.update("web") { $0.port = new }
        close(open(marks.path + "/changed", O_CREAT | O_WRONLY, 0o600))
        let pid = try #require(try await restarted.process?.pid)
        #expect(try PortScanner().use(of: new).holders.map(\.identity.pid) == [pid])
        #expect(try await fixture.services.status(of: "web").status == .running)
        try await fixture.services.stop("web", by: "a test")
    }

    @Test("a service that runs and has closed its port has failed, and is restarted as such")
    func closedPort() async throws {
        let port = try freePort()
        let marks = TemporaryFolder()
        let script = """
            import os, socket, time
            server = socket.socket()
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(("127.0.0.1", \(port)))
            server.listen()
            while not os.path.exists("\(marks.path)/close"): time.sleep(0.01)
            server.close()
            time.sleep(1000)
            """
        var definition = service(port, "")
        definition.startupCommand = .program([Python.path ?? "", "-c", script])
        let fixture = try ServiceFixture([definition])
        try await fixture.services.start("web", by: "a test")
        close(open(marks.path + "/close", O_CREAT | O_WRONLY, 0o600))
        try await eventually { try PortScanner().use(of: port).isFree }
        for services in [fixture.services, try fixture.anotherController()] {
            let report = try await services.status(of: "web")
            #expect(report.status == .failed && report.detail?.contains("doesn't listen on port \(port)") == true)
        }
        let plan = try await fixture.services.recover(.failedServices, isDryRun: true, by: "a test")
        #expect(plan.steps.map(\.action) == [.restart])
        let error = try await fixture.error { try await fixture.services.start("web", by: "a test") }
        #expect(error.code == .notPossible && error.message.contains("Restart it"))
        unlink(marks.path + "/close")
        try await fixture.services.restart("web", by: "a test")
        #expect(try await fixture.services.status(of: "web").status == .running)
        try await fixture.services.stop("web", by: "a test")
    }

    @Test("a service without a port counts as started when it has run for a moment")
    func withoutPort() async throws {
        let definition = ServiceDefinition(name: "tauri", processName: "tauri", startupCommand: .shell("sleep 1000"))
        let fixture = try ServiceFixture([definition])
        try await fixture.services.start("tauri", by: "a test")
        #expect(try await fixture.services.status(of: "tauri").status == .running)
        try await fixture.services.stop("tauri", by: "a test")
        #expect(try await fixture.services.status(of: "tauri").status == .stopped)
    }

    @Test("a health endpoint has to say that all is well")
    func health() async throws {
        let port = try freePort()
        let transport = CurlTransport()
        var definition = service(port, webServer(port), health: "/")
        let fixture = try ServiceFixture([definition], transport: transport)
        try await fixture.services.start("web", by: "a test")
        #expect(try await fixture.services.status(of: "web").isHealthy == true)
        definition.healthEndpoint = "/no-such-file"
        try await fixture.services.registry.update("web") { $0.healthEndpoint = definition.healthEndpoint }
        let report = try await fixture.services.status(of: "web")
        #expect(report.status == .failed)
        #expect(report.detail?.contains("404") == true)
        try await fixture.services.stop("web", by: "a test")
    }

    @Test("a server that is never well is not started")
    func neverWell() async throws {
        let port = try freePort()
        let definition = service(port, webServer(port), health: "http://127.0.0.1:\(port)/no-such-file")
        let fixture = try ServiceFixture([definition], transport: CurlTransport()) { $0.startTimeout = .seconds(2) }
        #expect(try await fixture.error { try await fixture.services.start("web", by: "a test") }.code == .timeout)
        #expect(try PortScanner().use(of: port).isFree)
    }

    @Test("a registration doesn't end what a person's command has started under its name before")
    func registrationUnderTheName() async throws {
        let path: (ServiceFixture) -> String = { $0.folder.path + "/services.json" }
        let fixture = try ServiceFixture([ServiceDefinition(name: "job", startupCommand: .shell("sleep 1000"))]) {
            $0.runsRegisteredCommands = true
        }
        let leader = try #require(try await fixture.services.start("job", by: "a test").process)
        try "{\"services\": []}".write(toFile: path(fixture), atomically: true, encoding: .utf8)
        try await fixture.services.register(ServiceDefinition(name: "job"), by: "http")
        // By the program that has started it, and by one that knows it from its record.
        for services in [fixture.services, try fixture.anotherController()] {
            let error = try await fixture.error { try await services.stop("job", by: "http") }
            #expect(error.code == .notPermitted && error.message.contains("gives no right"))
        }
        #expect(leader.isRunning)
        try #"{"services": [{"name": "job"}]}"#.write(toFile: path(fixture), atomically: true, encoding: .utf8)
        #expect(try await fixture.services.stop("job", by: "a test").wasRunning)
        try await eventually { !leader.isRunning }
    }

    @Test("what a registration's own command has started, where that is allowed, it may also end")
    func registrationsOwn() async throws {
        let fixture = try ServiceFixture([]) { $0.runsRegisteredCommands = true }
        let definition = ServiceDefinition(name: "job", startupCommand: .shell("sleep 1000"))
        try await fixture.services.register(definition, by: "http")
        let leader = try #require(try await fixture.services.start("job", by: "http").process)
        #expect(try await fixture.services.stop("job", by: "http").wasRunning)
        try await eventually { !leader.isRunning }
    }

    @Test("commands find what the configuration gives them in their environment")
    func environment() async throws {
        let fixture = try ServiceFixture([
            ServiceDefinition(name: "job", startupCommand: .shell("echo in $PLACE; exit 1"))
        ]) {
            $0.environment = ["PLACE": "/a/folder"]
            // It counts as started only once it has run for so long, and ends before.
            $0.settleTime = .seconds(600)
        }
        let error = try await fixture.error { try await fixture.services.start("job", by: "a test") }
        #expect(error.message.contains("in /a/folder"))
    }

    @Test(
        "a service whose end somebody wants has not failed, also where another program watches it",
        arguments: [false, true]
    )
    func wantedEnd(byAnother: Bool) async throws {
        let port = try freePort()
        let fixture = try ServiceFixture([service(port, webServer(port))])
        let other = byAnother ? try fixture.anotherController() : fixture.services
        for isKill in [true, false] {
            let leader = try #require(try await fixture.services.start("web", by: "a test").process)
            if isKill { try await other.kill("web", by: "a test") } else { try await other.stop("web", by: "a test") }
            try await eventually { !leader.isRunning }
            // The watching thread tells of the end a moment after it.
            for _ in 0..<20 {
                #expect(try await fixture.services.status(of: "web").status == .stopped)
                await briefPause()
            }
        }
        #expect(try await fixture.services.recover(.failedServices, isDryRun: true, by: "a test").steps.isEmpty)
        #expect(try await !fixture.noted().contains { $0.action == "service.failed" })
    }

    @Test("a disabled service, one without a command and one that was registered over the network are not started")
    func refused() async throws {
        var disabled = service(nil, "sleep 1")
        disabled.isEnabled = false
        var registered = service(nil, "sleep 1")
        registered.name = "extension"
        registered.registeredBy = "http"
        let fixture = try ServiceFixture([disabled, registered, ServiceDefinition(name: "plain")])
        #expect(try await fixture.error { try await fixture.services.start("web", by: "a test") }.code == .disabled)
        #expect(
            try await fixture.error { try await fixture.services.start("plain", by: "a test") }.code == .notPossible
        )
        #expect(
            try await fixture.error { try await fixture.services.start("extension", by: "a test") }.code
                == .notPermitted
        )
        #expect(
            try await fixture.error { try await fixture.services.start("no/name", by: "a test") }.code
                == .unknownService
        )
    }
}
