import Foundation
import OperationHTTP
import OperationTracking
import ServiceControl
import TestSockets
import TestSupport
import Testing

@Suite struct ServiceReadingTests {
    /// One service whose port this process holds, one that is stopped, one that is disabled.
    private func fixture(_ port: UInt16) throws -> ServiceAPIFixture {
        try ServiceAPIFixture(
            """
            [{"name": "web", "port": \(port), "process_name": "node", "startup_cmd": "npm run dev", "description": "A site"},
             {"name": "idle", "port": \(try TestServer.unusedPort())}, {"name": "off", "enabled": false}]
            """
        )
    }

    @Test func theStatusHasTheOriginalsFieldsByName() async throws {
        let listener = try Listener()
        let answer = try await fixture(listener.port).ask("GET", "/api/ports/status")
        #expect(answer.status == 200)
        let services = answer.json["services"]
        #expect(services?.keys == ["web", "idle", "off"])
        let web = services?["web"]
        #expect(web?["status"]?.text == "port_conflict")
        #expect(web?["port"]?.number == Int64(listener.port))
        #expect(web?["environment"]?.text == "development")
        #expect(web?["description"]?.text == "A site")
        #expect(web?["pid"]?.number == Int64(getpid()))
        #expect(web?["enabled"]?.truth == true)
        #expect(web?["startup_cmd"]?.text == "npm run dev")
        #expect(services?["idle"]?["status"]?.text == "stopped")
        #expect(answer.json["report"]?.text?.contains("idle") == true)
        #expect(answer.json["monitoring"]?.truth == false)
    }

    @Test func conflictsNameTheirOccupant() async throws {
        let listener = try Listener()
        let fixture = try fixture(listener.port)
        let answer = await fixture.ask("GET", "/api/ports/conflicts").json
        #expect(answer["has_conflicts"]?.truth == true)
        let conflict = try #require(answer["conflicts"]?.elements.first)
        #expect(conflict["service"]?.text == "web")
        #expect(conflict["occupant"]?["pid"]?.number == Int64(getpid()))
        #expect(conflict["occupant"]?["port"]?.number == Int64(listener.port))
    }

    @Test func portConflictsSayWhatCanBeDoneAndWhyNot() async throws {
        let listener = try Listener()
        let answer = try await fixture(listener.port).ask("POST", "/api/self-heal/port-conflicts").json
        #expect(answer["total"]?.number == 1)
        #expect(answer["requires_attention"]?.truth == true)
        let conflict = try #require(answer["conflicts"]?.elements.first)
        #expect(conflict["expected_process"]?.text == "node")
        #expect(conflict["pid"]?.number == Int64(getpid()))
        #expect(conflict["is_correct"]?.truth == false)
        #expect(conflict["can_kill"]?.truth == false)
        #expect(conflict["can_restart"]?.truth == false)
        #expect(conflict["reason"]?.text?.contains("this program itself") == true)
    }

    @Test func processesAreTheServicesOwn() async throws {
        let listener = try Listener()
        let fixture = try ServiceAPIFixture(
            #"[{"name": "own", "port": \#(listener.port)}, {"name": "web", "port": \#(listener.port), "process_name": "node"}]"#
        )
        let processes = await fixture.ask("GET", "/api/ports/processes").json["processes"]?.elements ?? []
        // A child that another test starts in this moment has a copy of the listener until it runs its program.
        #expect(Set(processes.map { $0["service_name"]?.text }) == ["own"])
        let own = try #require(processes.first { $0["pid"]?.number == Int64(getpid()) })
        #expect(own["working_dir"]?.text == FileManager.default.currentDirectoryPath)
        #expect(own["memory_mb"]?.isNumber == true)
        // A rate needs two looks.
        #expect(own["cpu_percent"]?.isNumber == false)
        let again = await fixture.ask("GET", "/api/ports/processes").json["processes"]?.elements
            .first { $0["pid"]?.number == Int64(getpid()) }
        #expect(again?["cpu_percent"]?.isNumber == true)
        let identity = try #require(ProcessIdentity(running: getpid()))
        let started = ProcessIdentity.startTime(at: identity.startedAt)
        #expect(started.distance(to: identity.startTime).magnitude <= 1)
    }

    @Test func theDashboardPutsItTogether() async throws {
        let listener = try Listener()
        let answer = try await fixture(listener.port).ask("GET", "/api/ports/dashboard").json
        #expect(answer["services"]?["conflict"]?.elements.map { $0["name"]?.text } == ["web"])
        #expect(answer["services"]?["stopped"]?.elements.map { $0["name"]?.text } == ["idle", "off"])
        #expect(answer["totals"]?["services"]?.number == 3)
        #expect(answer["totals"]?["conflicts"]?.number == 1)
        #expect(answer["resources"]?["host"] != nil)
    }

    @Test func theScriptHasThePortsOfEnabledServices() async throws {
        let answer = try await fixture(4321).ask("GET", "/api/ports/env-script").json["script"]?.text
        #expect(answer?.contains("export WEB_PORT=4321\n") == true)
    }

    @Test func anAvailablePortIsNobodys() async throws {
        let listener = try Listener()
        let fixture = try fixture(listener.port)
        let port = await fixture.ask("GET", "/api/ports/available?start=\(listener.port)").json["port"]?.number
        #expect(port.map { $0 > Int64(listener.port) } == true)
        #expect(await fixture.ask("GET", "/api/ports/available?start=0").status == 422)
        #expect(await fixture.ask("GET", "/api/ports/available?start=65536").status == 422)
    }

    @Test func theSelfHealStatusSaysWhatToDo() async throws {
        let listener = try Listener()
        let answer = try await fixture(listener.port).ask("GET", "/api/self-heal/status").json
        #expect(answer["healthy"]?.truth == false)
        #expect(answer["conflicts"]?.number == 1)
        #expect(answer["next_steps"]?.elements.first?.text?.contains("this program itself") == true)
        let well = try await ServiceAPIFixture("[]").ask("GET", "/api/self-heal/status").json
        #expect(well["healthy"]?.truth == true)
        #expect(well["next_steps"]?.elements.isEmpty == true)
    }

    @Test(.enabled(if: PythonServer.isThere, PythonServer.whenMissing))
    func nobodyIsSentToAHealingThatSkipsThem() async throws {
        let port = try TestServer.unusedPort()
        let services = ["one", "two"].map { #"{"name": "\#($0)", "port": \#(port), "process_name": "node"}"# }
        let fixture = try ServiceAPIFixture("[\(services.joined(separator: ","))]")
        let server = try PythonServer(port: port)
        try await server.waitUntilItListens(on: port)
        let steps = await fixture.ask("GET", "/api/self-heal/status").json["next_steps"]?.elements.compactMap(\.text)
        #expect(steps?.count == 2)
        #expect(steps?.allSatisfy { $0.contains("(pid \(server.pid))") && $0.contains("have the same port") } == true)
    }

    @Test func aRegistryThatWasBrokenMeanwhileIsSaid() async throws {
        let fixture = try ServiceAPIFixture("[]")
        try Data("{".utf8).write(to: URL(fileURLWithPath: fixture.folder + "/services.json"))
        let answer = await fixture.ask("GET", "/api/ports/status").json
        #expect(answer["registry"]?["problem"]?.text?.contains("services.json") == true)
        let refused = await fixture.ask("POST", "/api/ports/register", json: #"{"name": "x", "port": 80}"#)
        #expect(refused.status == 409)
        #expect(refused.code == "invalid_registry")
    }

    @Test func nobodyIsToldWithoutTheToken() async throws {
        let fixture = try ServiceAPIFixture("[]")
        for path in ["/api/ports/version", "/api/ports/status", "/api/self-heal/status"] {
            #expect(await fixture.ask("GET", path, isSameUser: false).status == 401)
        }
        #expect(await fixture.ask("POST", "/api/ports/heal", isSameUser: false).status == 401)
    }
}

extension JSONValue {
    fileprivate var isNumber: Bool {
        switch self {
        case .integer, .number: true
        default: false
        }
    }
}
