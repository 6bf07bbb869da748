import Foundation
import Glibc
import OperationTracking
import OperationTrackingTesting
import OperationTransfer
import Testing

@testable import ServiceControl

/// What is known of a service by programs that didn't start it.
extension ServiceStartTests {
    @Test("what is being started by another program has not failed, and isn't started twice")
    func startedElsewhere() async throws {
        let fixture = try ServiceFixture([service(try freePort(), "sleep 1000")])
        let start = Task { try await fixture.services.start("web", by: "a test") }
        try await eventually { try fixture.services.folder.record(of: "web") != nil }
        let other = try fixture.anotherController()
        #expect(try await other.status(of: "web").status == .unknown)
        #expect(try await fixture.error { try await other.start("web", by: "another") }.code == .busy)
        start.cancel()
        _ = await start.result
    }

    @Test("what a program began that was killed meanwhile is waited for by the next start, and not begun twice")
    func starterKilled() async throws {
        let port = try freePort()
        let marks = TemporaryFolder()
        let script = "until [ -e \(marks.path)/go ]; do sleep 0.02; done; \(webServer(port))"
        let fixture = try ServiceFixture([service(port, script)]) { $0.startTimeout = .seconds(60) }
        let child = try Child(shell: script)
        let process = try #require(ProcessIdentity(running: child.pid))
        let record = StartedRecord(process: process, deadline: .max)
        try fixture.services.folder.keep(record, of: "web")
        let error = try await fixture.error { try await fixture.services.start("web", within: .zero, by: "a test") }
        #expect(error.code == .timeout && error.message.contains("estart"), "\(error)")
        async let started = fixture.services.start("web", by: "a test")
        try await eventually { fixture.tracker.activeOperations.first?.phase == "waiting" }
        close(open(marks.path + "/go", O_CREAT | O_WRONLY, 0o600))
        #expect(try await started.wasRunning)
        #expect(try PortScanner().use(of: port).holders.map(\.identity.pid) == [child.pid])
    }

    @Test("a start that was cancelled is no failure to another program either")
    func cancelledElsewhere() async throws {
        let fixture = try ServiceFixture([service(try freePort(), "sleep 1000")])
        let start = Task { try await fixture.services.start("web", by: "a test") }
        try await eventually { try fixture.services.folder.record(of: "web") != nil }
        start.cancel()
        _ = await start.result
        #expect(try await fixture.anotherController().status(of: "web").status == .stopped)
    }

    @Test(
        "a command that has ended well has not failed once the server is gone that it left behind",
        arguments: [true, false]
    )
    func leftServer(endsBeforeThat: Bool) async throws {
        let port = try freePort()
        let marks = TemporaryFolder()
        let wait = endsBeforeThat ? "exit 0" : "until [ -e \(marks.path)/up ]; do sleep 0.02; done"
        let fixture = try ServiceFixture([service(port, "(\(webServer(port))) & \(wait)")])
        try await fixture.services.start("web", by: "a test")
        let server = try #require(try PortScanner().use(of: port).holders.first)
        close(open(marks.path + "/up", O_CREAT | O_WRONLY, 0o600))
        try await eventually { try fixture.services.folder.record(of: "web")?.isToEnd == true }
        kill(server.identity.pid, SIGKILL)
        let other = try fixture.anotherController()
        try await eventually { try await other.status(of: "web").status == .stopped }
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

    @Test(
        "how services are is told while a change of the file waits for another program",
        .timeLimit(.minutes(Patience.minutes))
    )
    func lockedFile() async throws {
        let fixture = try ServiceFixture([])
        let path = fixture.folder.path + "/services.json.lock"
        let lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        try #require(flock(lock, LOCK_EX) == 0)
        async let change: Void = fixture.services.register(ServiceDefinition(name: "a"), by: "http")
        try await eventually("it waits") { SystemProcess.openCount(of: path) == 2 }
        #expect(try await fixture.services.status().isEmpty)
        close(lock)
        try await change
        #expect(try await fixture.services.status().map(\.service.name) == ["a"])
    }

    @Test("what is being started isn't started a second time meanwhile")
    func busy() async throws {
        let fixture = try ServiceFixture([service(try freePort(), "sleep 1000")])
        let start = Task { try await fixture.services.start("web", by: "a test") }
        try await eventually { !fixture.tracker.activeOperations.isEmpty }
        #expect(try await fixture.error { try await fixture.services.stop("web", by: "a test") }.code == .busy)
        start.cancel()
        _ = await start.result
    }

    @Test("what one program does to a service, no other disturbs, until it is done or given up")
    func busyElsewhere() async throws {
        let fixture = try ServiceFixture([service(try freePort(), "sleep 1000")])
        let other = try fixture.anotherController()
        let start = Task { try await fixture.services.start("web", by: "a test") }
        try await eventually { fixture.tracker.activeOperations.first?.phase == "waiting" }
        let error = try await fixture.error { try await other.stop("web", by: "another") }
        #expect(error.code == .busy && error.message.contains("Another program"))
        start.cancel()
        _ = await start.result
        #expect(try await !other.stop("web", by: "another").wasRunning)
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

    @Test("what has left its leader, but not the session, is the service's own to another program, too")
    func sessionOfAnother() async throws {
        let port = try freePort()
        let server = "\(Python.path ?? "") -m http.server \(port) --bind 127.0.0.1"
        var definition = service(port, "(\(server) &); sleep 1000; true")
        definition.processName = "another"
        let fixture = try ServiceFixture([definition])
        try await fixture.services.start("web", by: "a test")
        let later = try fixture.anotherController()
        let report = try await later.status(of: "web")
        #expect(report.status == .running && report.wasStartedHere, "\(report.detail ?? "")")
        try await later.stop("web", by: "a later program")
        #expect(try PortScanner().use(of: port).isFree)
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
        var record = StartedRecord(pid: own.pid, startTime: own.startTime, space: "another")
        try fixture.services.folder.keep(record, of: "tauri")
        #expect(try await fixture.services.status(of: "tauri").status == .stopped)
        record.space = ProcessIdentity.space
        record.startTime += 1
        record.isToEnd = true
        try fixture.services.folder.keep(record, of: "tauri")
        #expect(try await fixture.services.status(of: "tauri").status == .stopped)
    }

    @Test("one whose process has gone while nobody was there has failed, until somebody stops or starts it")
    func goneUnseen() async throws {
        let fixture = try ServiceFixture([ServiceDefinition(name: "job", startupCommand: .shell("sleep 1000"))])
        let own = try #require(ProcessIdentity(running: getpid()))
        let gone = StartedRecord(process: ProcessIdentity(pid: own.pid, startTime: own.startTime + 1))
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
}
