import Foundation
import Glibc
import OperationTracking
import OperationTrackingTesting
import OperationTransfer
import Testing

@testable import ServiceControl

/// Stopping.
extension ServiceStartTests {
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
            startupCommand: .shell("trap '' TERM; echo deaf; while :; do sleep 0.05; done")
        )
        let fixture = try ServiceFixture([definition]) { $0.grace = .milliseconds(100) }
        try await fixture.services.start("job", by: "a test")
        let log = fixture.services.folder.log(of: "job").path
        try await eventually { try String(contentsOfFile: log, encoding: .utf8).contains("deaf") }
        try await fixture.services.stop("job", by: "a test")
        let noted = try await fixture.noted().filter { $0.action.hasPrefix("process.") }
        #expect(noted.map(\.action) == ["process.started", "process.terminated", "process.killed"])
        #expect(noted.allSatisfy { $0.actor == "a test" && $0.detail?.hasPrefix("job (pid ") == true })
    }

    @Test("a process that has ended and that nobody looks after isn't waited for")
    func zombie() async throws {
        let fixture = try ServiceFixture([ServiceDefinition(name: "job")])
        // Its parent, this program, doesn't look after it before the test is over.
        let child = try Child(["/bin/sleep", "1000"])
        let identity = try #require(ProcessIdentity(running: child.pid))
        let record = StartedRecord(process: identity)
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
            "sleep 1000 & echo $! > \(marks.path)/part; mv \(marks.path)/part \(marks.path)/pid"
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

    @Test("a service that outlives a stop which was given up fails when it ends by itself")
    func outlivesGivenUp() async throws {
        var definition = ServiceDefinition(name: "web", startupCommand: .shell("exec sleep 1000"))
        definition.shutdownCommand = .shell("exec sleep 1000")
        let fixture = try ServiceFixture([definition])
        let process = try #require(try await fixture.services.start("web", by: "a test").process)
        let stop = Task { try await fixture.services.stop("web", by: "a test") }
        try await eventually { fixture.tracker.activeOperations.first?.phase == "shutting down" }
        stop.cancel()
        await #expect(throws: CancellationError.self) { try await stop.value }
        kill(process.pid, SIGKILL)
        try await eventually { try await fixture.services.status(of: "web").status == .failed }
    }

    @Test("a service that outlives a stop which was refused fails when it ends by itself")
    func outlivesRefusal() async throws {
        var definition = ServiceDefinition(name: "web", startupCommand: .shell("exec sleep 1000"))
        definition.shutdownCommand = .shell("exit 0")
        definition.registeredBy = "http"
        let fixture = try ServiceFixture([definition]) { $0.runsRegisteredCommands = true }
        let process = try #require(try await fixture.services.start("web", by: "a test").process)
        let other = try fixture.anotherController()
        #expect(try await fixture.error { try await other.stop("web", by: "a test") }.code == .notPermitted)
        kill(process.pid, SIGKILL)
        try await eventually { try await fixture.services.status(of: "web").status == .failed }
    }

    @Test(
        "where shutdown_cmd fails or takes too long, signals follow, and that is said and noted",
        arguments: [
            ("exit 9", 600, "ended with exit code 9"), ("exec sleep 1000", 0, "didn't end it within 0 s"),
        ]
    )
    func shutdownFails(_ command: String, seconds: Int, problem: String) async throws {
        var definition = ServiceDefinition(name: "web", startupCommand: .shell("exec sleep 1000"))
        definition.shutdownCommand = .shell(command)
        let fixture = try ServiceFixture([definition]) { $0.stopTimeout = .seconds(seconds) }
        let process = try #require(try await fixture.services.start("web", by: "a test").process)
        let stopped = try await fixture.services.stop("web", by: "a test")
        #expect(stopped.shutdownProblem?.contains(problem) == true)
        #expect(!SystemProcess.isAlive(process.pid))
        let noted = try #require(try await fixture.noted().first { $0.action == "service.shutdown_failed" })
        #expect(noted.detail?.contains(problem) == true)
    }
}
