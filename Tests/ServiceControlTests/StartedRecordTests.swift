import Glibc
import OperationTracking
import Testing

@testable import ServiceControl

/// What is kept of a started process.
@Suite("Records of started services")
struct StartedRecordTests {
    @Test("a record with numbers that can't be is no end of a look")
    func damaged() async throws {
        let fixture = try ServiceFixture([ServiceDefinition(name: "web", port: try freePort())])
        let child = try Child(["/bin/sleep", "1000"])
        let process = try #require(ProcessIdentity(running: child.pid))
        let record = StartedRecord(process: process, deadline: .min)
        try fixture.services.folder.keep(record, of: "web")
        #expect(try await fixture.services.status(of: "web").status == .failed)
    }

    @Test("a record that doesn't say in which namespace its pid was given is none")
    func withoutNamespace() async throws {
        let fixture = try ServiceFixture([ServiceDefinition(name: "job")])
        let child = try Child(["/bin/sleep", "1000"])
        var record = StartedRecord(process: try #require(ProcessIdentity(running: child.pid)))
        let boot = try #require(record.space?.split(separator: " ").first)
        record.space = String(boot)
        try fixture.services.folder.keep(record, of: "job")
        #expect(try await fixture.services.status(of: "job").status == .stopped)
    }

    @Test("a service that was given longer than others to come up is being started for that long")
    func longStart() async throws {
        let definition = ServiceDefinition(name: "web", port: try freePort(), startupCommand: .shell("exec sleep 1000"))
        let fixture = try ServiceFixture([definition]) { $0.startTimeout = .zero }
        let start = Task { try await fixture.services.start("web", within: .seconds(600), by: "a test") }
        try await eventually { fixture.tracker.activeOperations.first?.phase == "waiting" }
        #expect(try await fixture.services.status(of: "web").status == .unknown)
        start.cancel()
        _ = await start.result
    }
}
