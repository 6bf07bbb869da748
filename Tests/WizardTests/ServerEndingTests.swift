import OperationTracking
import OperationTrackingTesting
import ServiceControl
import Synchronization
import TestSockets
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@testable import Wizard

struct ServerEndingTests {
    /// One that doesn't hear, with the server that it says it is.
    private func ending(_ server: TestServer, _ process: WizardProcess) async throws -> ServerEnding {
        while ProcessDetails(pid: process.pid)?.name != "sleep" { await briefPause() }
        let identity = try #require(ProcessIdentity(running: process.pid))
        return ServerEnding(server: KnownServer(url: server.url(""), process: identity), patience: .zero)
    }

    private func deafProcess() throws -> WizardProcess {
        try WizardProcess([], launcher: ["/bin/sh", "-c", "trap '' TERM; exec sleep 1000"])
    }

    @Test(.timeLimit(.minutes(Patience.minutes))) func aServerThatSaysThatItIsStoppingIsWaitedFor() async throws {
        let process = try deafProcess()
        let server = try TestServer { [pid = process.pid] connection in
            _ = try connection.readRequest()
            try connection.answer(503, #"{"status": "stopping", "reason": null, "active_operations": 1}"#)
            kill(pid, SIGKILL)
        }
        try await ending(server, process).stop()
        #expect(process.hasEnded && server.connectionCount > 0)
        _ = await process.outcome()
    }

    @Test(.timeLimit(.minutes(Patience.minutes))) func aServerThatSaysNothingOfStoppingIsGivenUp() async throws {
        let process = try deafProcess()
        let server = try TestServer { connection in
            _ = try connection.readRequest()
            try connection.answer(200, #"{"status": "ok", "reason": null, "active_operations": 1}"#)
        }
        await #expect(throws: ServerProblem.self) { try await ending(server, process).stop() }
        process.send(SIGKILL)
        _ = await process.outcome()
    }
}
