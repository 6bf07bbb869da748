import Foundation
import OperationHTTP
import OperationTracking
import TestSockets
import Testing

/// The services' part of the API's description against the routes and against real answers.
@Suite struct ServiceDescriptionTests {
    private func document(_ fixture: ServiceAPIFixture) async -> String {
        String(decoding: await fixture.ask("GET", "/openapi.yaml").bytes, as: UTF8.self)
    }

    /// Every path with its methods, as the text has them.
    private func described(in document: String) -> Set<String> {
        var found: Set<String> = []
        var path = ""
        for line in document.split(separator: "\n") {
            if line.hasPrefix("  /"), line.hasSuffix(":") { path = String(line.dropFirst(2).dropLast()) }
            for method in ["get", "post", "delete"] where line == "    \(method):" {
                found.insert("\(method.uppercased()) \(path)")
            }
        }
        return found
    }

    /// The keys of a schema.
    private func properties(of schema: String, in document: String) -> Set<String> {
        let lines = document.split(separator: "\n")
        guard let start = lines.firstIndex(of: "    \(schema):") else { return [] }
        return Set(
            lines[(start + 1)...].prefix { $0.hasPrefix("      ") }
                .filter { $0.hasPrefix("        ") && !$0.hasPrefix("         ") }
                .compactMap { $0.dropFirst(8).split(separator: ":").first.map(String.init) }
        )
    }

    @Test func everyRouteIsDescribedAndEveryDescriptionIsOfARoute() async throws {
        let fixture = try ServiceAPIFixture("[]")
        let routes = Set(fixture.api.routes.map { "\($0.method) \($0.path)" })
        #expect(routes == described(in: await document(fixture)))
        #expect(routes.contains("POST /api/self-heal/port-conflicts/kill"))
    }

    @Test func everyReferenceLeadsSomewhere() async throws {
        let document = await document(try ServiceAPIFixture("[]"))
        for reference in document.matches(of: /#\/components\/[a-z]+\/([A-Za-z]+)/) {
            #expect(document.contains("\n    \(reference.1):"), "\(reference.0)")
        }
    }

    @Test func answersHaveTheKeysThatAreDescribed() async throws {
        let listener = try Listener()
        let fixture = try ServiceAPIFixture(
            #"[{"name": "web", "port": \#(listener.port), "process_name": "node"}, {"name": "own", "port": \#(listener.port)}]"#
        )
        _ = await fixture.ask("POST", "/api/ports/register?name=ext&port=\(try TestServer.unusedPort())")
        let document = await document(fixture)
        let ports = "/api/ports"
        let heal = "/api/self-heal"
        let cases: [(String, String, String, [String])] = [
            ("GET", ports + "/version", "Version", []), ("GET", ports + "/status", "ServiceList", []),
            ("GET", ports + "/status", "Service", ["services", "web"]),
            ("GET", ports + "/status", "Registry", ["registry"]),
            ("GET", ports + "/dashboard", "ServiceDashboard", []),
            ("GET", ports + "/dashboard", "Resources", ["resources"]),
            ("GET", ports + "/dashboard", "ServicesByStatus", ["services"]),
            ("GET", ports + "/dashboard", "Service", ["services", "conflict"]),
            ("GET", ports + "/dashboard", "OccupiedPort", ["conflicts"]),
            ("GET", ports + "/dashboard", "Event", ["events"]),
            ("GET", ports + "/dashboard", "ServiceTotals", ["totals"]),
            ("GET", ports + "/processes", "ServiceProcessList", []),
            ("GET", ports + "/processes", "ServiceProcess", ["processes"]),
            ("GET", ports + "/conflicts", "ConflictList", []),
            ("GET", ports + "/env-script", "EnvironmentScript", []),
            ("GET", ports + "/available", "AvailablePort", []),
            ("POST", ports + "/stop?service_name=ext", "ServiceState", []),
            ("POST", ports + "/heal", "Healed", []), ("POST", ports + "/heal", "RecoveryStep", ["steps"]),
            ("POST", ports + "/reassign?service_name=ext", "ServiceReassigned", []),
            ("DELETE", ports + "/unregister/ext", "ServiceDone", []),
            ("POST", ports + "/monitor/start", "MonitorStarted", []),
            ("POST", ports + "/monitor/stop", "MonitorStopped", []),
            ("POST", heal + "/port-conflicts", "PortConflicts", []),
            ("POST", heal + "/port-conflicts", "PortConflict", ["conflicts"]),
            ("GET", heal + "/status", "SelfHealStatus", []), ("GET", heal + "/status", "HistoryState", ["history"]),
            ("GET", heal + "/status", "OverloadState", ["overload"]),
            ("GET", heal + "/strategies", "StrategyList", []),
            ("GET", heal + "/strategies", "Strategy", ["strategies", "port_conflicts"]),
            ("POST", heal + "/recover?strategy=port_conflicts", "Recovery", []),
            ("POST", heal + "/recover?strategy=port_conflicts", "RecoverySummary", ["summary"]),
        ]
        for (method, target, schema, path) in cases {
            let answer = await fixture.ask(method, target)
            #expect(answer.status == 200, "\(method) \(target): \(answer.detail)")
            let part = path.reduce(answer.json) { value, key in
                let next = value[key] ?? .null
                return next.elements.first ?? next
            }
            #expect(Set(part.keys) == properties(of: schema, in: document), "\(method) \(target) \(path)")
        }
        let free = try TestServer.unusedPort()
        let idle = try ServiceAPIFixture(#"[{"name": "idle", "port": \#(free)}]"#)
        let freed = await idle.ask("POST", ports + "/kill?service_name=idle").json
        #expect(Set(freed.keys) == properties(of: "FreedPort", in: document))
    }
}
