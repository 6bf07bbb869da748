import CProcess
import Foundation
import TestSockets
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Services under `wizard serve`, with real processes on real ports.
@Suite(.enabled(if: PythonServer.isThere, PythonServer.whenMissing))
struct ServeServicesTests {
    private let folder = TemporaryFolder()

    private func write(_ registry: String) throws -> String {
        let path = folder.path + "-services.json"
        try Data(registry.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func start(_ arguments: [String]) async throws -> (WizardProcess, port: Int) {
        let process = try WizardProcess(["serve", "--port", "0", "--data", folder.path] + arguments)
        let line = await process.firstLine { $0.hasPrefix("listening on http://127.0.0.1:") }
        return (process, try #require(line?.split(separator: ":").last.flatMap { Int($0) }))
    }

    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    private func ask(_ port: Int, _ method: String, _ target: String, body: String? = nil) async throws -> TestResponse
    {
        try await TestClient.talk(to: port) { try $0.ask(method, target, body: body) }
    }

    @Test func aConflictIsFoundKilledAndHealedOverHTTP() async throws {
        let taken = try TestServer.unusedPort()
        let path = try write(
            """
            {"services": [{"name": "web", "port": \(taken), "process_name": "node",
                           "startup_cmd": "exec \(PythonServer.program) -m http.server \(taken) --bind 127.0.0.1"}]}
            """
        )
        defer { try? FileManager.default.removeItem(atPath: path) }
        let (wizard, port) = try await start(["--services", path])

        let squatter = try PythonServer(port: taken)
        try await squatter.waitUntilItAnswers(on: taken)
        let found = try object(try await ask(port, "POST", "/api/self-heal/port-conflicts").body)
        let conflict = try #require((found["conflicts"] as? [[String: Any]])?.first)
        #expect(found["requires_attention"] as? Bool == true)
        #expect(conflict["service"] as? String == "web")
        #expect(conflict["expected_process"] as? String == "node")
        #expect((conflict["actual_process"] as? String)?.hasPrefix("python") == true)
        #expect(conflict["pid"] as? Int == Int(squatter.pid))
        #expect(conflict["can_kill"] as? Bool == true)

        let kill = "/api/self-heal/port-conflicts/kill"
        let other = try await ask(port, "POST", kill, body: #"{"pid": \#(getpid()), "service": "web"}"#)
        #expect(other.status == 409)
        let killed = try await ask(port, "POST", kill, body: #"{"pid": \#(squatter.pid), "service": "web"}"#)
        #expect(killed.status == 200, "\(killed.body)")
        #expect(await squatter.signalThatEndedIt() == SIGTERM)

        let second = try PythonServer(port: taken)
        try await second.waitUntilItAnswers(on: taken)
        let healed = try object(try await ask(port, "POST", "/api/ports/heal").body)
        #expect(healed["healed"] as? [String: Bool] == ["web": true], "\(healed)")
        #expect(await second.signalThatEndedIt() == SIGTERM)
        let status = try object(try await ask(port, "GET", "/api/ports/status").body)
        let web = try #require((status["services"] as? [String: [String: Any]])?["web"])
        #expect(web["status"] as? String == "running")
        #expect(web["started_here"] as? Bool == true)
        // Another file than the data directory's has a folder of its own.
        let logs = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("services-") }
        #expect(logs.count == 1)
        #expect(FileManager.default.fileExists(atPath: "\(folder.path)/\(logs.first ?? "")/web.log"))

        let stopped = try await ask(port, "POST", "/api/ports/stop", body: #"{"service_name": "web"}"#)
        #expect(try object(stopped.body)["status"] as? String == "stopped", "\(stopped.body)")
        let events = try await ask(port, "GET", "/api/ports/events").body
        #expect(events.contains("process.terminated") && events.contains("http local user"))
        wizard.send(SIGTERM)
        #expect(await wizard.outcome().code == 0)
    }

    @Test func theRegistryIsInTheDataDirectoryUnlessItIsNamed() async throws {
        let (wizard, port) = try await start([])
        let status = try object(try await ask(port, "GET", "/api/ports/status").body)
        #expect(Set((status["services"] as? [String: Any] ?? [:]).keys) == ["wizard", "api", "vite", "tauri"])
        #expect(FileManager.default.fileExists(atPath: folder.path + "/services.json"))
        wizard.send(SIGTERM)
        #expect(await wizard.outcome().code == 0)
    }

    @Test func settingsOfServicesAreTaken() async throws {
        let registry = try write(#"{"services": []}"#)
        let config = folder.path + "-config.json"
        defer { for path in [registry, config] { try? FileManager.default.removeItem(atPath: path) } }
        let text = """
            {"services": {"file": "\(registry)", "monitor_seconds": 3600, "start_timeout_seconds": 10, "grace_seconds": 1,
                          "registered_commands": true}}
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: config))
        let (wizard, port) = try await start(["--config", config])
        let status = try object(try await ask(port, "GET", "/api/ports/status").body)
        #expect(status["monitoring"] as? Bool == true)
        let body = #"{"name": "x", "port": 4000, "startup_cmd": "true"}"#
        #expect(try await ask(port, "POST", "/api/ports/register", body: body).status == 200)
        wizard.send(SIGTERM)
        #expect(await wizard.outcome().code == 0)
    }

    @Test func mistakesInSettingsOfServicesAreTold() async throws {
        let config = folder.path + "-config.json"
        defer { try? FileManager.default.removeItem(atPath: config) }
        let text = #"{"services": {"fil": "x", "monitor_seconds": 0, "grace_seconds": "5", "registered_commands": 1}}"#
        try Data(text.utf8).write(to: URL(fileURLWithPath: config))
        let outcome = try await WizardProcess.run(["serve", "--data", folder.path, "--config", config])
        #expect(outcome.code == 2)
        for complaint in [
            "services.fil is no setting: did you mean services.file?",
            "services.monitor_seconds takes a number from 1 to 86400",
            "services.grace_seconds takes a number", "services.registered_commands takes true or false",
        ] {
            #expect(outcome.errors.contains(complaint), "\(complaint) is not in \(outcome.errors)")
        }
    }

    @Test func aBrokenRegistryIsSetAsideAndSaid() async throws {
        let path = try write("{nonsense")
        let files = FileManager.default
        let (parent, name) = (NSTemporaryDirectory(), (path as NSString).lastPathComponent.dropLast(5))
        func left() throws -> [String] { try files.contentsOfDirectory(atPath: parent).filter { $0.hasPrefix(name) } }
        defer { for file in (try? left()) ?? [] { try? files.removeItem(atPath: parent + "/" + file) } }
        let (wizard, _) = try await start(["--services", path])
        #expect(try left().contains { $0.contains(".invalid-") })
        wizard.send(SIGTERM)
        let outcome = await wizard.outcome()
        #expect(outcome.code == 0)
        #expect(outcome.errors.contains("The file is now "))
    }
}

extension PythonServer {
    static let whenMissing: Comment = "LEFT OUT: /usr/bin/python3 is not installed"

    func waitUntilItAnswers(on port: Int) async throws {
        try await eventually("an answer") { (try? await TestClient.talk(to: port) { _ in true }) == true }
    }

    /// Waits for its end, without reaping it; `nil` when no signal ended it.
    func signalThatEndedIt() async -> Int32? {
        var code: Int32 = 0
        var signal: Int32 = 0
        while cprocess_peek(pid, &code, &signal) == 0 { try? await Task.sleep(for: .milliseconds(5)) }
        return signal == 0 ? nil : signal
    }
}
