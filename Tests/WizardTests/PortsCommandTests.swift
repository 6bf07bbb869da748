import Foundation
import OperationTrackingTesting
import Synchronization
import TestSockets
import TestSupport
import Testing

struct PortsCommandTests {
    private let folder = TemporaryFolder()

    private func ports(_ arguments: String...) async throws -> WizardProcess.Outcome {
        try await WizardProcess.run(["ports"] + arguments + ["--data", folder.path])
    }

    private func write(_ services: String) throws {
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        try Data(#"{"services": [\#(services)]}"#.utf8)
            .write(to: URL(fileURLWithPath: folder.path + "/services.json"))
    }

    @Test(arguments: [
        [], ["nonsense"], ["kill"], ["kill", "a", "b"], ["kill", ":0"], ["kill", ":70000"], ["reassign"],
        ["status", "x"],
        ["available", "x"], ["reassign", "a", "b"], ["status", "--services", "/dev/null/services.json"],
        ["kill", "nobody"],
        ["check", "nobody"], ["reassign", "nobody"],
    ])
    func wrongUsageIsSaid(_ arguments: [String]) async throws {
        let outcome = try await WizardProcess.run(["ports"] + arguments + ["--data", folder.path])
        #expect(outcome.code == 2 && outcome.output.isEmpty && !outcome.errors.isEmpty)
    }

    @Test func theServicesOfTheDataDirectoryAreShown() async throws {
        try write(#"{"name": "web", "port": 1}, {"name": "job", "enabled": false}"#)
        let outcome = try await ports("status", "--json")
        #expect(outcome.code == 0, "\(outcome.errors)")
        let services = try #require(try outcome.objects.first?["services"] as? [[String: Any]])
        #expect(services.map { $0["name"] as? String } == ["web", "job"])
        let table = try await ports("status")
        #expect(table.output.hasPrefix("NAME  STATUS") && table.output.contains("(disabled)"))
        #expect(try await ports("check").code == 0)
        #expect(try await ports("env").output.contains("export WEB_PORT=1\n"))
        let script = try await ports("env", "--json").objects.first?["script"] as? String
        #expect(script?.contains("export WEB_PORT=1\n") == true)
        #expect(try await ports("conflicts", "--json").objects.first?["total"] as? Int == 0)
        #expect(try await ports("heal", "--json").objects.first?["steps"] as? [Int] == [])
    }

    @Test func whatIsSaidToNobodyIsWrittenIntoNoFile() async throws {
        try write(#"{"name": "web", "port": 1}"#)
        let command = ["ports", "env", "--data", folder.path]
        let launcher = ["/bin/sh", "-c", "exec \"$0\" \"$@\" <&- >&- 2>&-"]
        #expect(try await WizardProcess(command, launcher: launcher).outcome().code == 0)
        for file in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            let bytes = FileManager.default.contents(atPath: folder.path + "/" + file) ?? Data()
            #expect(!String(decoding: bytes, as: UTF8.self).contains("WEB_PORT"), "\(file)")
        }
    }

    @Test func whatCannotBeWrittenIsSaid() async throws {
        try write(#"{"name": "web", "port": 1}"#)
        let launcher = ["/bin/sh", "-c", "exec \"$0\" \"$@\" >/dev/full"]
        let outcome = try await WizardProcess(["ports", "env", "--data", folder.path], launcher: launcher).outcome()
        #expect(outcome.code == 1 && outcome.errors.contains("could not be written"), "\(outcome)")
    }

    @Test(arguments: ["status", "heal", "conflicts"]) func aBrokenFileIsNamedAndLeftAlone(command: String) async throws
    {
        try write(#"{"name": "web", "port": "1"}"#)
        let path = folder.path + "/services.json"
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        let outcome = try await ports(command)
        #expect(outcome.code == 1 && outcome.errors.contains("services.json"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.contains("invalid") })
    }

    @Test func twoServicesWithOnePortAreWarnedOf() async throws {
        try write(#"{"name": "a", "port": 1}, {"name": "b", "port": 1}"#)
        for command in ["status", "check", "conflicts", "env", "heal"] {
            let errors = try await ports(command).errors
            #expect(errors.contains("a and b have the same port, 1"), "\(command): \(errors)")
        }
        for command in ["status", "check", "conflicts", "heal"] {
            let outcome = try await ports(command, "--json")
            let warnings = try outcome.objects.first?["warnings"] as? [String]
            #expect(warnings?.first?.contains("a and b have the same port, 1") == true, "\(command)")
            #expect(outcome.errors.isEmpty)
        }
    }

    @Test func aServiceOfThisProgramsOwnUsesTheSameDataDirectory() async throws {
        let port = try TestServer.unusedPort()
        try write(
            #"{"name": "wizard", "port": \#(port), "process_name": "node", "health_endpoint": "/health", "startup_cmd": ["wizard", "serve", "--port", "\#(port)"]}"#
        )
        let squatter = try PythonServer(port: port)
        try await squatter.waitUntilItAnswers(on: port)
        // The server is no `node`, but what was started here is the service's own.
        let healed = try await ports("heal", "--yes", "--json")
        #expect(healed.code == 0, "\(healed.errors)\(healed.output)")
        let status = try await WizardProcess.run(["status", "--json", "--data", folder.path])
        #expect(status.code == 0)
        #expect((try status.objects.first?["url"] as? String)?.hasSuffix(":\(port)") == true)
        #expect(try await WizardProcess.run(["stop", "--data", folder.path]).code == 0)
        // That was wanted, though no controller has seen to it.
        let after = try await ports("status", "--json").objects.first?["services"] as? [[String: Any]]
        #expect(after?.first?["status"] as? String == "stopped")
    }

    @Test func aServerOnTheDirectoryHealsAndIsTheParentOfWhatItStarts() async throws {
        let port = try TestServer.unusedPort()
        let server = try await BackgroundServer.start(data: folder.path)
        try write(
            #"{"name": "web", "port": \#(port), "process_name": "x", "startup_cmd": "exec \#(PythonServer.program) -m http.server \#(port) --bind 127.0.0.1"}"#
        )
        let squatter = try PythonServer(port: port)
        try await squatter.waitUntilItAnswers(on: port)
        let healed = try await ports("heal", "--yes", "--json")
        #expect(healed.code == 0, "\(healed.errors)\(healed.output)")
        let steps = try #require(try healed.objects.first?["steps"] as? [[String: Any]])
        #expect(steps.map { $0["outcome"] as? String } == ["done"])
        #expect(steps.first?["pids"] as? [Int32] == [squatter.pid])
        let shown = try await ports("status", "--json").objects.first?["services"] as? [[String: Any]]
        let pid = try #require(shown?.first?["pid"] as? Int32)
        let parent = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8).split(separator: " ")[3]
        #expect(parent == "\(server.pid)")
        kill(pid, SIGTERM)
        try await server.stop()
    }

    @Test(.timeLimit(.minutes(Patience.minutes))) func aServersStopCancelsAHealingWhichIsSaidAndRecorded() async throws
    {
        let port = try TestServer.unusedPort()
        let server = try await BackgroundServer.start(data: folder.path)
        try write(#"{"name": "web", "port": \#(port), "process_name": "x", "startup_cmd": "sleep 1000"}"#)
        let squatter = try PythonServer(port: port)
        try await squatter.waitUntilItAnswers(on: port)
        let healing = try WizardProcess(["ports", "heal", "--yes", "--data", folder.path])
        #expect(await squatter.signalThatEndedIt() == SIGTERM)
        try await server.stop()
        let outcome = await healing.outcome()
        #expect(outcome.code == 130 && outcome.errors.contains("has cancelled it"), "\(outcome.errors)")
        let history = try await WizardProcess.run(["history", "--json", "--data", folder.path])
        let operations = try #require(try history.objects.first?["operations"] as? [[String: Any]])
        #expect(operations.map { $0["status"] as? String } == ["cancelled", "cancelled"])
    }

    @Test func ctrlCInAHealingIsSaidWithWhereToLook() async throws {
        let port = try TestServer.unusedPort()
        try write(#"{"name": "web", "port": \#(port), "process_name": "x", "startup_cmd": "sleep 1000"}"#)
        let squatter = try PythonServer(port: port)
        try await squatter.waitUntilItAnswers(on: port)
        let healing = try WizardProcess(["ports", "heal", "--yes", "--data", folder.path])
        #expect(await squatter.signalThatEndedIt() == SIGTERM)
        healing.send(SIGINT)
        let outcome = await healing.outcome()
        #expect(outcome.code == 130 && outcome.errors.contains("wizard ports status"), "\(outcome.errors)")
    }

    @Test func aServiceIsMovedToAPortThatIsFree() async throws {
        try write(#"{"name": "web", "port": 1}"#)
        let available = try await ports("available", "20000", "--json")
        let port = try #require(try available.objects.first?["port"] as? Int)
        #expect(port >= 20000)
        #expect(try await ports("reassign", "web", "\(port)").code == 0)
        #expect(try await ports("env").output.contains("export WEB_PORT=\(port)\n"))
    }

    @Test func aConflictIsFoundAndNothingIsEndedUnasked() async throws {
        let server = try await BackgroundServer.start(data: folder.path)
        let port = try #require(server.url.split(separator: ":").last)
        try write(#"{"name": "web", "port": \#(port), "process_name": "node"}"#)
        let check = try await ports("check", "web")
        #expect(check.code == 1 && check.output.contains("port_conflict"))
        let conflicts = try await ports("conflicts", "--json").objects.first?["conflicts"] as? [[String: Any]]
        #expect(conflicts?.first?["pid"] as? Int32 == server.pid)
        for command in [["kill", "web"], ["kill", ":\(port)"]] {
            let outcome = try await WizardProcess.run(["ports"] + command + ["--data", folder.path])
            #expect(outcome.code == 2 && outcome.errors.contains("--yes"))
        }
        // That is done by the server, which doesn't end itself.
        let heal = try await ports("heal")
        #expect(heal.code == 1 && heal.output.contains("this program itself"), "\(heal.errors)")
        #expect(kill(server.pid, 0) == 0)
        let killed = try await ports("kill", "web", "--yes", "--json")
        #expect(killed.code == 0, "\(killed.errors)")
        let ended = try #require(try killed.objects.first?["ended"] as? [[String: Any]])
        #expect(ended.map { $0["pid"] as? Int32 } == [server.pid])
        let events = try await WizardProcess.run(["events", "--json", "--data", folder.path])
        let actions = try #require(try events.objects.first?["events"] as? [[String: Any]])
        #expect(actions.contains { $0["event_type"] as? String == "process.terminated" })
        #expect(try await ports("check").code == 0)
    }

    @Test func whatHasStartedTheCommandIsNotHandedOverToBeEnded() async throws {
        let port = try TestServer.unusedPort()
        let server = try await BackgroundServer.start(data: folder.path)
        try write(#"{"name": "web", "port": \#(port), "process_name": "x"}"#)
        let script =
            "import socket, subprocess, sys; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); "
            + "s.bind(('127.0.0.1', int(sys.argv[1]))); s.listen(); sys.exit(subprocess.run(sys.argv[2:]).returncode)"
        let outcome = try await WizardProcess(
            ["ports", "heal", "--yes", "--data", folder.path],
            launcher: [PythonServer.program, "-c", script, "\(port)"]
        ).outcome()
        #expect(outcome.code == 1 && !outcome.wasKilled)
        #expect(outcome.output.contains("has started this program"), "\(outcome.output)\(outcome.errors)")
        try await server.stop()
    }

    /// A server that has not begun what it was asked for when it is asked to cancel that.
    @Test func ctrlCIsRepeatedUntilTheServerKnowsWhatIsMeant() async throws {
        let named = Mutex("")
        let wishes = Mutex<[String]>([])
        let path = folder.path
        let server = try TestServer { connection in
            let request = try connection.readRequest()
            let line = request.line
            func answer(_ body: String, _ status: String = "200 OK") throws {
                try connection.write(
                    "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
                )
            }
            if line.contains("/health") {
                try answer(#"{"status": "ok", "reason": null, "active_operations": 0}"#)
            } else if line.contains("/api/ports/status") {
                try answer(#"{"registry": {"path": "\#(path)/services.json"}}"#)
            } else if line.contains("/recover") {
                try answer(
                    #"{"actions": [{"service": "web", "action": "kill", "reason": "It is so.", "outcome": "planned", "holders": ["4711@5"]}]}"#
                )
            } else if line.contains("/api/ports/heal") {
                let body = try JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any]
                #expect((body?["expected"] as? [String: [String]])?["web"] == ["4711@5"])
                named.withLock { $0 = body?["operation_id"] as? String ?? "none" }
                while wishes.withLock({ $0.count < 3 }) { usleep(1000) }
                try answer(#"{"detail": "It was cancelled.", "code": "cancelled"}"#, "409 Conflict")
            } else if line.contains("/cancel") {
                let count = wishes.withLock { wishes in
                    wishes.append(line)
                    return wishes.count
                }
                let isThere = count > 2
                try answer(
                    isThere ? "{}" : #"{"detail": "There is none.", "code": "unknown_operation"}"#,
                    isThere ? "200 OK" : "404 Not Found"
                )
            }
        }
        try write("")
        try folder.recordServer(at: server.url(""))
        let process = try WizardProcess(["ports", "heal", "--yes", "--data", path])
        while named.withLock(\.isEmpty) { await briefPause() }
        process.send(SIGINT)
        let outcome = await process.outcome()
        #expect(outcome.code == 130, "\(outcome.errors)\(outcome.output)")
        let id = named.withLock { $0 }
        #expect(
            id.hasPrefix("op_") && wishes.withLock { $0.count == 3 && $0.allSatisfy { $0.contains("/\(id)/cancel") } }
        )
    }
}
