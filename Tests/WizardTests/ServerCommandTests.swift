import Foundation
import OperationTrackingTesting
import TestSockets
import TestSupport
import Testing

struct ServerCommandTests {
    private let folder = TemporaryFolder()

    @Test func aServerIsStartedInTheBackgroundAndStopped() async throws {
        let server = try await BackgroundServer.start(data: folder.path)
        let running = try await folder.serverStatus()
        #expect(running.code == 0)
        #expect(running.status["status"] as? String == "running" && running.status["health"] as? String == "ok")
        #expect(running.status["url"] as? String == server.url && running.status["pid"] as? Int32 == server.pid)
        #expect(running.status["active_operations"] as? Int == 0)
        let pid = try String(contentsOfFile: folder.path + "/server.pid", encoding: .utf8)
        #expect(pid == "\(server.pid)\n")
        // It has a session of its own, so that no terminal's end is its end.
        #expect(getsid(server.pid) == server.pid)

        try await server.stop()
        let stopped = try await folder.serverStatus()
        #expect(stopped.code == 3 && stopped.status["status"] as? String == "stopped")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/server.json"))
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/server.pid"))
    }

    @Test func aStartNamesAFileOfServicesThatIsNone() async throws {
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        try Data("{".utf8).write(to: URL(fileURLWithPath: folder.path + "/services.json"))
        let outcome = try await WizardProcess.run(["start", "--port", "0", "--data", folder.path])
        #expect(outcome.code == 0 && outcome.errors.contains("services.json") && outcome.errors.contains("aside"))
        let again = try await WizardProcess.run(["restart", "--data", folder.path])
        #expect(again.code == 0 && again.errors.isEmpty)
        #expect(try await WizardProcess.run(["stop", "--data", folder.path]).code == 0)
    }

    @Test func startingTwiceIsDoneOnce() async throws {
        let server = try await BackgroundServer.start(data: folder.path)
        let again = try await BackgroundServer.start(data: folder.path)
        #expect(again.pid == server.pid)
        try await server.stop()
    }

    @Test func startingWithOtherOptionsThanThoseOfTheServerIsRefused() async throws {
        let file = folder.path + "-token"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let link = folder.path + "-link"
        defer { try? FileManager.default.removeItem(atPath: link) }
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path)
        let server = try await BackgroundServer.start("--services", folder.path + "/mine.json", data: folder.path)
        let start = ["start", "--json", "--data", folder.path]
        let other = try await WizardProcess.run(start + ["--port", "1", "--token-file", file])
        #expect(other.code == 1 && other.errors.contains("--port, --token-file"), "\(other.errors)")
        #expect(!FileManager.default.fileExists(atPath: file))
        // What it has anyway is nothing else, whatever links lead there.
        let port = try #require(server.url.split(separator: ":").last.map(String.init))
        let same = try await WizardProcess.run(
            start + ["--port", port, "--host", "127.0.0.1", "--services", link + "/mine.json"]
        )
        #expect(same.code == 0, "\(same.errors)")
        try await server.stop()
    }

    @Test(arguments: ["start", "restart"], ["/dev/null", "/dev/null/x"])
    func aDataDirectoryThatCannotBeIsSaidToBeSo(_ command: String, _ data: String) async throws {
        let outcome = try await WizardProcess.run([command], environment: ["OPERATION_TRACKING_DATA": data])
        #expect(outcome.code == 1)
        #expect(
            outcome.errors.hasPrefix("wizard \(command): The data directory \(data) can't be made"),
            "\(outcome.errors)"
        )
    }

    @Test func stoppingWhatDoesNotRunIsDone() async throws {
        #expect(try await WizardProcess.run(["stop", "--data", folder.path]).code == 0)
    }

    @Test func aStartThatDiesAtOnceShowsItsLastLines() async throws {
        let outcome = try await WizardProcess.run(["start", "--host", "192.0.2.1", "--data", folder.path])
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("ended at once") && outcome.errors.contains("token"))
        #expect(outcome.errors.contains("server.log"))
        #expect(try await folder.serverStatus().code == 3)
    }

    @Test func aConfigurationWithMistakesIsRefusedBeforeAnythingIsStarted() async throws {
        let outcome = try await WizardProcess.run(["restart", "--config", "/nonexistent", "--data", folder.path])
        #expect(outcome.code == 2)
        #expect(!FileManager.default.fileExists(atPath: folder.path))
    }

    @Test func aConfigurationGivenToARestartGoesBeforeTheOptionsOfTheStart() async throws {
        let (token, config) = (folder.path + "-token", folder.path + "-config.json")
        defer { for file in [token, config] { try? FileManager.default.removeItem(atPath: file) } }
        let port = try TestServer.unusedPort()
        try Data(#"{"port": \#(port)}"#.utf8).write(to: URL(fileURLWithPath: config))
        let server = try await BackgroundServer.start("--token-file", token, data: folder.path)
        let outcome = try await WizardProcess.run(["restart", "--config", config, "--json", "--data", folder.path])
        let restarted = try #require(try outcome.objects.last, "\(outcome.errors)")
        #expect(restarted["url"] as? String == "http://127.0.0.1:\(port)")
        // Of what it says nothing, that stays.
        #expect(try folder.serverRecord()["token_file"] as? String == token)
        try await server.stop()
    }

    @Test func aServerThatDoesNotAnswerIsToldFromOneThatDoesNotRun() async throws {
        let server = try await BackgroundServer.start(data: folder.path)
        try await SystemProcess.stop(server.pid)
        let found = try await folder.serverStatus()
        #expect(found.code == 4 && found.status["status"] as? String == "not_answering")
        let text = try await WizardProcess.run(["status", "--data", folder.path])
        #expect(text.output.contains("kill -CONT \(server.pid)") && text.output.contains("wizard restart"))
        let operations = try await WizardProcess.run(["operations", "--data", folder.path])
        #expect(operations.code == 0 && operations.errors.contains("doesn't answer"))
        let detached = try await WizardProcess.run(["pull", "m", "--detach", "--data", folder.path])
        #expect(detached.code == 1 && detached.errors.contains("doesn't answer"))
        kill(server.pid, SIGCONT)
        #expect(try await folder.serverStatus().code == 0)
        try await server.stop()
    }

    @Test(arguments: [
        ["status"], ["stop"], ["kill", "--yes"], ["start"], ["restart"], ["cancel", "op_x"], ["history"],
        ["operations"],
        ["show", "op_x"],
    ])
    func aDirectoryOfAnotherUserIsSaidToBeSo(_ command: [String]) async throws {
        guard getuid() == 0, access("/usr/bin/setpriv", X_OK) == 0 else {
            try Test.cancel("LEFT OUT: only root, with setpriv, can be another user")
        }
        let server = try await BackgroundServer.start(data: folder.path)
        // Another user gets as far as the folder, and no further; or doesn't even see into it.
        for mode in [0o755, 0o700] as [mode_t] {
            chmod(folder.path, mode)
            let outcome = try await WizardProcess(
                command + ["--data", folder.path],
                launcher: ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            ).outcome()
            #expect(outcome.code == 1)
            #expect(outcome.errors.contains("root") && outcome.errors.contains("sudo -u root"), "\(outcome.errors)")
        }
        try await server.stop()
    }

    @Test func aPortThatIsHeldIsAConflict() async throws {
        let other = try await BackgroundServer.start(data: folder.path + "-other")
        let port = try #require(other.url.split(separator: ":").last.map(String.init))
        let found = try await folder.serverStatus("--port", port)
        #expect(found.code == 3 && found.status["status"] as? String == "conflict")
        #expect((found.status["held_by"] as? String)?.contains("wizard (pid \(other.pid))") == true)
        let start = try await WizardProcess.run(["start", "--port", port, "--data", folder.path])
        #expect(start.code == 1 && start.errors.contains("wizard (pid \(other.pid))"))
        // The port is no registered service's, whoever says yes.
        for yes in [[], ["--yes"]] {
            let refused = try await WizardProcess.run(["kill", "--port", port, "--data", folder.path] + yes)
            #expect(refused.code == 1 && refused.errors.contains("is of no service"), "\(refused.errors)")
        }
        let ports = try await WizardProcess.run(["ports", "kill", ":" + port, "--data", folder.path])
        #expect(ports.code == 1 && ports.errors.contains("is of no service"), "\(ports.errors)")
        // Nor does anything else advise what would be refused.
        for command in ["start", "status"] {
            let advised = { try await WizardProcess.run([command, "--port", port, "--data", self.folder.path]) }
            let before = try await advised()
            #expect((before.output + before.errors).contains("is of no service"), "\(before)")
            let services = folder.path + "/services.json"
            try Data(#"{"services": [{"name": "wizard", "port": \#(port)}]}"#.utf8)
                .write(to: URL(fileURLWithPath: services))
            let after = try await advised()
            #expect((after.output + after.errors).contains("`wizard restart` ends that"), "\(after)")
            // Nobody can be asked, and nobody has said yes.
            let unasked = try await WizardProcess.run(["kill", "--port", port, "--data", folder.path])
            #expect(unasked.code == 2 && unasked.errors.contains("--yes"))
            try FileManager.default.removeItem(atPath: services)
        }
        try await other.stop()
        try? FileManager.default.removeItem(atPath: folder.path + "-other")
    }

    @Test func aServerThatDiedLeavesNothingThatLooksLikeOne() async throws {
        let server = try await BackgroundServer.start(data: folder.path)
        kill(server.pid, SIGKILL)
        while try await folder.serverStatus().code == 0 { await briefPause() }
        let again = try await BackgroundServer.start(data: folder.path)
        #expect(again.pid != server.pid)
        let killed = try await WizardProcess.run(["kill", "--data", folder.path])
        #expect(killed.code == 0 && killed.output.contains("\(again.pid)"))
        #expect(try await folder.serverStatus().code == 3)
    }

    @Test(arguments: ["pause", "resume", "cancel"])
    func wishesNeedAServer(_ wish: String) async throws {
        let without = try await WizardProcess.run([wish, "op_x", "--data", folder.path])
        #expect(without.code == 1 && without.errors.contains("wizard start"))
        let server = try await BackgroundServer.start(data: folder.path)
        let unknown = try await WizardProcess.run([wish, "op_x", "--data", folder.path])
        #expect(unknown.code == 1 && unknown.errors.contains("op_x"))
        try await server.stop()
    }
}
