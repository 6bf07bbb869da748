import Foundation
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

    @Test("of changes that several make at once none is lost")
    func changesAtOnce() async throws {
        let folder = TemporaryFolder()
        let records = ServiceFolder(.init(folder: folder.path))
        try records.keep(StartedRecord(pid: 0, startTime: 0), of: "web")
        try await withThrowingTaskGroup { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<20 { try records.change("web") { $0.startTime += 1 } }
                }
            }
            try await group.waitForAll()
        }
        #expect(try records.record(of: "web")?.startTime == 80)
    }

    @Test("to look whether a service could be started leaves what is kept as it is")
    func lookForStart() throws {
        let folder = TemporaryFolder()
        let records = ServiceFolder(.init(folder: folder.path))
        let path = folder.path + "/web.process.json"
        try "of a later version".write(toFile: path, atomically: true, encoding: .utf8)
        try records.checkStart(of: "web")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "of a later version")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(Set(files) == ["web.process.json", "web.log"])
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
