import Foundation
import OllamaStandIn
import OperationTrackingTesting
import TestSupport
import Testing

/// Work that a running server does for a command.
struct HandOverTests {
    private let folder = TemporaryFolder()

    /// - Parameter isEndless: whether what is pulled from it comes to no end by itself.
    private func standIn(isEndless: Bool = false) throws -> OllamaStandIn {
        try OllamaStandIn(models: [
            ScriptedModel(
                name: "m",
                bytes: 1_000_000,
                registryLatency: .zero,
                faults: isEndless ? [Fault(.hang(afterBytes: 500_000))] : []
            )
        ])
    }

    private func server(_ ollama: OllamaStandIn) async throws -> BackgroundServer {
        try await BackgroundServer.start(data: folder.path, environment: ["OLLAMA_HOST": ollama.url])
    }

    private func id(of outcome: WizardProcess.Outcome) throws -> String {
        try #require(try outcome.objects.last?["operation_id"] as? String, "\(outcome.errors)")
    }

    @Test func aPullIsDoneByTheServerAndShownHere() async throws {
        let ollama = try standIn()
        defer { ollama.stop() }
        let server = try await server(ollama)
        let arguments = ["pull", "m", "--ollama", ollama.url, "--data", folder.path]
        let shown = try await WizardProcess.run(arguments)
        #expect(shown.code == 0, "\(shown.errors)")
        #expect(shown.output.hasPrefix("Pull m\n") && shown.output.contains("✓ completed"))
        let outcome = try await WizardProcess.run(arguments + ["--json"])
        #expect(try outcome.objects.last?["status"] as? String == "completed")
        let startedBy = try await server.record(id(of: outcome))["started_by"] as? String
        #expect(startedBy?.contains("pull") == false, "\(startedBy ?? "nobody") did it")
        try await server.stop()
    }

    @Test func aFailureThereIsAFailureHere() async throws {
        let ollama = try standIn()
        defer { ollama.stop() }
        let server = try await server(ollama)
        let outcome = try await WizardProcess.run(["pull", "nobody", "--ollama", ollama.url, "--data", folder.path])
        #expect(outcome.code == 1 && outcome.output.contains("✗ failed"))
        try await server.stop()
    }

    @Test func whatTheServerCannotBeToldIsDoneHere() async throws {
        let (ollama, other) = (try standIn(), try standIn())
        defer {
            ollama.stop()
            other.stop()
        }
        let server = try await server(ollama)
        for arguments in [["--ollama", other.url], ["--ollama", ollama.url, "--retries", "0"]] {
            let pull = ["pull", "m", "--json", "--data", folder.path] + arguments
            let outcome = try await WizardProcess.run(pull)
            #expect(outcome.code == 0, "\(outcome.errors)")
            #expect(try await server.record(id(of: outcome))["started_by"] as? String == "wizard pull")
            let detached = try await WizardProcess.run(pull + ["--detach"])
            #expect(detached.code == 2 && detached.errors.contains("--detach"))
        }
        try await server.stop()
    }

    @Test func anyCommandIsRunHereUnlessTheServerMay() async throws {
        let ollama = try standIn()
        defer { ollama.stop() }
        let server = try await server(ollama)
        let outcome = try await WizardProcess.run(["run", "--json", "--data", folder.path, "--", "true"])
        #expect(outcome.code == 0)
        #expect(try await server.record(id(of: outcome))["started_by"] as? String == "wizard run")
        try await server.stop()
    }

    @Test func ctrlCCancelsWhatIsRunHereBesideAServer() async throws {
        let server = try await BackgroundServer.start(data: folder.path)
        let process = try WizardProcess([
            "run", "--data", folder.path, "--json", "--", "sh", "-c", "echo ready; exec sleep 1000",
        ])
        _ = try #require(await process.firstLine { $0.contains("\"message\":\"ready\"") })
        process.send(SIGINT)
        #expect(await process.outcome().code == 130)
        try await server.stop()
    }

    @Test func ctrlCCancelsItThere() async throws {
        let ollama = try standIn(isEndless: true)
        defer { ollama.stop() }
        let server = try await server(ollama)
        let process = try WizardProcess(["pull", "m", "--json", "--ollama", ollama.url, "--data", folder.path])
        _ = await process.firstLine { $0.contains("downloading") }
        process.send(SIGINT)
        let outcome = await process.outcome()
        #expect(outcome.code == 130)
        #expect(try await server.record(id(of: outcome))["status"] as? String == "cancelled")
        try await server.stop()
    }

    @Test func ctrlCSaysThatTheWorkGoesOnWhereTheServerCannotBeTold() async throws {
        let ollama = try standIn(isEndless: true)
        defer { ollama.stop() }
        let server = try await server(ollama)
        let process = try WizardProcess(["pull", "m", "--json", "--ollama", ollama.url, "--data", folder.path])
        let line = try #require(await process.firstLine { $0.contains("downloading") })
        let shown = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        let id = try #require(shown["operation_id"] as? String)
        try await SystemProcess.stop(server.pid)
        process.send(SIGINT)
        let outcome = await process.outcome()
        kill(server.pid, SIGCONT)
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("wizard cancel \(id)") && outcome.errors.contains("not_answering"))
        #expect(try await server.record(id)["status"] as? String == "in_progress")
        #expect(try await WizardProcess.run(["cancel", id, "--data", folder.path]).code == 0)
        try await server.stop()
    }

    /// Runs a program at a terminal of its own, gives out what that shows with a new line wherever one is written over, and has Ctrl-C
    /// pressed there when it is interrupted itself.
    private static let terminal = """
        import os, pty, signal, sys
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(sys.argv[1], sys.argv[1:])
        signal.signal(signal.SIGINT, lambda *_: os.write(terminal, b'\\x03'))
        while True:
            try:
                shown = os.read(terminal, 65536)
            except OSError:
                break
            os.write(1, shown.replace(b'\\r\\n', b'\\n').replace(b'\\r', b'\\n'))
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        """

    @Test(.enabled(if: PythonServer.isThere, PythonServer.whenMissing))
    func whatIsSaidAtCtrlCStandsOnALineOfItsOwn() async throws {
        let ollama = try standIn(isEndless: true)
        defer { ollama.stop() }
        let server = try await server(ollama)
        let process = try WizardProcess(
            ["pull", "m", "--ollama", ollama.url, "--data", folder.path],
            environment: ["TERM": "xterm", "NO_COLOR": "1"],
            launcher: [PythonServer.program, "-c", Self.terminal]
        )
        // One bar has been written over by then, and another stands there.
        _ = try #require(await process.firstLine { $0.contains(" %") })
        try await SystemProcess.stop(server.pid)
        process.send(SIGINT)
        let outcome = await process.outcome()
        kill(server.pid, SIGCONT)
        let lines = outcome.output.split(separator: "\n")
        let said = try #require(lines.first { $0.contains("wizard pull: The server") }, "\(outcome)")
        #expect(said.hasPrefix("\u{1B}[Kwizard pull: "))
        try await server.stop()
    }

    @Test(.timeLimit(.minutes(Patience.minutes)), arguments: [true, false])
    func ctrlCSaysNothingOfWorkThatIsNotKnown(_ serverEnds: Bool) async throws {
        let server = try SilentCanceller(data: folder, ends: serverEnds)
        let process = try WizardProcess(["run", "--json", "--data", folder.path, "--", "true"])
        while !server.hasWork { await briefPause() }
        process.send(SIGINT)
        let outcome = await process.outcome()
        #expect(outcome.code == 1 && !outcome.errors.contains("goes on"))
        let said = serverEnds ? "is gone, and hasn't said" : "isn't known whether it cancels op_silent"
        #expect(outcome.errors.contains(said), "\(outcome.errors)")
    }

    @Test func detachedWorkGoesOnAndObeysWishes() async throws {
        let ollama = try standIn(isEndless: true)
        defer { ollama.stop() }
        let server = try await server(ollama)
        let pull = ["pull", "m", "--ollama", ollama.url, "--data", folder.path]
        let detached = try await WizardProcess.run(pull + ["--detach", "--json"])
        #expect(detached.code == 0)
        let id = try id(of: detached)
        let list = try await WizardProcess.run(["operations", "--json", "--data", folder.path])
        let operations = try #require(try list.objects.first?["operations"] as? [[String: Any]])
        #expect(operations.map { $0["operation_id"] as? String } == [id])
        // The same pull again joins it, and sees its end.
        let joined = try WizardProcess(pull + ["--json"])
        _ = await joined.firstLine { $0.contains(id) }
        for wish in ["pause", "resume", "cancel"] {
            #expect(try await WizardProcess.run([wish, id, "--data", folder.path]).code == 0)
        }
        #expect(await joined.outcome().code == 130)
        #expect(try await server.record(id)["status"] as? String == "cancelled")
        // It has ended, so that there is nothing to be wished any more.
        let late = try await WizardProcess.run(["pause", id, "--data", folder.path])
        #expect(late.code == 1 && !late.errors.isEmpty)
        try await server.stop()
    }

    @Test func ctrlCLeavesWorkToWhoeverHasAskedForItBefore() async throws {
        let ollama = try standIn(isEndless: true)
        defer { ollama.stop() }
        let server = try await server(ollama)
        let pull = ["pull", "m", "--json", "--ollama", ollama.url, "--data", folder.path]
        let id = try id(of: try await WizardProcess.run(pull + ["--detach"]))
        let joined = try WizardProcess(pull)
        _ = await joined.firstLine { $0.contains(id) }
        joined.send(SIGINT)
        let outcome = await joined.outcome()
        #expect(outcome.code == 130 && outcome.errors.contains("wizard cancel \(id)"), "\(outcome.errors)")
        let record = try await server.record(id)
        #expect(record["status"] as? String == "in_progress" && record["pending_request"] is NSNull)
        try await server.stop()
    }

    @Test func detachingNeedsAServer() async throws {
        let outcome = try await WizardProcess.run(["pull", "m", "--detach", "--data", folder.path])
        #expect(outcome.code == 2 && outcome.errors.contains("no server runs"))
    }
}
