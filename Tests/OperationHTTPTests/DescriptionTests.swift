import OperationTracking
import OperationTrackingTesting
import Testing

@testable import OperationHTTP

/// The API's description against the routes and against real answers, so that they can't drift apart.
@Suite struct DescriptionTests {
    let fixture = RunnerFixture()
    let root = APIFixture.root
    let document = OpenAPIDocument.text()

    /// Every path with its methods, as the text has them.
    private var described: Set<String> {
        var found: Set<String> = []
        var path = ""
        for line in document.split(separator: "\n") {
            if line.hasPrefix("  /"), line.hasSuffix(":") { path = String(line.dropFirst(2).dropLast()) }
            for method in ["get", "post", "delete", "put", "patch"] where line == "    \(method):" {
                found.insert("\(method.uppercased()) \(path)")
            }
        }
        return found
    }

    /// The keys of a schema.
    private func properties(of schema: String) -> Set<String> {
        let lines = document.split(separator: "\n")
        guard let start = lines.firstIndex(of: "    \(schema):") else { return [] }
        return Set(
            lines[(start + 1)...].prefix { $0.hasPrefix("      ") }
                .filter { $0.hasPrefix("        ") && !$0.hasPrefix("         ") }
                .compactMap { $0.dropFirst(8).split(separator: ":").first.map(String.init) }
        )
    }

    @Test func everyRouteIsDescribedAndEveryDescriptionIsOfARoute() {
        let routes = Set(fixture.base.api.routes.map { "\($0.method) \($0.path)" })
        #expect(routes == described)
    }

    @Test func everyReferenceLeadsSomewhere() {
        for line in document.split(separator: "\n") {
            for part in line.components(between: "$ref: '#/", and: "'") {
                let name = part.split(separator: "/").last ?? ""
                #expect(document.contains("\n    \(name):"), "\(part)")
            }
        }
    }

    @Test(
        arguments: [
            ("Start", "operation_type"), ("Run", "operation_type"), ("Priority", "priority"),
            ("Limit", "bytes_per_second"), ("Pull", "model"),
        ]
    )
    func aMemberThatMayComeInTheQueryIsNotSaidToBeRequiredInTheBody(_ request: String, _ member: String) throws {
        let lines = document.split(separator: "\n")
        let start = try #require(lines.firstIndex(of: "    \(request)Request:"))
        let own = lines[(start + 1)...].prefix { $0.hasPrefix("      ") }
        #expect(own.contains("      description: Needs `\(member)`, unless the query has it."))
        #expect(!own.contains { $0.hasPrefix("      required:") })
    }

    @Test func theDescriptionIsServedToAnyone() async {
        let answer = await fixture.base.ask("GET", "/openapi.yaml", caller: APIFixture.stranger)
        #expect(answer.header("Content-Type") == "application/yaml")
        #expect(answer.text == document)
    }

    @Test func anotherModulesPartIsInIt() {
        let more = APIExtension(routes: [], paths: "  /more:\n    get:\n", schemas: "    More: {}\n")
        let text = OpenAPIDocument.text(more)
        #expect(text.contains("\n  /more:\n    get:\ncomponents:\n"))
        #expect(text.hasSuffix("\n    More: {}\n"))
    }

    @Test func answersHaveTheKeysThatAreDescribed() async throws {
        let id = try await fixture.base.start()
        _ = await fixture.tracker.assessOverload()
        _ = await fixture.ask("POST", root + "/op_ended/complete")
        let run = #"{"operation_type": "scripted", "request": {"name": "a"}}"#
        let cases: [(String, String, String?, String)] = [
            ("GET", root, nil, "OperationList"), ("GET", root + "/summary", nil, "Summary"),
            ("GET", root + "/\(id)", nil, "OperationDetails"),
            ("POST", root + "/start?operation_type=a", nil, "Started"),
            ("POST", root + "/\(id)/update?progress=1", nil, "Updated"),
            ("POST", root + "/\(id)/pause", nil, "Wish"), ("POST", root + "/\(id)/complete", nil, "Completed"),
            ("GET", root + "/check-overload", nil, "Overload"), ("POST", root + "/run", run, "Submitted"),
            ("GET", root + "/history", nil, "HistoryPage"),
            ("GET", root + "/history/statistics", nil, "StatisticsList"),
            ("GET", "/api/ports/events", nil, "EventPage"),
            ("GET", "/api/ports/providers", nil, "ProviderList"), ("GET", "/api/ports/resources", nil, "Resources"),
            ("GET", "/api/ports/resources/history", nil, "ResourceHistory"), ("POST", "/api/session", nil, "Session"),
            ("GET", "/health", nil, "Health"), ("GET", "/nothing", nil, "Problem"),
        ]
        for (method, target, json, schema) in cases {
            let answer = await fixture.ask(method, target, json: json)
            #expect(Set(answer.json.keys) == properties(of: schema), "\(method) \(target)")
        }
    }

    @Test func whatIsListedHasTheKeysThatAreDescribed() async throws {
        let id = try await fixture.base.start()
        _ = await fixture.tracker.assessOverload()
        let operation = await fixture.ask("GET", root).json["operations"]?.elements.first
        #expect(Set(operation?.keys ?? []) == properties(of: "Operation"))
        #expect(Set(operation?["resource_impact"]?.keys ?? []) == properties(of: "ResourceImpact"))
        let host = await fixture.ask("GET", root + "/summary").json["host"]
        #expect(Set(host?.keys ?? []) == properties(of: "Host"))
        fixture.runner.providers.setMissing(.seed, because: "It has no key.")
        let list = await fixture.ask("GET", "/api/ports/providers").json
        #expect(Set(list["providers"]?.elements.first?.keys ?? []) == properties(of: "Provider"))
        #expect(Set(list["missing"]?.elements.first?.keys ?? []) == properties(of: "MissingProvider"))
        let point = await fixture.ask("GET", "/api/ports/resources/history").json["history"]?.elements.first
        #expect(Set(point?.keys ?? []) == properties(of: "ResourcePoint"))
        _ = await fixture.ask("POST", root + "/\(id)/complete")
        let event = await fixture.ask("GET", "/api/ports/events").json["events"]?.elements.first
        #expect(Set(event?.keys ?? []) == properties(of: "Event"))
        let figure = await fixture.ask("GET", root + "/history/statistics").json["statistics"]?.elements.first
        #expect(Set(figure?.keys ?? []) == properties(of: "Statistics"))
    }
}

extension Substring {
    fileprivate func components(between start: String, and end: Character) -> [Substring] {
        var found: [Substring] = []
        var rest = self
        while let range = rest.firstRange(of: start) {
            rest = rest[range.upperBound...]
            found.append(rest.prefix { $0 != end })
        }
        return found
    }
}
