import Foundation
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
    private let folder = TemporaryFolder()

    /// One that doesn't hear, with the server that it says it is.
    private func ending(_ server: TestServer, _ process: WizardProcess) async throws -> ServerEnding {
        while ProcessDetails(pid: process.pid)?.name != "sleep" { await briefPause() }
        let identity = try #require(ProcessIdentity(running: process.pid))
        return ServerEnding(server: KnownServer(url: server.url(""), process: identity), patience: .zero)
    }

    /// One that leads a session of its own, as services do.
    private func process(_ script: String) throws -> WizardProcess {
        try WizardProcess([], launcher: ["/bin/sh", "-c", script], leading: .session)
    }

    private func deafProcess() throws -> WizardProcess { try process("trap '' TERM; exec sleep 1000") }

    private var record: String { folder.path + "/web.process.json" }

    /// Has a service been started by a process, as far as anything is kept of that.
    private func keep(_ leader: Int32) throws -> ServiceFolder {
        let identity = try #require(ProcessIdentity(running: leader))
        let space = try #require(ProcessIdentity.space)
        let fields = ["pid": Int(leader), "start_time": identity.startTime, "space": space] as [String: Any]
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        try JSONSerialization.data(withJSONObject: fields).write(to: URL(fileURLWithPath: record))
        return ServiceFolder(.init(folder: folder.path))
    }

    private func isWanted(_ file: String) throws -> Bool {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        let fields = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
        return fields["to_end"] as? Bool == true
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
        var ending = try await ending(server, process)
        ending.services = try keep(process.pid)
        await #expect(throws: ServerProblem.self) { try await ending.stop() }
        // It may end later, as it was asked.
        #expect(try isWanted(record))
        process.send(SIGKILL)
        _ = await process.outcome()
    }

    @Test(.timeLimit(.minutes(Patience.minutes)), arguments: [false, true])
    func thatItsEndIsWantedIsKeptBeforeItIsAskedTo(isKill: Bool) async throws {
        let copy = folder.path + "/copy"
        let script = "trap 'cp \(record) \(copy); exit 0' TERM; echo ready; while :; do sleep 0.02; done"
        let process = try process(script)
        #expect(await process.firstLine { $0 == "ready" } != nil)
        let identity = try #require(ProcessIdentity(running: process.pid))
        let server = KnownServer(url: "http://127.0.0.1:1", process: identity)
        let ending = ServerEnding(server: server, services: try keep(process.pid), patience: .seconds(600))
        if isKill { _ = try await ending.kill() } else { try await ending.stop() }
        #expect(try isWanted(copy))
        _ = await process.outcome()
    }

    @Test(.timeLimit(.minutes(Patience.minutes))) func theEndOfAShellThatGoesOnAfterTheServerIsWanted() async throws {
        let process = try process("sleep 1000 & echo $!; wait; exec sleep 1000")
        let line = try #require(await process.firstLine { !$0.isEmpty })
        let pid = try #require(Int32(line))
        let identity = try #require(ProcessIdentity(running: pid))
        let server = KnownServer(url: "http://127.0.0.1:1", process: identity)
        try await ServerEnding(server: server, services: try keep(process.pid), patience: .seconds(600)).stop()
        #expect(try isWanted(record))
        process.send(SIGKILL)
        _ = await process.outcome()
    }
}
