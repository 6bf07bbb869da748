import Foundation
import Glibc
import OperationTracking
import OperationTrackingTesting
import OperationTransfer
import Testing

@testable import ServiceControl

@Suite("Starting and stopping", .enabled(if: Python.path != nil, Python.whenMissing))
struct ServiceStartTests {
    private func service(_ port: UInt16?, _ script: String, health: String? = nil) -> ServiceDefinition {
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
        let fixture = try ServiceFixture([service(try freePort(), "echo $$; echo warming up; sleep 100 & sleep 100")]) {
            $0.startTimeout = .milliseconds(300)
        }
        let error = try await fixture.error { try await fixture.services.start("web", by: "a test") }
        #expect(error.code == .timeout)
        #expect(error.message.contains("warming up"))
        let log = try String(contentsOfFile: fixture.folder.path + "/services/web.log", encoding: .utf8)
        let pid = try #require(Int32(log.split(separator: "\n")[0]))
        #expect(runningProcesses(ofSession: pid).isEmpty)
        #expect(try await fixture.services.status(of: "web").status == .failed)
    }

    @Test("cancelling a start ends what was started")
    func cancelled() async throws {
        let fixture = try ServiceFixture([service(try freePort(), "sleep 100")])
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
        let fixture = try ServiceFixture([service(try freePort(), "echo $$; sleep 100 & sleep 100")])
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
            time.sleep(100)
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

    @Test("what is being started by another program has not failed, and isn't started twice")
    func startedElsewhere() async throws {
        let fixture = try ServiceFixture([service(try freePort(), "sleep 100")])
        let start = Task { try await fixture.services.start("web", by: "a test") }
        try await eventually { try fixture.services.folder.record(of: "web") != nil }
        let other = try fixture.anotherController()
        #expect(try await other.status(of: "web").status == .unknown)
        #expect(try await fixture.error { try await other.start("web", by: "another") }.code == .busy)
        start.cancel()
        _ = await start.result
    }

    @Test("a service that another program has started since is known by that one's record")
    func startedByAnotherSince() async throws {
        let port = try freePort()
        var definition = service(port, webServer(port))
        definition.processName = "wrapper"
        let fixture = try ServiceFixture([definition])
        let other = try fixture.anotherController()
        try await fixture.services.start("web", by: "a test")
        try await fixture.services.stop("web", by: "a test")
        let pid = try #require(try await other.start("web", by: "another").process?.pid)
        let report = try await fixture.services.status(of: "web")
        #expect(report.status == .running && report.process?.identity.pid == pid, "\(report.detail ?? "")")
        #expect(try await fixture.services.heal(by: "a test").steps.isEmpty)
        try await fixture.services.stop("web", by: "a test")
        #expect(try PortScanner().use(of: port).isFree)
        // It was asked to, so that it is no failure to the one that has started it either.
        try await eventually { await other.started["web"]?.ending != nil }
        #expect(try await other.status(of: "web").status == .stopped)
    }

    @Test("a service that has failed is stopped once somebody has asked for that")
    func stoppedAfterFailure() async throws {
        let fixture = try ServiceFixture([service(try freePort(), "exit 3")])
        _ = try await fixture.error { try await fixture.services.start("web", by: "a test") }
        #expect(try await fixture.services.status(of: "web").status == .failed)
        #expect(try await !fixture.services.stop("web", by: "a test").wasRunning)
        #expect(try await fixture.services.status(of: "web").status == .stopped)
    }

    @Test("a service that doesn't end when it is asked to is killed, and that is noted")
    func killed() async throws {
        let definition = ServiceDefinition(
            name: "job",
            startupCommand: .shell("trap '' TERM; while :; do sleep 0.05; done")
        )
        let fixture = try ServiceFixture([definition]) { $0.grace = .milliseconds(100) }
        try await fixture.services.start("job", by: "a test")
        try await fixture.services.stop("job", by: "a test")
        let noted = try await fixture.noted().filter { $0.action.hasPrefix("process.") }
        #expect(noted.map(\.action) == ["process.started", "process.terminated", "process.killed"])
        #expect(noted.allSatisfy { $0.actor == "a test" && $0.detail?.hasPrefix("job (pid ") == true })
    }

    @Test("a process that has ended and that nobody looks after isn't waited for")
    func zombie() async throws {
        let fixture = try ServiceFixture([ServiceDefinition(name: "job")])
        // Its parent, this program, doesn't look after it before the test is over.
        let child = try Child(["/bin/sleep", "100"])
        let identity = try #require(ProcessIdentity(running: child.pid))
        let record = StartedRecord(
            pid: identity.pid,
            startTime: identity.startTime,
            boot: StartedRecord.currentBoot,
            startedAt: 0
        )
        try fixture.services.folder.keep(record, of: "job")
        #expect(try await fixture.services.stop("job", by: "a test").wasRunning)
        #expect(identity.isRunning)
        #expect(try await fixture.noted().map(\.action).filter { $0.hasPrefix("process.") } == ["process.terminated"])
    }

    @Test("what shutdown_cmd has begun is ended also where the system stops telling who listens")
    func shutdownWithoutAnswer() async throws {
        let port = try freePort()
        let marks = TemporaryFolder()
        var definition = service(port, webServer(port))
        definition.shutdownCommand = .shell(
            "sleep 100 & echo $! > \(marks.path)/part; mv \(marks.path)/part \(marks.path)/pid"
        )
        let system = RacingSystem(fails: { access(marks.path + "/pid", F_OK) == 0 })
        let fixture = try ServiceFixture([definition], system: system)
        let child = try Child(shell: webServer(port))
        try await waitForListener(port, child.pid)
        #expect(try await fixture.error { try await fixture.services.stop("web", by: "a test") }.code == .system)
        let text = try String(contentsOfFile: marks.path + "/pid", encoding: .utf8).filter(\.isNumber)
        let pid = try #require(Int32(text))
        #expect(ProcessStat(ProcFile.contents(of: "/proc/\(pid)/stat") ?? [])?.hasEnded ?? true)
    }

    @Test("how services are is told while a change of the file waits for another program", .timeLimit(.minutes(1)))
    func lockedFile() async throws {
        let fixture = try ServiceFixture([])
        let lock = open(fixture.folder.path + "/services.json.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        try #require(flock(lock, LOCK_EX) == 0)
        async let change: Void = fixture.services.register(ServiceDefinition(name: "a"), by: "http")
        #expect(try await fixture.services.status().isEmpty)
        close(lock)
        try await change
        #expect(try await fixture.services.status().map(\.service.name) == ["a"])
    }

    @Test("what is being started isn't started a second time meanwhile")
    func busy() async throws {
        let fixture = try ServiceFixture([service(try freePort(), "sleep 100")])
        let start = Task { try await fixture.services.start("web", by: "a test") }
        try await eventually { !fixture.tracker.activeOperations.isEmpty }
        #expect(try await fixture.error { try await fixture.services.stop("web", by: "a test") }.code == .busy)
        start.cancel()
        _ = await start.result
    }

    @Test("what one program does to a service, no other disturbs, until it is done or given up")
    func busyElsewhere() async throws {
        let fixture = try ServiceFixture([service(try freePort(), "sleep 100")])
        let other = try fixture.anotherController()
        let start = Task { try await fixture.services.start("web", by: "a test") }
        try await eventually { fixture.tracker.activeOperations.first?.phase == "waiting" }
        let error = try await fixture.error { try await other.stop("web", by: "another") }
        #expect(error.code == .busy && error.message.contains("Another program"))
        start.cancel()
        _ = await start.result
        #expect(try await !other.stop("web", by: "another").wasRunning)
    }

    @Test("a service without a port counts as started when it has run for a moment")
    func withoutPort() async throws {
        let definition = ServiceDefinition(name: "tauri", processName: "tauri", startupCommand: .shell("sleep 100"))
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

    @Test("a service that ends by itself has failed, and says so to the next program as well")
    func endsByItself() async throws {
        let port = try freePort()
        let fixture = try ServiceFixture([service(port, webServer(port))])
        let pid = try #require(try await fixture.services.start("web", by: "a test").process?.pid)
        kill(pid, SIGABRT)
        try await eventually { try await fixture.services.status(of: "web").status == .failed }
        let later = try await fixture.anotherController().status(of: "web")
        #expect(later.status == .failed)
        #expect(later.detail?.contains("signal 6") == true)
        #expect(try await fixture.noted().contains { $0.action == "service.failed" })
    }

    @Test("another program knows what was started, by its record, and stops it with its session")
    func laterProgram() async throws {
        let port = try freePort()
        let command = "\(Python.path ?? "") -m http.server \(port) --bind 127.0.0.1 & wait"
        let fixture = try ServiceFixture([service(port, command)])
        let leader = try #require(try await fixture.services.start("web", by: "a test").process)
        let later = try fixture.anotherController()
        #expect(try await later.status(of: "web").wasStartedHere)
        try await later.stop("web", by: "a later program")
        #expect(try PortScanner().use(of: port).isFree)
        try await eventually { !leader.isRunning }
    }

    @Test("a registration doesn't end what a person's command has started under its name before")
    func registrationUnderTheName() async throws {
        let path: (ServiceFixture) -> String = { $0.folder.path + "/services.json" }
        let fixture = try ServiceFixture([ServiceDefinition(name: "job", startupCommand: .shell("sleep 100"))]) {
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
        let definition = ServiceDefinition(name: "job", startupCommand: .shell("sleep 100"))
        try await fixture.services.register(definition, by: "http")
        let leader = try #require(try await fixture.services.start("job", by: "http").process)
        #expect(try await fixture.services.stop("job", by: "http").wasRunning)
        try await eventually { !leader.isRunning }
    }

    @Test("commands find what the configuration gives them in their environment")
    func environment() async throws {
        let fixture = try ServiceFixture([
            ServiceDefinition(name: "job", startupCommand: .shell("echo in $PLACE; exit 1"))
        ]) { $0.environment = ["PLACE": "/a/folder"] }
        let error = try await fixture.error { try await fixture.services.start("job", by: "a test") }
        #expect(error.message.contains("in /a/folder"))
    }

    @Test("a log is kept within its limit also when the program that started its service is gone")
    func logOfAnother() async throws {
        let fixture = try ServiceFixture([ServiceDefinition(name: "job")]) { $0.logLimit = 4096 }
        let log = fixture.services.folder.log(of: "job")
        try SmallFile.makeFolder(fixture.services.folder.path)
        for look in 0..<3 {
            try String(repeating: "x", count: 5000).write(toFile: log.path, atomically: true, encoding: .utf8)
            switch look {
            case 0: _ = try await fixture.services.status()
            case 1: _ = try await fixture.services.status(of: "job")
            default: await fixture.services.trimLogs()
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: log.path)).isEmpty)
            #expect(try Data(contentsOf: URL(fileURLWithPath: log.path + ".1")).count == 4096)
        }
    }

    @Test("a program that keeps the logs looks again as soon as one that it didn't start grows")
    func logsAreKept() async throws {
        let clock = ManualClock()
        let fixture = try ServiceFixture([ServiceDefinition(name: "job")], clock: clock) { $0.logLimit = 4096 }
        let log = fixture.services.folder.log(of: "job")
        try SmallFile.makeFolder(fixture.services.folder.path)
        let (descriptor, _) = try log.open()
        defer { close(descriptor) }
        func print(_ count: Int) { #expect(write(descriptor, String(repeating: "x", count: count), count) == count) }
        func size() throws -> Int { try Data(contentsOf: URL(fileURLWithPath: log.path)).count }

        let keeping = Task { await fixture.services.keepLogs() }
        await clock.waitForSleepers()
        print(4096)
        await clock.advance(by: .seconds(9))
        await clock.waitForSleepers()
        print(1)
        await clock.advance(by: .seconds(1))
        await clock.waitForSleepers()
        #expect(try size() == 0)
        print(5000)
        await clock.advance(by: .seconds(1))
        await clock.waitForSleepers()
        #expect(try size() == 0)
        print(5000)
        // It grew by more than the limit in a second, so that is looked at sooner by now.
        await clock.advance(by: .milliseconds(100))
        await clock.waitForSleepers()
        #expect(try size() == 0)
        keeping.cancel()
        await keeping.value
    }

    @Test("a log that can't be cut is looked at again after the quiet time, whatever is printed")
    func fullDisk() async throws {
        let clock = ManualClock()
        let fixture = try ServiceFixture([ServiceDefinition(name: "job")], clock: clock) { $0.logLimit = 4096 }
        let log = fixture.services.folder.log(of: "job")
        // Where the older half is to go there is something else in the way.
        let obstacle = log.path + ".1"
        try FileManager.default.createDirectory(atPath: obstacle + "/x", withIntermediateDirectories: true)
        let (descriptor, _) = try log.open()
        defer { close(descriptor) }
        func print(_ count: Int) { #expect(write(descriptor, String(repeating: "x", count: count), count) == count) }
        func size() throws -> Int { try Data(contentsOf: URL(fileURLWithPath: log.path)).count }

        print(5000)
        let keeping = Task { await fixture.services.keepLogs() }
        await clock.waitForSleepers()
        print(5000)
        await clock.advance(by: .seconds(10))
        await clock.waitForSleepers()
        #expect(try size() == 10_000)
        try FileManager.default.removeItem(atPath: obstacle)
        await clock.advance(by: .seconds(9))
        await clock.waitForSleepers()
        #expect(try size() == 10_000, "it was looked at sooner")
        await clock.advance(by: .seconds(1))
        await clock.waitForSleepers()
        #expect(try size() == 0)
        keeping.cancel()
        await keeping.value
    }

    @Test("a record of another boot, or of another process, is none")
    func oldRecord() async throws {
        let fixture = try ServiceFixture([ServiceDefinition(name: "tauri")])
        let own = try #require(ProcessIdentity(running: getpid()))
        var record = StartedRecord(pid: own.pid, startTime: own.startTime, boot: "another", startedAt: 0)
        try fixture.services.folder.keep(record, of: "tauri")
        #expect(try await fixture.services.status(of: "tauri").status == .stopped)
        record.boot = StartedRecord.currentBoot
        record.startTime += 1
        record.isToEnd = true
        try fixture.services.folder.keep(record, of: "tauri")
        #expect(try await fixture.services.status(of: "tauri").status == .stopped)
    }

    @Test("one whose process has gone while nobody was there has failed, until somebody stops or starts it")
    func goneUnseen() async throws {
        let fixture = try ServiceFixture([ServiceDefinition(name: "job", startupCommand: .shell("sleep 100"))])
        let own = try #require(ProcessIdentity(running: getpid()))
        let gone = StartedRecord(
            pid: own.pid,
            startTime: own.startTime + 1,
            boot: StartedRecord.currentBoot,
            startedAt: 0
        )
        try fixture.services.folder.keep(gone, of: "job")
        let report = try await fixture.services.status(of: "job")
        #expect(report.status == .failed && report.detail?.contains("(pid \(own.pid)) is gone") == true)
        #expect(try await fixture.services.stop("job", by: "a test").wasRunning == false)
        #expect(try await fixture.services.status(of: "job").status == .stopped)
        try fixture.services.folder.keep(gone, of: "job")
        try await fixture.services.restart("job", by: "a test")
        #expect(try await fixture.services.status(of: "job").status == .running)
        try await fixture.services.stop("job", by: "a test")
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

    @Test("shutdown_cmd is asked first, and knows the service's process")
    func shutdownCommand() async throws {
        let port = try freePort()
        var definition = service(port, webServer(port))
        definition.shutdownCommand = .shell("echo asked $PORT; kill -INT $SERVICE_PID")
        let fixture = try ServiceFixture([definition])
        try await fixture.services.start("web", by: "a test")
        try await fixture.services.stop("web", by: "a test")
        #expect(try PortScanner().use(of: port).isFree)
        let log = try String(contentsOfFile: fixture.folder.path + "/services/web.log", encoding: .utf8)
        #expect(log.contains("asked \(port)"))
        #expect(try await fixture.noted().contains { $0.action == "service.shutdown" })
        #expect(try await !fixture.noted().contains { $0.action == "process.terminated" })
    }

    @Test("where it fails, signals follow")
    func shutdownFails() async throws {
        let port = try freePort()
        var definition = service(port, webServer(port))
        definition.shutdownCommand = .shell("exit 1")
        let fixture = try ServiceFixture([definition])
        try await fixture.services.start("web", by: "a test")
        try await fixture.services.stop("web", by: "a test")
        #expect(try PortScanner().use(of: port).isFree)
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

@Suite("Logs of services")
struct ServiceLogTests {
    private let folder = TemporaryFolder()

    private var log: ServiceLog { ServiceLog(path: folder.path + "/web.log", limit: 4096) }

    private func write(_ text: String, to descriptor: Int32) {
        #expect(Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count)
    }

    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test("one that is over its limit becomes the older one, and the service goes on in the new one")
    func trim() throws {
        let (descriptor, start) = try log.open()
        defer { close(descriptor) }
        #expect(start == 0)
        log.trim()
        write(String(repeating: "0123456789abcdef", count: 300), to: descriptor)
        log.trim()
        #expect(try text(log.path).isEmpty)
        #expect(try text(log.path + ".1") == String(repeating: "0123456789abcdef", count: 256))
        write("new\n", to: descriptor)
        #expect(try text(log.path) == "new\n")
        #expect(log.lastLines(5, from: start) == ["new"])
    }

    @Test("what an earlier run has printed is none of this run's last lines, and is kept")
    func earlierRun() throws {
        let first = try log.open()
        write("one\n", to: first.descriptor)
        close(first.descriptor)
        let second = try log.open()
        #expect(log.lastLines(5, from: second.start).isEmpty)
        write("two\nthree\n", to: second.descriptor)
        #expect(log.lastLines(1, from: second.start) == ["three"])
        #expect(log.lastLines(5, from: second.start) == ["two", "three"])
        write(String(repeating: "x", count: 5000), to: second.descriptor)
        close(second.descriptor)
        let third = try log.open()
        close(third.descriptor)
        #expect(third.start == 0)
        #expect(try text(log.path + ".1") == String(repeating: "x", count: 4096))
    }

    @Test("opening a log that is too long doesn't take it away from who writes to it")
    func openedTwice() throws {
        let (descriptor, _) = try log.open()
        defer { close(descriptor) }
        write(String(repeating: "x", count: 5000), to: descriptor)
        close(try log.open().descriptor)
        write("still here\n", to: descriptor)
        #expect(try text(log.path) == "still here\n")
    }

    @Test("while one program shortens a log, another leaves it alone")
    func shortenedByAnother() throws {
        let (descriptor, _) = try log.open()
        defer { close(descriptor) }
        write(String(repeating: "x", count: 5000), to: descriptor)
        let other = open(log.path, O_RDWR | O_CLOEXEC)
        try #require(flock(other, LOCK_EX) == 0)
        let (found, left) = log.trim()
        #expect(found == 5000 && left == 5000)
        #expect(try text(log.path).count == 5000)
        close(other)
        log.trim()
        #expect(try text(log.path).isEmpty)
    }

    @Test(
        "the faster a service prints, the sooner its log is looked at again",
        arguments: [(0, 1000, 1000), (409, 1000, 1000), (4090, 1000, 100), (409_000, 1000, 20), (40, 20, 204)]
            as [(Int, Int32, Int32)]
    )
    func nextLook(_ growth: Int, _ time: Int32, _ next: Int32) {
        #expect(log.nextLook(growth: growth, in: time) == next)
    }
}
