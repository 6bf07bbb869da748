import Foundation
import OperationTrackingTesting
import TestSockets
import TestSupport
import Testing

/// What a restart keeps, and what it ends and does not.
struct RestartCommandTests {
    private let folder = TemporaryFolder()

    @Test func aRestartAfterAStopStartsTheServerAsItWas() async throws {
        let (file, port) = (folder.path + "-token", "\(try TestServer.unusedPort())")
        defer { try? FileManager.default.removeItem(atPath: file) }
        let server = try await BackgroundServer.start("--token-file", file, "--port", port, data: folder.path)
        try await server.stop()
        let outcome = try await WizardProcess.run(["restart", "--json", "--data", folder.path])
        #expect(try outcome.objects.last?["url"] as? String == "http://127.0.0.1:\(port)", "\(outcome.errors)")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/server.json"))
        let record = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
        #expect(record["token_file"] as? String == file)
        #expect(try await WizardProcess.run(["stop", "--data", folder.path]).code == 0)
    }

    @Test func aRestartStartsTheServerAsItWas() async throws {
        let file = folder.path + "-token"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let server = try await BackgroundServer.start("--token-file", file, data: folder.path)
        let outcome = try await WizardProcess.run(["restart", "--json", "--data", folder.path])
        let restarted = try #require(try outcome.objects.last, "\(outcome.errors)")
        #expect(restarted["pid"] as? Int32 != server.pid)
        let record = try folder.serverRecord()
        #expect(record["token_file"] as? String == file)
        // Nothing is added to what it was started with, however often that is done.
        #expect((record["arguments"] as? [String])?.count == 8)
        try await server.stop()
    }

    @Test func aRestartWithFilesThatTheNextServerCannotHaveEndsNone() async throws {
        let token = folder.path + "-token"
        defer { try? FileManager.default.removeItem(atPath: token) }
        let server = try await BackgroundServer.start("--token-file", token, data: folder.path)
        let restart = ["restart", "--data", folder.path]
        let nowhere = try await WizardProcess.run(restart + ["--services", "/nonexistent/x.json"])
        #expect(nowhere.code == 2 && nowhere.errors.contains("/nonexistent/x.json can't be made"), "\(nowhere.errors)")
        chmod(token, 0o644)
        let open = try await WizardProcess.run(restart)
        #expect(open.code == 2 && open.errors.contains("others can read the token file"), "\(open.errors)")
        chmod(token, 0o600)
        #expect(try await folder.serverStatus().status["pid"] as? Int32 == server.pid)
        try await server.stop()
    }

    @Test func aRestartEndsNoneWhereTheNextServerCouldNotBegin() async throws {
        let server = try await BackgroundServer.start(data: folder.path)
        let files = FileManager.default
        let (data, spare) = (folder.path, folder.path + "-spare")
        defer { try? files.removeItem(atPath: spare) }
        try files.createDirectory(atPath: spare, withIntermediateDirectories: true)
        try files.createSymbolicLink(atPath: spare + "/dangling", withDestinationPath: "/nonexistent/file")
        try files.createSymbolicLink(atPath: spare + "/loop", withDestinationPath: "loop")
        try Data(#"{"trust_local_user": false}"#.utf8).write(to: URL(fileURLWithPath: spare + "/config"))
        try Data(#"{"token_file": "\#(spare)/dangling"}"#.utf8).write(to: URL(fileURLWithPath: spare + "/token-config"))
        let long = spare + "/" + String(repeating: "x", count: 300)
        var refused = [["--config", spare + "/config"], ["--config", spare + "/token-config"]]
        for file in [spare + "/dangling", spare + "/loop", long, "/proc/x"] {
            refused += [["--services", file], ["--token-file", file]]
        }
        for arguments in refused {
            let outcome = try await WizardProcess.run(["restart", "--data", data] + arguments)
            #expect(outcome.code == 2 && !outcome.errors.contains("ended at once"), "\(arguments): \(outcome)")
            #expect(try await folder.serverStatus().status["pid"] as? Int32 == server.pid, "\(arguments)")
        }
        // What is in the way in the data directory, and whether it is a folder or a link to nowhere.
        for (name, isFolder) in [
            ("server.log", false), ("server.log", true), ("server.pid", true), ("server.last.json", true),
            ("services.json", false),
        ] {
            let path = data + "/" + name
            try files.moveItem(atPath: path, toPath: spare + "/kept")
            if isFolder {
                try files.createDirectory(atPath: path, withIntermediateDirectories: false)
            } else {
                try files.createSymbolicLink(atPath: path, withDestinationPath: "/nonexistent/file")
            }
            let outcome = try await WizardProcess.run(["restart", "--data", data])
            #expect(outcome.code == 2 && outcome.errors.contains(name), "\(name): \(outcome)")
            try files.removeItem(atPath: path)
            try files.moveItem(atPath: spare + "/kept", toPath: path)
            #expect(try await folder.serverStatus().status["pid"] as? Int32 == server.pid, "\(name)")
        }
        try await server.stop()
    }

    @Test func aRestartEndsNoneWhereTheFolderIsGoneInWhichTheServerWasStarted() async throws {
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        let script = "mkdir \"$0\" && cd \"$0\" && exec \"$@\""
        let start = try WizardProcess(
            ["start", "--port", "0", "--data", folder.path],
            launcher: ["/bin/sh", "-c", script, folder.path + "/work"]
        )
        #expect(await start.outcome().code == 0)
        let pid = try #require(try folder.serverRecord()["pid"] as? Int32)
        try FileManager.default.removeItem(atPath: folder.path + "/work")
        let outcome = try await WizardProcess.run(["restart", "--data", folder.path])
        #expect(outcome.code == 2 && outcome.errors.contains("/work, is gone"), "\(outcome)")
        #expect(try await folder.serverStatus().status["pid"] as? Int32 == pid)
        #expect(try await WizardProcess.run(["stop", "--data", folder.path]).code == 0)
    }

    @Test(.timeLimit(.minutes(Patience.minutes))) func aStartBesideARestartWaitsUntilThatIsDone() async throws {
        let server = try await BackgroundServer.start(data: folder.path)
        // As one that is being ended, which answers no more, by who has the lock.
        let lock = open(folder.path + "/server.lock", O_RDWR | O_CLOEXEC)
        #expect(flock(lock, LOCK_EX) == 0)
        kill(server.pid, SIGSTOP)
        let start = try WizardProcess(["start", "--json", "--data", folder.path])
        while !start.hasOpen(folder.path + "/server.lock"), !start.hasEnded { await briefPause() }
        kill(server.pid, SIGCONT)
        close(lock)
        let outcome = await start.outcome()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try outcome.objects.last?["pid"] as? Int32 == server.pid)
        try await server.stop()
    }

    @Test func aRestartAfterAStopSaysThatWhatTheServerWasStartedWithIsNotBelieved() async throws {
        let server = try await BackgroundServer.start(data: folder.path)
        try await server.stop()
        let last = folder.path + "/server.last.json"
        chmod(last, 0o666)
        let open = try await WizardProcess.run(["restart", "--port", "0", "--data", folder.path])
        #expect(open.code == 2 && open.errors.contains(last) && open.errors.contains("wizard start"), "\(open.errors)")
        #expect(try await folder.serverStatus().code == 3)
    }

    @Test(.timeLimit(.minutes(Patience.minutes))) func aRestartThatWaitsForAnotherStartsTheServerAsItWas() async throws
    {
        let file = folder.path + "-token"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let server = try await BackgroundServer.start("--token-file", file, data: folder.path)
        // As a restart leaves it between the old server and the new one.
        let lock = open(folder.path + "/server.lock", O_RDWR | O_CLOEXEC)
        #expect(flock(lock, LOCK_EX) == 0)
        let record = folder.path + "/server.json"
        try FileManager.default.moveItem(atPath: record, toPath: record + "-kept")
        let restart = try WizardProcess(["restart", "--json", "--data", folder.path])
        while !restart.hasOpen(folder.path + "/server.lock") { await briefPause() }
        try FileManager.default.moveItem(atPath: record + "-kept", toPath: record)
        close(lock)
        let outcome = await restart.outcome()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try folder.serverRecord()["token_file"] as? String == file)
        try await server.stop()
    }

    @Test(.timeLimit(.minutes(Patience.minutes))) func aRestartBesideASecondServerKeepsThePlaceForTheNewOne()
        async throws
    {
        let server = try await BackgroundServer.start(data: folder.path)
        let second = try WizardProcess(["serve", "--port", "0", "--data", folder.path])
        let port = await second.firstLine { $0.hasPrefix("listening on ") }?.split(separator: ":").last
        for _ in 0..<2 {
            let outcome = try await WizardProcess.run(["restart", "--json", "--data", folder.path])
            let restarted = try #require(try outcome.objects.last, "\(outcome.errors)")
            #expect(outcome.code == 0 && restarted["status"] as? String == "running")
            #expect(![server.pid, second.pid].contains(try #require(restarted["pid"] as? Int32)))
        }
        // And goes to the second once there is no other.
        try await server.stop()
        while try await folder.serverStatus().status["port"].map({ "\($0)" }) != port.map(String.init) {
            await briefPause()
        }
        second.send(SIGTERM)
        #expect(await second.outcome().code == 0)
    }

    @Test func aRestartWithAnOptionKeepsTheOthers() async throws {
        let files = ["token", "services"].map { folder.path + "-" + $0 }
        defer { for file in files { try? FileManager.default.removeItem(atPath: file) } }
        try Data(#"{"services": []}"#.utf8).write(to: URL(fileURLWithPath: files[1]))
        let server = try await BackgroundServer.start("--token-file", files[0], data: folder.path)
        let restart = ["restart", "--json", "--data", folder.path]
        #expect(try await WizardProcess.run(restart + ["--services", files[1]]).code == 0)
        let port = "\(try TestServer.unusedPort())"
        #expect(try await WizardProcess.run(restart + ["--port", port]).code == 0)
        let record = try folder.serverRecord()
        let arguments = try #require(record["arguments"] as? [String])
        let expected = ["--port", port, "--token-file", files[0], "--services", files[1]]
        #expect(Array(arguments.prefix(6)) == expected)
        // What would be refused is so before anything is ended.
        let refused = try await WizardProcess.run(restart + ["--config", "/nonexistent"])
        #expect(refused.code == 2)
        #expect(try await folder.serverStatus().status["pid"] as? Int32 == record["pid"] as? Int32)
        try await server.stop()
    }

    @Test(arguments: ["--data", "--dat"])
    func aRestartKnowsOptionsHoweverTheyWereWritten(_ spelling: String) async throws {
        let file = folder.path + "-token"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let port = try TestServer.unusedPort()
        let first = try WizardProcess(["serve", "\(spelling)=\(folder.path)", "--port=\(port)", "--token=\(file)"])
        _ = await first.firstLine { $0.hasPrefix("listening on ") }
        for _ in 0..<2 {
            let outcome = try await WizardProcess.run(["restart", "--data", folder.path])
            #expect(outcome.code == 0, "\(outcome.errors)")
        }
        #expect(await first.outcome().code == 0)
        let record = try folder.serverRecord()
        #expect(record["token_file"] as? String == file)
        #expect((record["arguments"] as? [String])?.count == 8)
        #expect(try await folder.serverStatus().status["url"] as? String == "http://127.0.0.1:\(port)")
        #expect(try await WizardProcess.run(["stop", "--data", folder.path]).code == 0)
    }

    @Test func aRestartEndsNothingWhereItIsNotKnownWhatWasStarted() async throws {
        let server = try await BackgroundServer.start(data: folder.path)
        let path = folder.path + "/server.json"
        let record = try String(contentsOfFile: path, encoding: .utf8)
        let later = record.replacingOccurrences(of: "\"arguments\":[", with: "\"arguments\":[\"--of-a-later-version\",")
        #expect(later != record)
        try Data(later.utf8).write(to: URL(fileURLWithPath: path))
        let outcome = try await WizardProcess.run(["restart", "--data", folder.path])
        #expect(outcome.code == 2)
        #expect(outcome.errors.contains("--of-a-later-version") && outcome.errors.contains("wizard stop"))
        #expect(try await folder.serverStatus().status["pid"] as? Int32 == server.pid)
        try await server.stop()
        // What it has left says no more, and there is nothing to be ended.
        let without = try await WizardProcess.run(["restart", "--data", folder.path])
        #expect(without.code == 2 && without.errors.contains("--of-a-later-version"), "\(without.errors)")
        #expect(without.errors.contains("wizard start") && !without.errors.contains("wizard stop"), "\(without.errors)")
    }

    @Test func aRestartEndsNothingWhereTheNextServerCouldNotListen() async throws {
        let server = try await BackgroundServer.start(data: folder.path)
        let other = try await BackgroundServer.start(data: folder.path + "-other")
        let port = try #require(other.url.split(separator: ":").last.map(String.init))
        let restart = ["restart", "--data", folder.path]
        let open = try await WizardProcess.run(restart + ["--host", "0.0.0.0"])
        #expect(open.code == 2 && open.errors.contains("token"), "\(open.errors)")
        let elsewhere = try await WizardProcess.run(
            restart + ["--host", "192.0.2.1", "--token-file", folder.path + "-token"]
        )
        #expect(elsewhere.code == 2 && elsewhere.errors.contains("192.0.2.1 is no address"), "\(elsewhere.errors)")
        #expect(try await folder.serverStatus().status["pid"] as? Int32 == server.pid)
        // The port is no registered service's, whoever says yes.
        for yes in [[], ["--yes"]] {
            let refused = try await WizardProcess.run(restart + ["--port", port] + yes)
            #expect(refused.code == 1 && refused.errors.contains("is of no service"), "\(refused.errors)")
        }
        #expect(try await folder.serverStatus().status["pid"] as? Int32 == server.pid)
        try await server.stop()
        try await other.stop()
        try? FileManager.default.removeItem(atPath: folder.path + "-other")
    }

    @Test func aRestartFreesThePortOfAServiceInTheFileThatTheConfigurationNames() async throws {
        let other = try await BackgroundServer.start(data: folder.path + "-other")
        let port = try #require(other.url.split(separator: ":").last.map(String.init))
        let files = ["services", "config", "other"].map { folder.path + "-" + $0 }
        defer { for file in files { try? FileManager.default.removeItem(atPath: file) } }
        let services = #"{"services": [{"name": "wizard", "port": \#(port)}]}"#
        try Data(services.utf8).write(to: URL(fileURLWithPath: files[0]))
        let config = #"{"port": \#(port), "services": {"file": "\#(files[0])"}}"#
        try Data(config.utf8).write(to: URL(fileURLWithPath: files[1]))
        let outcome = try await WizardProcess.run(["restart", "--yes", "--config", files[1], "--data", folder.path])
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/services.json"))
        try await other.stop()
        #expect(try await WizardProcess.run(["stop", "--data", folder.path]).code == 0)
    }

    @Test func aRestartLooksForTheFileOfServicesWhereTheServerRuns() async throws {
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        let config = folder.path + "/config.json"
        try Data(#"{"services": {"file": "mine.json"}}"#.utf8).write(to: URL(fileURLWithPath: config))
        let start = try WizardProcess(
            ["start", "--port", "0", "--config", config, "--data", folder.path],
            launcher: ["/bin/sh", "-c", "cd '\(folder.path)' && exec \"$0\" \"$@\""]
        )
        #expect(await start.outcome().code == 0)
        try Data("{".utf8).write(to: URL(fileURLWithPath: folder.path + "/mine.json"))
        let again = try await WizardProcess.run(["restart", "--data", folder.path])
        #expect(again.code == 0 && again.errors.contains("mine.json") && again.errors.contains("aside"))
        #expect(try await WizardProcess.run(["stop", "--data", folder.path]).code == 0)
    }
}
