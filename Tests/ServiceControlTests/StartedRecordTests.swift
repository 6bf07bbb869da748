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
        let child = try Child(["/bin/sleep", "100"])
        let process = try #require(ProcessIdentity(running: child.pid))
        let record = StartedRecord(
            pid: process.pid,
            startTime: process.startTime,
            boot: StartedRecord.currentBoot,
            startedAt: .min
        )
        try fixture.services.folder.keep(record, of: "web")
        #expect(try await fixture.services.status(of: "web").status == .failed)
    }
}
