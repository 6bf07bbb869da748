import Foundation
import OperationTrackingTesting
import TestSupport
import Testing

struct RunCommandTests {
    private let folder = TemporaryFolder()

    private func run(_ arguments: String...) async throws -> WizardProcess.Outcome {
        try await WizardProcess.run(["run", "--data", folder.path] + arguments)
    }

    private func lastRecord() async throws -> [String: Any] {
        let page = try await WizardProcess.run(["history", "--data", folder.path, "--json"]).objects.first
        let operation = try #require((page?["operations"] as? [[String: Any]])?.first)
        let id = try #require(operation["operation_id"] as? String)
        return try #require(try await WizardProcess.run(["show", id, "--data", folder.path, "--json"]).objects.first)
    }

    @Test func aServerIsNotRestartedByItsOwnWork() async throws {
        let config = folder.path + "-config.json"
        defer { try? FileManager.default.removeItem(atPath: config) }
        try Data(#"{"enabled_providers": ["process"], "http_may_start": ["process"]}"#.utf8)
            .write(to: URL(fileURLWithPath: config))
        let server = try await BackgroundServer.start("--config", config, data: folder.path)
        // In a child of the server that is the server's own program.
        let restart = ["/proc/self/exe", "restart", "--data", folder.path]
        let outcome = try await WizardProcess.run(["run", "--data", folder.path, "--"] + restart)
        #expect(outcome.code == 1 && outcome.output.contains("has started this command"), "\(outcome)")
        // One that its parent has left to itself.
        let script = """
            ( ("$0" restart --data "$1" >"$2" 2>&1; echo ended >>"$2") & )
            until grep -q ended "$2"; do sleep 0.1; done
            """
        let left = ["sh", "-c", script, "/proc/\(server.pid)/exe", folder.path, folder.path + "-said"]
        defer { try? FileManager.default.removeItem(atPath: folder.path + "-said") }
        _ = try await WizardProcess.run(["run", "--data", folder.path, "--"] + left)
        let said = try String(contentsOfFile: folder.path + "-said", encoding: .utf8)
        #expect(said.contains("has started this command"), "\(said)")
        let status = try await WizardProcess.run(["status", "--json", "--data", folder.path])
        #expect(try status.objects.first?["pid"] as? Int32 == server.pid)
        try await server.stop()
    }

    @Test func aCommandIsRunAndItsOutputKept() async throws {
        let outcome = try await run("--name", "Greet", "--", "sh", "-c", "echo 50%; echo hello")
        #expect(outcome.code == 0)
        #expect(outcome.output.hasPrefix("Greet\n"))
        #expect(outcome.output.contains("✓ completed"))
        let record = try await lastRecord()
        #expect(record["operation_type"] as? String == "process")
        #expect(record["description"] as? String == "Greet")
        #expect(record["started_by"] as? String == "wizard run")
        #expect((record["result"] as? [String: Any])?["outputTail"] as? String == "50%\nhello\n")
    }

    @Test func optionsAfterTheCommandAreTheCommands() async throws {
        #expect(try await run("printf", "%s,%s", "--json", "--help").code == 0)
        #expect((try await lastRecord()["result"] as? [String: Any])?["outputTail"] as? String == "--json,--help")
    }

    @Test func aCommandThatFailsSaysWhy() async throws {
        let outcome = try await run("sh", "-c", "echo no luck >&2; exit 3")
        #expect(outcome.code == 1)
        #expect(outcome.output.contains("exit_nonzero: "))
        #expect(outcome.output.contains("no luck"))
        #expect(try await lastRecord()["error_code"] as? String == "exit_nonzero")
    }

    @Test func whatFailedAfterAllItsWorkIsNotSaidToBeDone() async throws {
        let outcome = try await run("sh", "-c", "echo 5/5; exit 3")
        #expect(outcome.output.contains("✗ failed") && !outcome.output.contains("100 %"))
    }

    @Test func aServerFindsTheProgramThatIsMeantHereAndIsToldNoSecrets() async throws {
        let (config, bin) = (folder.path + "-config.json", folder.path + "-bin")
        defer { for path in [config, bin] { try? FileManager.default.removeItem(atPath: path) } }
        let text = #"{"enabled_providers": ["process"], "http_may_start": ["process"]}"#
        try Data(text.utf8).write(to: URL(fileURLWithPath: config))
        try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
        let program = Data("#!/bin/sh\necho \"found, ${SECRET:-told nothing}\"\n".utf8)
        let isMade = FileManager.default.createFile(
            atPath: bin + "/only-here",
            contents: program,
            attributes: [.posixPermissions: 0o700]
        )
        #expect(isMade)
        let server = try await BackgroundServer.start("--config", config, data: folder.path)
        let path = bin + ":/usr/bin:/bin"
        let outcome = try await WizardProcess.run(
            ["run", "--data", folder.path, "--", "only-here"],
            environment: ["PATH": path, "SECRET": "a secret"]
        )
        #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
        let record = try await lastRecord()
        #expect(record["started_by"] as? String != "wizard run")
        #expect((record["result"] as? [String: Any])?["outputTail"] as? String == "found, told nothing\n")
        #expect((record["request"] as? [String: Any])?["environment"] as? [String: String] == ["PATH": path])
        #expect(try await WizardProcess.run(["run", "--help"]).output.contains("PATH"))
        try await server.stop()
    }

    @Test func withoutAServerAPATHOfAnyLengthIsNoMatter() async throws {
        let path = "/usr/bin:/bin:/" + String(repeating: "x", count: 100_000)
        let outcome = try await WizardProcess.run(
            ["run", "--data", folder.path, "--", "true"],
            environment: ["PATH": path]
        )
        #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
        #expect((try await lastRecord()["request"] as? [String: Any])?["environment"] as? [String: String] == [:])
    }

    @Test func aProgramThatIsNotThereFails() async throws {
        let outcome = try await run("no-such-program-here")
        #expect(outcome.code == 1)
        #expect(outcome.output.contains("not_found: "))
    }

    /// `timeout` passes a signal on to the program and then to its group, as it does when the time is over.
    @Test func aSignalThatComesTwiceAtOnceIsOneWish() async throws {
        let wizard = try WizardProcess(
            ["run", "--data", folder.path, "--json", "--", "sh", "-c", "echo ready; exec sleep 1000"],
            launcher: ["/usr/bin/timeout", "1000"]
        )
        _ = try #require(await wizard.firstLine { $0.contains("\"message\":\"ready\"") })
        wizard.send(SIGTERM)
        let outcome = await wizard.outcome()
        #expect(outcome.code == 130)
        #expect(try await lastRecord()["status"] as? String == "cancelled")
    }

    @Test func aSecondSignalLaterEndsTheProgram() async throws {
        let wizard = try WizardProcess([
            "run", "--data", folder.path, "--json", "--", "sh", "-c",
            "trap '' TERM; echo $$; while :; do sleep 0.05; done",
        ])
        let line = try #require(await wizard.firstLine { $0.contains("\"message\":\"") })
        let operation = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        let pid = try #require(Int32(operation["message"] as? String ?? ""))
        wizard.send(SIGTERM)
        _ = try #require(await wizard.firstLine { $0.contains("\"pending_request\":\"cancel\"") })
        // One that follows soon counts as the same wish, so that another is sent until one doesn't.
        while !wizard.hasEnded {
            wizard.send(SIGTERM)
            await briefPause()
        }
        // The command is killed first, so the program may just see that and end as cancelled by itself.
        let outcome = await wizard.outcome()
        #expect(outcome.wasKilled || outcome.code == 130)
        // The command is not left behind.
        try await eventually("the command's end") { !SystemProcess.isAlive(pid) }
        let record = try await lastRecord()
        // It may just have had the time to say so itself.
        #expect(record["error_code"] as? String == "interrupted" || record["status"] as? String == "cancelled")
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func ctrlCEndsTheCommandAndIsRecordedAsCancelled(_ signal: Int32) async throws {
        let wizard = try WizardProcess([
            "run", "--data", folder.path, "--json", "--", "sh", "-c", "echo $$; exec sleep 1000",
        ])
        let line = try #require(await wizard.firstLine { $0.contains("\"message\":\"") })
        let operation = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        let pid = try #require(Int32(operation["message"] as? String ?? ""))
        #expect(kill(pid, 0) == 0)
        wizard.send(signal)
        #expect(await wizard.outcome().code == 130)
        #expect(kill(pid, 0) == -1)
        #expect(try await lastRecord()["status"] as? String == "cancelled")
    }

    @Test(arguments: [[], ["--"], ["--progress", "often", "true"], ["--nonsense", "true"]])
    func wrongUsageIsSaid(_ arguments: [String]) async throws {
        let outcome = try await WizardProcess.run(["run"] + arguments)
        #expect(outcome.code == 2)
        #expect(!outcome.errors.isEmpty)
    }
}
