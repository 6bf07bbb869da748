import Foundation
import Glibc
import OperationTracking
import Testing

@testable import ServiceControl

@Suite("Whose files are believed")
struct ServiceTrustTests {
    private static let whenNotRoot: Comment = "LEFT OUT: only root can make files of another user"
    private let folder = TemporaryFolder()

    private var path: String { folder.path + "/services.json" }

    private func registry() throws -> ServiceRegistry {
        try #"{"services": [{"name": "a"}]}"#.write(toFile: path, atomically: true, encoding: .utf8)
        return try ServiceRegistry(path: path)
    }

    @Test("a file of services that others may write to is neither believed nor set aside", arguments: [0o664, 0o646])
    func writable(mode: mode_t) throws {
        let registry = try registry()
        #expect(registry.problem == nil)
        try #"{"services": [{"name": "b", "startup_cmd": "id"}]}"#.write(
            toFile: path,
            atomically: true,
            encoding: .utf8
        )
        chmod(path, mode)
        #expect(registry.services.map(\.name) == ["a"])
        #expect(registry.problem?.code == .notPermitted)
        let missing = #expect(throws: ServiceError.self) { try registry.service("b") }
        #expect(missing?.code == .unknownService && missing?.message.contains("chmod go-w \(path)") == true)
        let error = #expect(throws: ServiceError.self) { try ServiceRegistry(path: path) }
        #expect(error?.code == .notPermitted && error?.message.contains("chmod go-w \(path)") == true)
        #expect(access(path, F_OK) == 0)
    }

    @Test("a pipe isn't waited for in a file's place", .timeLimit(.minutes(Patience.minutes)))
    func pipe() throws {
        try #require(mkfifo(path, 0o600) == 0)
        let error = #expect(throws: ServiceError.self) { try ServiceRegistry(path: path) }
        #expect(error?.code == .system && error?.message.contains("is no file") == true)
    }

    @Test("a file of services of another user is not believed", .enabled(if: isRoot, whenNotRoot))
    func anothers() throws {
        _ = try registry()
        chown(path, 1234, .max)
        let error = #expect(throws: ServiceError.self) { try ServiceRegistry(path: path) }
        #expect(error?.code == .notPermitted)
        #expect(error?.message.contains("user 1234's") == true && error?.message.contains("chown") == true)
    }

    /// A service without a port, and a process that a record of others' making says is its.
    private func victim(_ change: (String) -> Void) async throws -> (ServiceFixture, Child) {
        let definition = ServiceDefinition(name: "web", startupCommand: .shell("sleep 1000"))
        let fixture = try ServiceFixture([definition])
        let child = try Child(["/bin/sleep", "1000"])
        let identity = try #require(ProcessIdentity(running: child.pid))
        let record = StartedRecord(process: identity)
        try fixture.services.folder.keep(record, of: "web")
        #expect(try await fixture.services.status(of: "web").status == .running)
        change(fixture.folder.path + "/services")
        return (fixture, child)
    }

    private func checkNothingIsDone(
        _ fixture: ServiceFixture,
        _ child: Child,
        naming file: String = "web.process.json"
    ) async throws {
        let report = try await fixture.services.status(of: "web")
        #expect(report.status == .unknown && report.detail?.contains(file) == true)
        for error in [
            try await fixture.error { try await fixture.services.stop("web", by: "a test") },
            try await fixture.error { try await fixture.services.start("web", by: "a test") },
        ] {
            #expect(error.code == .notPermitted && error.message == report.detail)
        }
        #expect(SystemProcess.isAlive(child.pid))
    }

    @Test("a record in a folder that others may write to names nobody who is ended")
    func recordInWritableFolder() async throws {
        let (fixture, child) = try await victim { chmod($0, 0o777) }
        try await checkNothingIsDone(fixture, child, naming: "chmod go-w")
    }

    @Test("a record that others may write to names nobody who is ended")
    func writableRecord() async throws {
        let (fixture, child) = try await victim { chmod($0 + "/web.process.json", 0o622) }
        try await checkNothingIsDone(fixture, child)
    }

    @Test("another user's record names nobody who is ended", .enabled(if: isRoot, whenNotRoot))
    func anothersRecord() async throws {
        let (fixture, child) = try await victim { chown($0 + "/web.process.json", 1234, .max) }
        try await checkNothingIsDone(fixture, child)
    }

    @Test("nothing is started into a folder that others may write to")
    func writableFolder() async throws {
        let fixture = try ServiceFixture([ServiceDefinition(name: "web", startupCommand: .shell("sleep 1000"))])
        mkdir(fixture.folder.path + "/services", 0o755)
        chmod(fixture.folder.path + "/services", 0o1777)
        let error = try await fixture.error { try await fixture.services.start("web", by: "a test") }
        #expect(error.code == .notPermitted && error.message.contains("chmod go-w"))
        #expect(access(fixture.folder.path + "/services/web.log", F_OK) != 0)
    }

    @Test("nothing is stopped where it couldn't be kept that somebody wanted that")
    func stopInWritableFolder() async throws {
        let fixture = try ServiceFixture([ServiceDefinition(name: "web", startupCommand: .shell("exec sleep 1000"))])
        let process = try #require(try await fixture.services.start("web", by: "a test").process)
        chmod(fixture.folder.path + "/services", 0o777)
        let error = try await fixture.error { try await fixture.services.stop("web", by: "a test") }
        #expect(error.code == .notPermitted && error.message.contains("chmod go-w"))
        #expect(SystemProcess.isAlive(process.pid))
        chmod(fixture.folder.path + "/services", 0o755)
        #expect(try await fixture.services.stop("web", by: "a test").wasRunning)
    }

    @Test("a service that holds its port isn't killed where it couldn't be kept that somebody wanted that")
    func killInWritableFolder() async throws {
        let listener = try Listener()
        let fixture = try ServiceFixture([
            ServiceDefinition(name: "web", port: listener.port, startupCommand: .shell("exit 1"))
        ])
        let child = try Child(["/bin/sleep", "1000"], output: listener.descriptor)
        listener.close()
        try await eventually { try PortScanner().use(of: listener.port).holders.map(\.identity.pid) == [child.pid] }
        let process = try #require(ProcessIdentity(running: child.pid))
        try fixture.services.folder.keep(StartedRecord(process: process), of: "web")
        chmod(fixture.folder.path + "/services", 0o777)
        let error = try await fixture.error { try await fixture.services.kill("web", by: "a test") }
        #expect(error.code == .notPermitted && error.message.contains("chmod go-w"))
        #expect(SystemProcess.isAlive(child.pid))
    }

    @Test("who was started as a service is known as one, and nobody else")
    func leaderIsKnown() async throws {
        let fixture = try ServiceFixture([ServiceDefinition(name: "web", startupCommand: .shell("exec sleep 1000"))])
        let process = try #require(try await fixture.services.start("web", by: "a test").process)
        #expect(fixture.services.folder.has(process))
        #expect(!fixture.services.folder.has(try #require(ProcessIdentity(running: getpid()))))
        try await fixture.services.stop("web", by: "a test")
    }

    @Test(
        "a pipe isn't waited for in a log's place, whether anybody reads it",
        .timeLimit(.minutes(Patience.minutes)),
        arguments: [false, true]
    )
    func pipeForLog(isRead: Bool) throws {
        let log = ServiceLog(path: folder.path + "/web.log", limit: 4096)
        try #require(mkfifo(log.path, 0o600) == 0)
        let reader = isRead ? open(log.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1
        defer { if isRead { close(reader) } }
        let error = #expect(throws: ServiceError.self) { try log.check() }
        #expect(error?.message.contains("is no file") == true)
    }

    @Test("no log is written, cut or kept through a link into another file")
    func linkedLog() throws {
        let other = folder.path + "/other"
        let log = ServiceLog(path: folder.path + "/web.log", limit: 4096)
        let text = String(repeating: "x", count: 5000)
        try text.write(toFile: other, atomically: true, encoding: .utf8)
        try #require(symlink("other", log.path) == 0)
        let error = #expect(throws: ServiceError.self) { close(try log.open().descriptor) }
        #expect(error?.message.contains("symbolic link") == true)
        log.trim()
        #expect(try String(contentsOfFile: other, encoding: .utf8) == text)
        // The one before it, neither.
        unlink(log.path)
        try #require(symlink("other", log.path + ".1") == 0)
        try String(repeating: "y", count: 5000).write(toFile: log.path, atomically: true, encoding: .utf8)
        log.trim()
        #expect(try String(contentsOfFile: other, encoding: .utf8) == text)
        #expect(try String(contentsOfFile: log.path + ".1", encoding: .utf8).count == 4096)
    }
}
