import Foundation
import OperationHTTP
import OperationTracking
import OperationTrackingTesting
import ServiceControl
import TestSockets
import TestSupport
import Testing

@Suite struct ServiceActionTests {
    @Test(
        "what an action needs is said when it is missing or wrong",
        arguments: [
            ("/api/ports/start", "{}"), ("/api/ports/start", #"{"service_name": 5}"#),
            ("/api/ports/start", #"{"service_name": "sleeper", "timeout": 0}"#), ("/api/ports/stop", "{}"),
            ("/api/ports/restart", "{}"), ("/api/ports/kill", "{}"),
            ("/api/ports/kill", #"{"service_name": "web", "pid": 0}"#),
            ("/api/ports/register", #"{"port": 80}"#), ("/api/ports/register", #"{"name": "x"}"#),
            ("/api/ports/register", #"{"name": "a/b", "port": 80}"#),
            ("/api/ports/register", #"{"name": "x", "port": 65536}"#),
            ("/api/ports/register", #"{"name": "x", "port": 80, "enabled": "yes"}"#),
            ("/api/ports/register", #"{"name": "x", "port": 80, "environment": "moon"}"#),
            ("/api/ports/register", #"{"name": "x", "port": 80, "startup_cmd": ["id"]}"#),
            ("/api/ports/register", #"{"name": "x", "port": 80, "health_endpoint": "ftp://x"}"#),
            ("/api/ports/reassign", "{}"), ("/api/ports/monitor/start", #"{"interval": 0}"#),
            ("/api/self-heal/port-conflicts/kill", #"{"service": "web"}"#),
            ("/api/self-heal/port-conflicts/kill", #"{"pid": 5}"#), ("/api/self-heal/port-conflicts/restart", "{}"),
            ("/api/self-heal/recover", "{}"), ("/api/self-heal/recover", #"{"strategy": "prayer"}"#),
            ("/api/self-heal/recover", #"{"strategy": "port_conflicts", "dry_run": "no"}"#),
            ("/api/ports/heal", #"{"dry_run": 1}"#),
            ("/api/ports/heal", #"{"expected": [1]}"#), ("/api/ports/heal", #"{"expected": {"web": 1}}"#),
            ("/api/ports/heal", #"{"expected": {"web": [1.5]}}"#),
            ("/api/ports/heal", #"{"expected": {"web": [0]}}"#), ("/api/ports/heal", #"{"expected": {"web": ["1"]}}"#),
        ]
    )
    func invalid(path: String, json: String) async throws {
        let fixture = try ServiceAPIFixture(
            #"[{"name": "web", "port": 1}, {"name": "sleeper", "startup_cmd": "sleep 60"}]"#
        )
        let answer = await fixture.ask("POST", path, json: json)
        #expect(answer.status == 422, "\(path) \(json): \(answer.detail)")
        #expect(!answer.detail.isEmpty)
        #expect(fixture.services.registry.services.count == 2)
    }

    @Test("a service that isn't there is not found")
    func unknown() async throws {
        let fixture = try ServiceAPIFixture("[]")
        for (path, key) in [
            ("ports/start", "service_name"), ("ports/stop", "service_name"), ("ports/restart", "service_name"),
            ("ports/kill", "service_name"), ("ports/reassign", "service_name"),
            ("self-heal/port-conflicts/restart", "service"),
        ] {
            let answer = await fixture.ask("POST", "/api/" + path, json: #"{"\#(key)": "ghost"}"#)
            #expect(answer.status == 404, "\(path)")
            #expect(answer.code == "unknown_service")
        }
        #expect(await fixture.ask("DELETE", "/api/ports/unregister/ghost").status == 404)
    }

    @Test("nothing is started any more once the server is stopping")
    func stopping() async throws {
        let fixture = try ServiceAPIFixture(#"[{"name": "sleeper", "startup_cmd": "exec sleep 60"}]"#)
        fixture.api.stopTakingWork()
        for path in ["start", "restart", "heal", "monitor/start"] {
            let answer = await fixture.ask("POST", "/api/ports/" + path, json: #"{"service_name": "sleeper"}"#)
            #expect(answer.status == 503, "\(path): \(answer.detail)")
        }
        #expect(await fixture.ask("GET", "/api/ports/status").status == 200)
    }

    @Test("a service is started, restarted and stopped, as operations and with who asked")
    func lifecycle() async throws {
        let fixture = try ServiceAPIFixture(#"[{"name": "sleeper", "startup_cmd": "exec sleep 60"}]"#)
        let body = #"{"service_name": "sleeper", "timeout": 10}"#
        let started = await fixture.ask("POST", "/api/ports/start", json: body)
        #expect(started.status == 200, "\(started.detail)")
        #expect(started.json["success"]?.truth == true)
        #expect(started.json["status"]?.text == "running")
        let pid = try #require(started.json["pid"]?.number)
        let again = await fixture.ask("POST", "/api/ports/start", json: body).json
        #expect(again["pid"]?.number == pid)
        #expect(again["message"]?.text == "sleeper ran already.")
        let processes = await fixture.ask("GET", "/api/ports/processes").json["processes"]?.elements
        #expect(processes?.first?["started_here"]?.truth == true)
        let restarted = await fixture.ask("POST", "/api/ports/restart", json: body).json
        #expect(restarted["pid"]?.number != pid)
        let stopped = await fixture.ask("POST", "/api/ports/stop", json: body).json
        #expect(stopped["status"]?.text == "stopped")
        #expect(stopped["message"]?.text == "Stopped sleeper.")
        let operations = fixture.tracker.recentOperations()
        #expect(Set(operations.map(\.type)) == [.startService, .restartService, .stopService])
        #expect(operations.allSatisfy { $0.status == .completed })
        let noted = try await fixture.noted().filter { $0.action.hasPrefix("process.") }
        #expect(!noted.isEmpty && noted.allSatisfy { $0.actor == "http local user" })
    }

    @Test("a start that fails says how it ended, and one without a command that there is none")
    func failedStart() async throws {
        let fixture = try ServiceAPIFixture(
            #"[{"name": "broken", "startup_cmd": "echo no such thing; exit 3"}, {"name": "bare"}]"#
        ) {
            // It counts as started only once it has run for so long, and ends before.
            $0.settleTime = .seconds(600)
        }
        let failed = await fixture.ask("POST", "/api/ports/start", json: #"{"service_name": "broken"}"#)
        #expect(failed.status == 409)
        #expect(failed.code == "start_failed")
        #expect(failed.detail.contains("no such thing"))
        let bare = await fixture.ask("POST", "/api/ports/start", json: #"{"service_name": "bare"}"#)
        #expect(bare.status == 409)
        #expect(bare.code == "not_possible")
    }

    @Test("this program is not killed, and who asked is not believed that it may be")
    func ownProcess() async throws {
        let listener = try Listener()
        let fixture = try ServiceAPIFixture(#"[{"name": "web", "port": \#(listener.port), "process_name": "node"}]"#)
        let answers = [
            await fixture.ask("POST", "/api/ports/kill", json: #"{"service_name": "web"}"#),
            await fixture.ask(
                "POST",
                "/api/self-heal/port-conflicts/kill",
                json: #"{"service": "web", "pid": \#(getpid())}"#
            ),
        ]
        for answer in answers {
            #expect(answer.status == 403)
            #expect(answer.code == "not_permitted")
        }
        let other = await fixture.ask("POST", "/api/ports/kill", json: #"{"service_name": "web", "pid": 99999999}"#)
        #expect(other.status == 409)
        let healed = await fixture.ask("POST", "/api/ports/heal")
        #expect(healed.status == 200)
        #expect(healed.json["success"]?.truth == false)
        #expect(healed.json["healed"]?["web"]?.truth == false)
    }

    @Test(
        "healing what was seen ends nobody else",
        .enabled(if: PythonServer.isThere, PythonServer.whenMissing)
    )
    func healsWhatWasSeen() async throws {
        let port = try TestServer.unusedPort()
        let fixture = try ServiceAPIFixture(#"[{"name": "web", "port": \#(port), "process_name": "node"}]"#)
        let server = try PythonServer(port: port)
        try await server.waitUntilItListens(on: port)
        let plan = await fixture.ask("POST", "/api/self-heal/recover", json: #"{"strategy": "port_conflicts"}"#)
        #expect(plan.json["actions"]?.elements.first?["pids"]?.elements.map(\.number) == [Int64(server.pid)])
        let none = await fixture.ask("POST", "/api/ports/heal", json: #"{"expected": {}}"#)
        #expect(none.json["steps"]?.elements.isEmpty == true)
        let other = await fixture.ask("POST", "/api/ports/heal", json: #"{"expected": {"web": [99999999.0]}}"#)
        #expect(other.json["healed"]?["web"]?.truth == false)
        #expect(other.json["message"]?.text?.contains("(pid \(server.pid))") == true)
        let holder = try #require(plan.json["actions"]?.elements.first?["holders"]?.elements.first?.text)
        let later = await fixture.ask("POST", "/api/ports/heal", json: #"{"expected": {"web": ["\#(holder)1"]}}"#)
        #expect(later.json["healed"]?["web"]?.truth == false)
        #expect(kill(server.pid, 0) == 0)
        // A whole number is one however it is written.
        let whole = #"{"strategy": "port_conflicts", "expected": {"web": [\#(server.pid).0]}}"#
        #expect(await fixture.ask("POST", "/api/self-heal/recover", json: whole).status == 200)
        for wrong in ["0", "1.5", "-1", "true", "\"x\"", "\"0\"", "\"4711@\"", "\"4711@1@2\""] {
            let body = #"{"expected": {"web": [\#(wrong)]}}"#
            #expect(await fixture.ask("POST", "/api/ports/heal", json: body).status == 422, "\(wrong)")
        }
        let body = #"{"expected": {"web": ["\#(holder)"]}, "operation_id": "op_mine"}"#
        let healed = await fixture.ask("POST", "/api/ports/heal", json: body)
        #expect(fixture.tracker.recentOperations().contains { $0.id.rawValue == "op_mine" })
        #expect(await fixture.ask("POST", "/api/ports/heal", json: #"{"operation_id": "mine"}"#).status == 422)
        #expect(healed.json["healed"]?["web"]?.truth == true)
    }

    @Test("a registration gives no right to kill and to move what a person wrote, and goes again")
    func registration() async throws {
        let listener = try Listener()
        let fixture = try ServiceAPIFixture(#"[{"name": "web", "port": 1}]"#)
        let body =
            #"{"name": "ext", "port": \#(listener.port), "description": "An extension", "health_endpoint": "/ok"}"#
        #expect(await fixture.ask("POST", "/api/ports/register", json: body).status == 200)
        // As an extension does at its next start.
        #expect(await fixture.ask("POST", "/api/ports/register", json: body).status == 200)
        #expect(try fixture.services.registry.service("ext").registeredBy == "http local user")
        let killed = await fixture.ask("POST", "/api/ports/kill", json: #"{"service_name": "ext"}"#)
        #expect(killed.status == 403)
        #expect(killed.detail.contains("gives no right"))
        let taken = await fixture.ask(
            "POST",
            "/api/ports/register",
            json: #"{"name": "web", "port": \#(listener.port)}"#
        )
        #expect(taken.status == 409)
        #expect(taken.code == "duplicate_service")
        let moved = await fixture.ask("POST", "/api/ports/reassign", json: #"{"service_name": "web", "port": 4000}"#)
        #expect(moved.status == 403)
        let port = try TestServer.unusedPort()
        let own = await fixture.ask("POST", "/api/ports/reassign", json: #"{"service_name": "ext", "port": \#(port)}"#)
        #expect(own.json["port"]?.number == Int64(port))
        #expect(await fixture.ask("DELETE", "/api/ports/unregister/web").status == 403)
        #expect(await fixture.ask("DELETE", "/api/ports/unregister/ext").json["success"]?.truth == true)
        #expect(fixture.services.registry.services.map(\.name) == ["web"])
    }

    @Test("a registration has no commands and asks nobody else, unless the configuration allows commands")
    func registeredCommands() async throws {
        let fixture = try ServiceAPIFixture("[]")
        let command = #"{"name": "x", "port": 4000, "startup_cmd": "exec sleep 60"}"#
        #expect(await fixture.ask("POST", "/api/ports/register", json: command).code == "not_permitted")
        let far = #"{"name": "x", "port": 4000, "health_endpoint": "http://169.254.169.254/latest"}"#
        #expect(await fixture.ask("POST", "/api/ports/register", json: far).status == 403)
        let open = try ServiceAPIFixture("[]") { $0.runsRegisteredCommands = true }
        #expect(await open.ask("POST", "/api/ports/register", json: command).status == 200)
        #expect(try open.services.registry.service("x").startupCommand == .shell("exec sleep 60"))
    }

    @Test("monitoring begins and ends")
    func monitoring() async throws {
        let fixture = try ServiceAPIFixture("[]")
        let started = await fixture.ask("POST", "/api/ports/monitor/start?interval=3600").json
        #expect(started["started"]?.truth == true)
        #expect(started["interval"]?.number == 3600)
        #expect(await fixture.ask("GET", "/api/ports/status").json["monitoring"]?.truth == true)
        #expect(await fixture.ask("POST", "/api/ports/monitor/stop").json["stopped"]?.truth == true)
        #expect(await !fixture.services.isMonitoring)
    }

    @Test("a strategy only looks unless it is told to act")
    func recovery() async throws {
        let fixture = try ServiceAPIFixture(#"[{"name": "sleeper", "startup_cmd": "exec sleep 60"}]"#)
        let strategies = await fixture.ask("GET", "/api/self-heal/strategies").json
        #expect(strategies["count"]?.number == 3)
        #expect(strategies["strategies"]?.keys == RecoveryStrategy.allCases.map(\.rawValue))
        let body = #"{"strategy": "stopped_services"}"#
        let plan = await fixture.ask("POST", "/api/self-heal/recover", json: body).json
        #expect(plan["success"]?.truth == true)
        #expect(plan["summary"]?["dry_run"]?.truth == true)
        #expect(plan["actions"]?.elements.first?["outcome"]?.text == "planned")
        #expect(fixture.tracker.recentOperations().isEmpty)
        let act = #"{"strategy": "stopped_services", "dry_run": false}"#
        let done = await fixture.ask("POST", "/api/self-heal/recover", json: act).json
        #expect(done["summary"]?["done"]?.number == 1)
        #expect(done["actions"]?.elements.first?["outcome"]?.text == "done")
        #expect(await fixture.ask("POST", "/api/ports/stop?service_name=sleeper").status == 200)
    }

    @Test("a start that is cancelled is answered as cancelled")
    func cancelled() async throws {
        let port = try TestServer.unusedPort()
        let fixture = try ServiceAPIFixture(
            #"[{"name": "slow", "port": \#(port), "startup_cmd": "exec sleep 60"}]"#
        )
        async let answer = fixture.ask("POST", "/api/ports/start", json: #"{"service_name": "slow"}"#)
        while fixture.tracker.activeOperations.first?.phase != "waiting" { await briefPause() }
        let id = try #require(fixture.tracker.activeOperations.first?.id)
        #expect(await fixture.ask("POST", "/api/ports/operations/\(id)/cancel").status == 200)
        let cancelled = await answer
        #expect(cancelled.status == 409)
        #expect(cancelled.code == "cancelled")
    }
}

@Suite(.enabled(if: PythonServer.isThere, PythonServer.whenMissing)) struct ServiceKillingTests {
    @Test("what holds a service's port is killed and the port verified, if it is the one that was seen")
    func killed() async throws {
        let port = try TestServer.unusedPort()
        let fixture = try ServiceAPIFixture(#"[{"name": "web", "port": \#(port), "process_name": "node"}]"#)
        let server = try PythonServer(port: port)
        try await server.waitUntilItListens(on: port)
        let path = "/api/self-heal/port-conflicts/kill"
        let other = await fixture.ask("POST", path, json: #"{"pid": \#(getpid()), "service": "web"}"#)
        #expect(other.status == 409)
        let answer = await fixture.ask("POST", path, json: #"{"pid": \#(server.pid), "service": "web"}"#)
        #expect(answer.status == 200, "\(answer.detail)")
        #expect(answer.json["success"]?.truth == true)
        #expect(answer.json["pid"]?.number == Int64(server.pid))
        #expect(answer.json["ended"]?.elements.map(\.number) == [Int64(server.pid)])
        #expect(answer.json["service"]?.text == "web")
        #expect(try PortScanner().use(of: UInt16(port)).isFree)
        let again = await fixture.ask("POST", "/api/ports/kill", json: #"{"service_name": "web"}"#)
        #expect(again.json["message"]?.text == "Port \(port) was free already.")
        let noted = try await fixture.noted().first { $0.action == "process.terminated" }
        #expect(noted?.actor == "http local user")
    }

    @Test(
        "killing and restarting what was seen ends nobody else, also one with the number of the one that was seen",
        arguments: [
            ("/api/ports/kill", "service_name"), ("/api/ports/restart", "service_name"),
            ("/api/self-heal/port-conflicts/kill", "service"), ("/api/self-heal/port-conflicts/restart", "service"),
        ]
    )
    func expected(path: String, key: String) async throws {
        let port = try TestServer.unusedPort()
        let fixture = try ServiceAPIFixture(
            #"[{"name": "web", "port": \#(port), "process_name": "node", "startup_cmd": "exec /bin/false"}]"#
        )
        let server = try PythonServer(port: port)
        try await server.waitUntilItListens(on: port)
        let conflicts = await fixture.ask("POST", "/api/self-heal/port-conflicts").json["conflicts"]
        let seen = try #require(conflicts?.elements.first?["holders"]?.elements.first?["process"]?.text)
        let status = await fixture.ask("GET", "/api/ports/status").json["services"]?["web"]
        #expect(status?["holders"]?.elements.map(\.text) == [seen])
        for others in [#"{"web": ["\#(seen)1"]}"#, #"{"web": []}"#, "{}"] {
            let answer = await fixture.ask("POST", path, json: #"{"\#(key)": "web", "expected": \#(others)}"#)
            #expect(answer.status == 409 && answer.detail.contains("(pid \(server.pid)) by now"), "\(answer.detail)")
            #expect(kill(server.pid, 0) == 0)
        }
        let body = #"{"\#(key)": "web", "expected": {"web": ["\#(seen)"]}}"#
        let answer = await fixture.ask("POST", path, json: body)
        // What is started in its place fails.
        #expect(answer.status == 200 || answer.code == "start_failed", "\(answer.detail)")
        #expect(try PortScanner().use(of: UInt16(port)).isFree)
    }

    @Test("stopping what was seen ends nobody else", .enabled(if: PythonServer.isThere, PythonServer.whenMissing))
    func stopOfWhatWasSeen() async throws {
        let port = try TestServer.unusedPort()
        let fixture = try ServiceAPIFixture(
            #"[{"name": "web", "port": \#(port), "process_name": "python3", "shutdown_cmd": "exit 1"}]"#
        )
        let server = try PythonServer(port: port)
        try await server.waitUntilItListens(on: port)
        for others in [#""expected": {"web": ["\#(server.pid)@1"]}"#, #""expected": {}"#, #""pid": 1"#] {
            let answer = await fixture.ask("POST", "/api/ports/stop", json: #"{"service_name": "web", \#(others)}"#)
            #expect(answer.status == 409 && answer.detail.contains("(pid \(server.pid)) by now"), "\(answer.detail)")
            #expect(kill(server.pid, 0) == 0)
        }
        #expect(try await !fixture.noted().contains { $0.action == "service.shutdown" })
        let body = #"{"service_name": "web", "expected": {"web": [\#(server.pid)]}}"#
        #expect(await fixture.ask("POST", "/api/ports/stop", json: body).json["status"]?.text == "stopped")
    }

    @Test("a dry run of healing ends nobody", .enabled(if: PythonServer.isThere, PythonServer.whenMissing))
    func dryHealing() async throws {
        let port = try TestServer.unusedPort()
        let fixture = try ServiceAPIFixture(#"[{"name": "web", "port": \#(port), "process_name": "node"}]"#)
        let server = try PythonServer(port: port)
        try await server.waitUntilItListens(on: port)
        let answer = await fixture.ask("POST", "/api/ports/heal", json: #"{"dry_run": true}"#).json
        #expect(answer["success"]?.truth == true && answer["message"]?.text?.contains("dry run") == true)
        #expect(answer["healed"]?["web"]?.truth == false)
        #expect(answer["steps"]?.elements.map { $0["outcome"]?.text } == ["planned"])
        #expect(kill(server.pid, 0) == 0)
        #expect(fixture.tracker.recentOperations().isEmpty)
    }

    @Test(
        "a restart that names a process ends nobody else",
        arguments: [("/api/ports/restart", "service_name"), ("/api/self-heal/port-conflicts/restart", "service")]
    )
    func restartOfTheNamed(_ path: String, _ key: String) async throws {
        let port = try TestServer.unusedPort()
        let fixture = try ServiceAPIFixture(
            #"[{"name": "web", "port": \#(port), "process_name": "node", "startup_cmd": "exec /bin/false"}]"#
        )
        let server = try PythonServer(port: port)
        try await server.waitUntilItListens(on: port)
        let other = await fixture.ask("POST", path, json: #"{"\#(key)": "web", "pid": 1}"#)
        #expect(other.status == 409 && other.detail.contains("(pid \(server.pid)) by now"), "\(other.detail)")
        #expect(kill(server.pid, 0) == 0)
        let answer = await fixture.ask("POST", path, json: #"{"\#(key)": "web", "pid": \#(server.pid)}"#)
        // What is started in its place fails.
        #expect(answer.code == "start_failed", "\(answer.detail)")
        #expect(try PortScanner().use(of: UInt16(port)).isFree)
    }

    @Test(
        "who names a process beside those that are expected, and it is none of them, ends nobody",
        arguments: [
            ("/api/ports/kill", "service_name"), ("/api/ports/restart", "service_name"),
            ("/api/ports/stop", "service_name"),
            ("/api/self-heal/port-conflicts/kill", "service"), ("/api/self-heal/port-conflicts/restart", "service"),
        ]
    )
    func namedBesideExpected(_ path: String, _ key: String) async throws {
        let fixture = try ServiceAPIFixture(#"[{"name": "web", "port": 1}]"#)
        let body = #"{"\#(key)": "web", "pid": 5, "expected": {"web": ["6@1", "7@1"]}}"#
        let answer = await fixture.ask("POST", path, json: body)
        #expect(answer.status == 409 && answer.detail.contains("none of those in expected"), "\(answer.detail)")
    }

    @Test(
        "of several that hold a port those alone are killed that are meant",
        arguments: [
            ("/api/ports/kill", "service_name", true), ("/api/self-heal/port-conflicts/kill", "service", false),
        ]
    )
    func killOfOneBesideTheServicesOwn(_ path: String, _ key: String, _ namesIt: Bool) async throws {
        let port = try TestServer.unusedPort()
        let fixture = try ServiceAPIFixture(#"[{"name": "web", "port": \#(port), "process_name": "another"}]"#)
        let another = fixture.folder + "/another"
        try FileManager.default.createSymbolicLink(atPath: another, withDestinationPath: PythonServer.program)
        let own = try PythonServer(port: port, program: another)
        let wrong = try PythonServer(port: port, of: "::1")
        for server in [own, wrong] { try await server.waitUntilItListens(on: port) }
        let status = await fixture.ask("GET", "/api/ports/status").json["services"]?["web"]
        let seen = try #require(status?["holders"]).elements.compactMap(\.text)
        let expected = seen.map { #""\#($0)""# }.joined(separator: ", ")
        let pid = namesIt ? #""pid": \#(wrong.pid), "# : ""
        let body = #"{"\#(key)": "web", \#(pid)"expected": {"web": [\#(expected)]}}"#
        let answer = await fixture.ask("POST", path, json: body)
        #expect(answer.status == 200 && seen.count == 2, "\(answer.detail)")
        #expect(answer.json["ended"]?.elements.map(\.number) == [Int64(wrong.pid)])
        #expect(answer.json["left"]?.elements.map(\.number) == [Int64(own.pid)])
        #expect(kill(own.pid, 0) == 0)
    }
}
