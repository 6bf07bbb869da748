import OperationTracking
import OperationTrackingTesting
import Testing

@testable import OperationHTTP

@Suite struct ReadingRouteTests {
    let fixture = APIFixture()
    let root = APIFixture.root

    @Test func theListHoldsWhatIsActive() async throws {
        let first = try await fixture.start()
        let second = try await fixture.start()
        let ended = try await fixture.start()
        _ = await fixture.ask("POST", root + "/\(ended)/complete")
        let list = await fixture.ask("GET", root)
        #expect(list.status == 200)
        #expect(list.header("Content-Type") == "application/json")
        #expect(list.number("count") == 2)
        #expect(list.json["operations"]?.elements.compactMap { $0["operation_id"]?.text } == [first, second])
    }

    @Test func anUnchangedListIsNotSentAgain() async throws {
        let tag = try #require(await fixture.ask("GET", root).header("ETag"))
        let same = await fixture.ask("GET", root, headers: [APIHeader("If-None-Match", tag)])
        #expect(same.status == 304)
        #expect(same.bytes.isEmpty)
        #expect(same.header("ETag") == tag)
        _ = try await fixture.start()
        #expect(await fixture.ask("GET", root, headers: [APIHeader("If-None-Match", tag)]).status == 200)
    }

    @Test func theSummaryHasTheOriginalsFieldsAndMore() async throws {
        _ = try await fixture.start("operation_type=download")
        let id = try await fixture.start("operation_type=seed")
        _ = await fixture.ask("POST", root + "/\(id)/update", json: #"{"resource_impact": {"cpu_percent": 50}}"#)
        fixture.tracker.overloadPolicy = .none
        let summary = await fixture.ask("GET", root + "/summary")
        #expect(summary.number("total_active") == 2)
        #expect(summary.json["operations"]?.elements.count == 2)
        #expect(summary.json["by_type"]?["download"]?.number == 1)
        #expect(summary.json["by_status"]?["in_progress"]?.number == 2)
        #expect(summary.json["system_overload_risk"]?.truth == false)
        #expect((summary.json["host"]?["core_count"]?.number ?? 0) >= 1)
        for key in ["aggregate_cpu_percent", "aggregate_memory_mb", "aggregate_network_mbps"] {
            #expect(summary.number(key) != nil, "\(key)")
        }
    }

    @Test func theSummaryIsAnsweredAtOnceWhileTheFiguresAreFresh() async throws {
        let request = APIFixture.request("GET", root + "/summary")
        #expect(fixture.api.answer(to: request).response == nil)
        _ = await fixture.tracker.assessOverload()
        #expect(fixture.api.answer(to: request).response?.status == 200)
    }

    @Test(arguments: ["GET", "POST"])
    func overloadIsToldWithItsReasons(method: String) async throws {
        fixture.tracker.overloadPolicy = .none
        let idle = await fixture.ask(method, root + "/check-overload").json
        #expect(idle["overloaded"]?.truth == false)
        #expect(idle["message"]?.text?.isEmpty == false)
        #expect(idle["reasons"]?.elements.isEmpty == true)

        var policy = OverloadPolicy.none
        policy.minimumAvailableMemoryBytes = .max
        fixture.tracker.overloadPolicy = policy
        await fixture.clock.advance(by: .seconds(5))
        let busy = await fixture.ask(method, root + "/check-overload").json
        #expect(busy["overloaded"]?.truth == true)
        #expect(busy["reasons"]?.elements.first?["code"]?.text == "host_memory")
        #expect(busy["resource_summary"]?["total_active"]?.number == 0)
    }

    @Test func anOldOperationComesFromTheHistory() async throws {
        let id = try await fixture.start()
        _ = await fixture.ask("POST", root + "/\(id)/complete")
        for _ in 0..<300 {
            let other = try await fixture.start()
            _ = await fixture.ask("POST", root + "/\(other)/complete")
        }
        let known = try #require(OperationID(rawValue: id))
        #expect(fixture.tracker.operation(known) == nil)
        #expect(await fixture.ask("GET", root + "/" + id).text("status") == "completed")
        #expect(await fixture.ask("POST", root + "/\(id)/update?progress=3").status == 409)
    }

    @Test func healthNeedsNoToken() async {
        let health = await fixture.ask("GET", "/health", caller: APIFixture.stranger)
        #expect(health.status == 200)
        #expect(health.text("status") == "ok")
    }

    @Test func aListInWhichOnlyTheClockHasGoneOnIsNotSentAgain() async throws {
        let handle = try fixture.tracker.start(type: .download, description: "a", total: 100)
        let first = await fixture.ask("GET", root)
        let tag = try #require(first.header("ETag"))
        #expect(tag.hasPrefix("W/"))
        await fixture.clock.advance(by: .seconds(3))
        let known = [APIHeader("If-None-Match", tag)]
        #expect(await fixture.ask("GET", root, headers: known).status == 304)
        handle.update(completed: 1)
        #expect(await fixture.ask("GET", root, headers: known).status == 200)
    }
}

extension OverloadPolicy {
    /// Nothing counts as too much.
    static var none: OverloadPolicy {
        var policy = OverloadPolicy()
        policy.cpuPercent = nil
        policy.memoryBytes = nil
        policy.hostCPUPercent = nil
        policy.minimumAvailableMemoryBytes = nil
        policy.memoryPressurePercent = nil
        policy.minimumDiskBytes = nil
        return policy
    }
}
