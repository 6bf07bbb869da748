#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking
import OperationTrackingTesting
import Testing

@testable import OperationHTTP

@Suite struct HistoryRouteTests {
    let fixture = APIFixture()
    let root = APIFixture.root

    private func end(_ type: String, _ description: String, error: String? = nil) async throws -> String {
        let id = try await fixture.start("operation_type=\(type)&description=\(description)")
        _ = await fixture.ask("POST", root + "/\(id)/complete" + (error.map { "?error=" + $0 } ?? ""))
        await fixture.clock.advance(by: .seconds(1))
        return id
    }

    private func ids(_ query: String) async -> [String] {
        await fixture.ask("GET", root + "/history" + query).json["operations"]?.elements
            .compactMap { $0["operation_id"]?.text } ?? []
    }

    @Test func theHistoryIsNewestFirstAndFiltered() async throws {
        let first = try await end("seed", "icons")
        let second = try await end("download", "model", error: "no")
        let third = try await end("download", "other")
        #expect(await ids("") == [third, second, first])
        #expect(await ids("?type=download") == [third, second])
        #expect(await ids("?type=download&type=seed&status=completed") == [third, first])
        #expect(await ids("?text=ODE") == [second])
        #expect(await ids("?since=2026-01-01T00:00:01.5Z") == [third])
        #expect(await ids("?before=2026-01-01T01:00:00.5%2B01:00") == [first])
        #expect(await ids("?since=2026-01-02") == [])
        #expect(await ids("?parent=op_none") == [])
    }

    @Test func pagesFollowEachOther() async throws {
        let first = try await end("a", "1")
        let second = try await end("a", "2")
        let third = try await end("a", "3")
        let page = await fixture.ask("GET", root + "/history?limit=2")
        #expect(page.json["operations"]?.elements.compactMap { $0["operation_id"]?.text } == [third, second])
        let cursor = try #require(page.text("next_cursor"))
        let rest = await fixture.ask("GET", root + "/history?limit=2&cursor=" + cursor)
        #expect(rest.json["operations"]?.elements.compactMap { $0["operation_id"]?.text } == [first])
        #expect(rest.json["next_cursor"]?.isNull == true)
        let tag = try #require(rest.header("ETag"))
        let again = await fixture.ask(
            "GET",
            root + "/history?limit=2&cursor=" + cursor,
            headers: [APIHeader("If-None-Match", tag)]
        )
        #expect(again.status == 304)
    }

    @Test(
        arguments: [
            "limit=0", "limit=1001", "limit=x", "limit=1.5", "type=", "type=A", "type=a,b", "status=done", "status=",
            "since=yesterday", "since=2026-02-30T00:00:00Z", "since=2026-01-01T00:00:00", "before=", "parent=x",
            "cursor=nonsense", "cursor=a0000000000000000", "text=a&text=b",
        ]
    )
    func aWrongFilterIsRefused(query: String) async {
        #expect(await fixture.ask("GET", root + "/history?" + query).status == 422)
    }

    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0.0), ("2000-02-29T12:30:15.25Z", 951_827_415.25), ("2026-01-31", 1_769_817_600),
            ("1969-12-31t23:59:59z", -1), ("2026-01-01 00:00:00+05:30", 1_767_205_800),
            ("2016-12-31T23:59:60Z", 1_483_228_800),
            ("0001-01-01T00:00:00Z", -62_135_596_800), ("9999-12-31T23:59:59Z", 253_402_300_799),
        ]
    )
    func momentsAreReadAsRFC3339HasThem(text: String, seconds: Double) {
        #expect(MomentReader.read(text)?.timeIntervalSince1970 == seconds)
    }

    @Test(arguments: [
        "", "2026", "2026-13-01", "2026-00-01", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00Z",
    ])
    func whatIsNoMomentIsNotTaken(text: String) {
        #expect(MomentReader.read(text) == nil)
    }

    @Test(arguments: ["/history?", "/history/statistics?"])
    func moreThanSixteenTypesAreTooMany(_ path: String) async {
        let types = { (count: Int) in (0..<count).map { "type=t\($0)" }.joined(separator: "&") }
        #expect(await fixture.ask("GET", root + path + types(16)).status == 200)
        #expect(await fixture.ask("GET", root + path + types(17)).status == 422)
    }

    @Test func statisticsAreByType() async throws {
        _ = try await end("a", "1")
        _ = try await end("a", "2", error: "no")
        _ = try await end("b", "3")
        let all = await fixture.ask("GET", root + "/history/statistics").json["statistics"]?.elements ?? []
        #expect(all.compactMap { $0["operation_type"]?.text } == ["a", "b"])
        #expect(all.first?["count"]?.number == 2)
        #expect(all.first?["success_share"]?.number == 0.5)
        #expect(all.first?["estimates"]?.number == 0 && all.first?["estimate_coverage"] != nil)
        #expect(all.first?["recent_estimates"]?.number == 0 && all.first?["recent_estimate_coverage"] != nil)
        let one = await fixture.ask("GET", root + "/history/statistics?type=b").json["statistics"]?.elements ?? []
        #expect(one.count == 1)
    }

    @Test func theAuditLogTellsWhoDidWhat() async throws {
        let id = try await end("a", "1")
        let page = await fixture.ask("GET", "/api/ports/events?limit=1")
        let event = try #require(page.json["events"]?.elements.first)
        #expect(event["event_type"]?.text == "operation.completed")
        #expect(event["actor"]?.text == "http local user")
        #expect(event["operation_id"]?.text == id)
        let cursor = try #require(page.text("next_cursor"))
        let rest = await fixture.ask("GET", "/api/ports/events?cursor=" + cursor)
        #expect(rest.json["events"]?.elements.map { $0["event_type"]?.text } == ["operation.started"])
        #expect(await fixture.ask("GET", "/api/ports/events?cursor=x").status == 422)
    }

    @Test func theAuditLogOfOneOperationIsAskedForByItsID() async throws {
        let id = try await end("a", "1")
        _ = try await end("a", "2")
        let events = await fixture.ask("GET", "/api/ports/events?operation_id=" + id).json["events"]?.elements ?? []
        #expect(events.map { $0["event_type"]?.text } == ["operation.completed", "operation.started"])
        #expect(events.allSatisfy { $0["operation_id"]?.text == id })
        #expect(
            await fixture.ask("GET", "/api/ports/events?operation_id=op_none").json["events"]?.elements.isEmpty == true
        )
        #expect(await fixture.ask("GET", "/api/ports/events?operation_id=a%20b").status == 422)
    }

    @Test func withoutAHistoryThereIsNone() async {
        let api = OperationAPI(tracker: OperationTracker())
        for path in [root + "/history", root + "/history/statistics", "/api/ports/events"] {
            #expect(await api.respond(to: APIFixture.request("GET", path)).status == 404)
        }
    }

    @Test func aHistoryThatIsClosedIsUnavailable() async {
        await fixture.history.close()
        let answer = await fixture.ask("GET", root + "/history")
        #expect(answer.status == 503)
        #expect(answer.header("Retry-After") != nil)
        #expect(await fixture.ask("GET", root + "/op_x").status == 503)
    }
}
