import Foundation
import OperationTrackingTesting
import TestSockets
import TestSupport
import Testing

struct ServeCommandTests {
    private let folder = TemporaryFolder()

    private func start(_ arguments: String..., environment: [String: String] = [:]) async throws -> (
        WizardProcess, port: Int
    ) {
        let process = try WizardProcess(
            ["serve", "--port", "0", "--data", folder.path] + arguments,
            environment: environment
        )
        let line = await process.firstLine { $0.hasPrefix("listening on http://127.0.0.1:") }
        let port = line?.split(separator: ":").last.flatMap { Int($0) }
        return (process, try #require(port))
    }

    private func write(_ text: String, to name: String, mode: Int = 0o600) throws -> String {
        let path = folder.path + "-" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func itServesUntilASignalAndLeavesNoTrace(_ signal: Int32) async throws {
        let (process, port) = try await start()
        let record = folder.path + "/server.json"
        let written = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: record))) as? [String: Any]
        )
        #expect(written["url"] as? String == "http://127.0.0.1:\(port)")
        #expect(written["pid"] is Int)
        #expect(try FileManager.default.attributesOfItem(atPath: record)[.posixPermissions] as? Int == 0o600)
        #expect(try await TestClient.talk(to: port) { try $0.ask("GET", "/health").status } == 200)

        process.send(signal)
        let outcome = await process.outcome()
        #expect(outcome.code == 0 && !outcome.wasKilled)
        #expect(outcome.errors == "")
        #expect(!FileManager.default.fileExists(atPath: record))
    }

    @Test func aProgramIsToldWhereItListens() async throws {
        let process = try WizardProcess(["serve", "--json", "--port", "0", "--data", folder.path])
        let line = try #require(await process.firstLine { $0.hasPrefix("{") })
        let ready = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(ready["pid"] as? Int32 == process.pid)
        let port = try #require((ready["url"] as? String)?.split(separator: ":").last.flatMap { Int($0) })
        #expect(try await TestClient.talk(to: port) { try $0.ask("GET", "/health").status } == 200)
        process.send(SIGTERM)
        #expect(await process.outcome().code == 0)
    }

    @Test func theServerThatWasThereFirstStaysTheOneThatCommandsFind() async throws {
        let (first, port) = try await start()
        let (second, _) = try await start()
        let record = folder.path + "/server.json"
        let found = { try String(contentsOfFile: record, encoding: .utf8).contains("http://127.0.0.1:\(port)\"") }
        #expect(try found())
        second.send(SIGTERM)
        let outcome = await second.outcome()
        #expect(outcome.code == 0 && outcome.errors.contains("another server uses"))
        #expect(try found())
        first.send(SIGTERM)
        #expect(await first.outcome().code == 0)
        #expect(!FileManager.default.fileExists(atPath: record))
    }

    @Test func theServerThatIsLeftIsTheOneThatCommandsFind() async throws {
        let (first, _) = try await start()
        let (second, port) = try await start()
        first.send(SIGTERM)
        #expect(await first.outcome().code == 0)
        let record = folder.path + "/server.json"
        let found = { (try? String(contentsOfFile: record, encoding: .utf8))?.contains(":\(port)\"") == true }
        while !found() { await briefPause() }
        #expect(try String(contentsOfFile: folder.path + "/server.pid", encoding: .utf8) == "\(second.pid)\n")
        second.send(SIGTERM)
        let outcome = await second.outcome()
        #expect(outcome.code == 0 && outcome.errors.contains("the other server has stopped"))
        #expect(!FileManager.default.fileExists(atPath: record))
    }

    @Test(.timeLimit(.minutes(Patience.minutes))) func aServerThatCannotTakeThePlaceTriesAgain() async throws {
        let (first, _) = try await start()
        let (second, port) = try await start()
        let record = folder.path + "/server.json"
        // Nothing can be put in its place.
        let obstacle = folder.path + "/server.last.json"
        try FileManager.default.removeItem(atPath: obstacle)
        try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: false)
        first.send(SIGTERM)
        #expect(await first.outcome().code == 0)
        let complaint = await second.firstErrorLine { $0.contains("can't write") }
        #expect(complaint?.hasPrefix("wizard serve: can't write \(obstacle):") == true)
        #expect(complaint?.contains("--data") == true, "\(complaint ?? "")")
        try FileManager.default.removeItem(atPath: obstacle)
        let found = { (try? String(contentsOfFile: record, encoding: .utf8))?.contains(":\(port)\"") == true }
        while !found() { await briefPause() }
        second.send(SIGTERM)
        #expect(await second.outcome().code == 0)
    }

    @Test func seedingIsThereWhereItsKeysAreAndIsToldToTheOriginalsClients() async throws {
        let keys = [
            "NOUNPROJECT_API_KEY": "key", "NOUNPROJECT_API_SECRET": "secret",
            // Nothing listens there.
            "NOUNPROJECT_API_BASE": "http://127.0.0.1:1",
        ]
        let (process, port) = try await start(environment: keys)
        let text = try await TestClient.talk(to: port) { client in
            try client.send(
                "POST /api/self-heal/nounproject/seed HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
            )
            _ = try client.readHead()
            // It is tried again for a while, so its end isn't waited for.
            return try client.readChunks(until: { $0.contains("waiting to retry") || $0.contains("Try 2") })
        }
        #expect(text.hasPrefix("data: {\"progress\":0,"))
        #expect(text.contains("127.0.0.1:1") && !text.contains("secret"))
        // Each provider shows what a request to it looks like.
        let providers = try await TestClient.talk(to: port) { try $0.ask("GET", "/api/ports/providers").body }
        #expect(providers.contains("\"seed\"") && !providers.contains("\"request_example\":null"))
        process.send(SIGTERM)
        #expect(await process.outcome().code == 0)
    }

    @Test func seedingWithoutKeysIsLeftOutUnlessItWasAskedFor() async throws {
        let (process, port) = try await start()
        let providers = try await TestClient.talk(to: port) { try $0.ask("GET", "/api/ports/providers").body }
        let list = try #require(try JSONSerialization.jsonObject(with: Data(providers.utf8)) as? [String: Any])
        let types = try #require(list["providers"] as? [[String: Any]]).map { $0["operation_type"] as? String }
        #expect(types.contains("ok_setup") && !types.contains("seed"))
        // What to set is said, to whoever asks what there is and to whoever asks for it.
        let missing = try #require(list["missing"] as? [[String: String]])
        #expect(missing.map { $0["operation_type"] } == ["seed"])
        #expect(missing.first?["reason"]?.contains("NOUNPROJECT_API_SECRET") == true)
        let refusal = try await TestClient.talk(to: port) { try $0.ask("POST", "/api/self-heal/nounproject/seed").body }
        #expect(refusal.contains("NOUNPROJECT_API_SECRET"))
        process.send(SIGTERM)
        #expect(await process.outcome().code == 0)

        let path = try write(#"{"enabled_providers": ["nounproject"]}"#, to: "named.json")
        let outcome = try await WizardProcess.run(["serve", "--port", "0", "--data", folder.path, "--config", path])
        #expect(outcome.code == 2)
        #expect(outcome.errors.contains("NOUNPROJECT_API_KEY"))
    }

    @Test func aStopRecordsWhatRanAndTellsThoseWhoWatch() async throws {
        let (process, port) = try await start()
        let (id, pid) = ("op_left-behind", process.pid)
        let text = try await TestClient.talk(to: port) { client in
            let body = #"{"operation_type":"download","description":"left behind","operation_id":"\#(id)"}"#
            let status = try client.ask("POST", "/api/ports/operations/start", body: body).status
            try client.send("GET /api/ports/operations/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            _ = try client.readHead()
            _ = try client.readChunks(until: { $0.contains("event: snapshot") })
            kill(pid, SIGTERM)
            return "\(status) " + (try client.readChunks(until: { _ in false }))
        }
        #expect(text.hasPrefix("200 ") || text.hasPrefix("201 "))
        #expect(text.contains("event: finished") && text.contains(id))
        #expect(await process.outcome().code == 0)

        let shown = try await WizardProcess.run(["show", id, "--data", folder.path, "--json"])
        #expect(try shown.objects.first?["status"] as? String == "failed")
        #expect(try shown.objects.first?["error_code"] as? String == "interrupted")
    }

    @Test func aTokenFileThatIsNotThereIsMadeForThisUserAlone() async throws {
        let path = folder.path + "-token"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let (process, _) = try await start("--token-file", path)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        let token = try String(contentsOfFile: path, encoding: .utf8)
        #expect(token.count == 65 && token.dropLast().allSatisfy(\.isHexDigit))
        process.send(SIGTERM)
        #expect(await process.outcome().code == 0)
    }

    @Test func aTokenFileThatCannotBeWrittenIsNotThere() async throws {
        let path = folder.path + "-token"
        defer { try? FileManager.default.removeItem(atPath: path) }
        // As on a full disk: a file can be made, and nothing be written into it. 25 is SIGXFSZ.
        let outcome = try await WizardProcess(
            ["serve", "--port", "0", "--data", folder.path, "--token-file", path],
            launcher: ["/bin/sh", "-c", "trap '' 25; ulimit -f 0; exec \"$@\"", "sh"]
        ).outcome()
        #expect(outcome.code == 2 && outcome.errors.contains("can't make the token file"), "\(outcome.errors)")
        #expect(outcome.errors.contains("or name another"), "\(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test(arguments: [
        ("0123456789abcdef0123", 0o644, "chmod 600"), ("short", 0o600, "holds no token"),
        ("a token with spaces in it", 0o600, "holds no token"),
    ])
    func aTokenFileThatKeepsNobodyOutIsRefused(_ text: String, _ mode: Int, _ complaint: String) async throws {
        let path = try write(text, to: "token", mode: mode)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let outcome = try await WizardProcess.run(["serve", "--port", "0", "--data", folder.path, "--token-file", path])
        #expect(outcome.code == 2 && outcome.errors.contains(complaint))
        #expect(!outcome.errors.contains(text))
    }

    @Test func anotherAddressThanLoopbackNeedsAToken() async throws {
        let outcome = try await WizardProcess.run(["serve", "--host", "0.0.0.0", "--port", "0", "--data", folder.path])
        #expect(outcome.code == 1 && outcome.errors.contains("needs a token"))
    }

    @Test func aPortInUseIsSaidWithItsHolder() async throws {
        // Under a name that would make two lines of one.
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        let script = "ln -s \"$0\" '\(folder.path)/a\nb' && exec '\(folder.path)/a\nb' \"$@\""
        let first = try WizardProcess(
            ["serve", "--port", "0", "--data", folder.path],
            launcher: ["/bin/sh", "-c", script]
        )
        let line = await first.firstLine { $0.hasPrefix("listening on ") }
        let port = try #require(line?.split(separator: ":").last)
        let other = TemporaryFolder()
        let outcome = try await WizardProcess.run(["serve", "--port", "\(port)", "--data", other.path])
        let lines = outcome.errors.split(separator: "\n")
        let expected = ["Port \(port) is in use already by a", "b (pid \(first.pid))"]
        #expect(lines.contains { line in expected.allSatisfy(line.contains) }, "\(outcome.errors)")
        first.send(SIGTERM)
        #expect(await first.outcome().code == 0)
    }

    @Test func aConfigurationIsTaken() async throws {
        let path = try write(
            """
            {"enabled_providers": ["ollama", "process"], "http_may_start": ["process"], "overload": {"cpu_percent": null,
             "memory_mb": 100, "new_work": "wait"}, "queue": {"maximum_running": 2, "maximum_running_by_type": {"process": 1}},
             "bandwidth_limit_mbps": 80, "retention": {"days": 10, "operations": 1000}, "limits": {"body_bytes": 2048},
             "allowed_hosts": ["wizard.example.org"], "providers": {"ollama": {"url": "http://127.0.0.1:1"}}}
            """,
            to: "config"
        )
        defer { try? FileManager.default.removeItem(atPath: path) }
        let (process, port) = try await start("--config", path)
        let statuses = try await TestClient.talk(to: port) { client in
            try client.send("GET /api/ports/operations HTTP/1.1\r\nHost: wizard.example.org\r\n\r\n")
            let first = try client.readResponse().status
            let long = String(repeating: " ", count: 2049)
            return [first, try client.ask("POST", "/api/ports/operations/start", body: long).status]
        }
        #expect(statuses == [200, 413])
        process.send(SIGTERM)
        #expect(await process.outcome().code == 0)
    }

    @Test func everyMistakeInAConfigurationIsToldWithWhatToDo() async throws {
        let path = try write(
            """
            {"prot": 80, "port": 70000, "host": 5, "enabled_providers": ["ollama", "olama"], "http_may_start": ["process"],
             "overload": {"cpu_percent": "80", "new_work": "panic"}, "queue": {"maximum_runing": 3}, "allowed_origins": ["example.org"],
             "retention": 30, "nothing_like_it": true}
            """,
            to: "config"
        )
        defer { try? FileManager.default.removeItem(atPath: path) }
        let outcome = try await WizardProcess.run(["serve", "--port", "0", "--data", folder.path, "--config", path])
        #expect(outcome.code == 2)
        for complaint in [
            "prot is no setting: did you mean port?", "port takes a whole number from 0 to 65535, not the number 70000",
            "host takes a text, not the number 5", "enabled_providers: 'olama' is no provider here",
            "http_may_start: 'process' is no type of an enabled provider", "overload.cpu_percent takes a number",
            "overload.new_work takes one of 'warn', 'wait', 'refuse', not 'panic'",
            "queue.maximum_runing is no setting: did you mean queue.maximum_running?",
            "allowed_origins: 'example.org' is no origin", "retention takes an object, not the number 30",
            "nothing_like_it is no setting; here are",
        ] {
            #expect(outcome.errors.contains(complaint), "\(complaint) is not in \(outcome.errors)")
        }
    }

    @Test(arguments: [
        (#"{"allowed_hosts": ["*"]}"#, "allowed_hosts: '*' is no host's name"),
        (#"{"allowed_hosts": [""]}"#, "allowed_hosts: '' is no host's name"),
        (#"{"allowed_hosts": ["a b"]}"#, "'a b' is no host's name"),
        (#"{"allowed_hosts": [5]}"#, "allowed_hosts: the list takes texts, and there is the number 5 in it"),
        (#"{"allowed_origins": ["https://Example.org"]}"#, "is no origin as a browser sends it"),
        (#"{"allowed_origins": ["https://example.org:443"]}"#, "is no origin as a browser sends it"),
        (#"{"allowed_origins": ["https://example.org:"]}"#, "is no origin as a browser sends it"),
        (#"{"allowed_origins": ["https://example.org:0"]}"#, "is no origin as a browser sends it"),
        (#"{"allowed_origins": ["https://example.org:080"]}"#, "is no origin as a browser sends it"),
        (#"{"allowed_origins": ["https://example.org:99999"]}"#, "is no origin as a browser sends it"),
        (#"{"allowed_hosts": ["example.org:80"]}"#, "'example.org:80' is no host's name"),
        (#"{"providers": {"ollama": {"url": "ftp://x"}}}"#, "providers.ollama.url: 'ftp://x' is no address"),
        (#"{"trust_local_user": false}"#, "trust_local_user is false and there is no token"),
        (#"{"enabled_providers": ["nounproject"]}"#, "-config has nounproject: "),
        ("{\n \"port\": 1,\n \"port\": 2}", "the key \"port\" comes twice in one object, at line 3, column 8"),
    ])
    func aMistakeInAConfigurationNamesItsPlace(_ text: String, _ complaint: String) async throws {
        let path = try write(text, to: "config")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let outcome = try await WizardProcess.run(["serve", "--port", "0", "--data", folder.path, "--config", path])
        #expect(outcome.code == 2 && outcome.errors.contains(complaint), "\(outcome.errors)")
    }

    @Test func aTokenFileThatIsAPipeIsRefused() async throws {
        let path = folder.path + "-pipe"
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(mkfifo(path, 0o600) == 0)
        let outcome = try await WizardProcess.run(["serve", "--port", "0", "--data", folder.path, "--token-file", path])
        #expect(outcome.code == 2 && outcome.errors.contains("is no file"))
    }

    @Test(arguments: [(#"{"port": }"#, "is not JSON"), ("[1]", "has to be a JSON object"), ("", "is not JSON")])
    func whatIsNoConfigurationIsRefused(_ text: String, _ complaint: String) async throws {
        let path = try write(text, to: "config")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let outcome = try await WizardProcess.run(["serve", "--data", folder.path, "--config", path])
        #expect(outcome.code == 2 && outcome.errors.contains(complaint))
    }

    @Test func aConfigurationThatIsNotThereIsAnError() async throws {
        let outcome = try await WizardProcess.run([
            "serve", "--data", folder.path, "--config", folder.path + "/nowhere",
        ])
        #expect(outcome.code == 2 && outcome.errors.contains("can't be read"))
    }
}
