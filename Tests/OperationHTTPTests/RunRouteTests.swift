import OperationTracking
import OperationTrackingTesting
import Testing

@testable import OperationHTTP

/// Work that the server does itself, and what may be wished of it.
@Suite struct RunRouteTests {
    let fixture = RunnerFixture()
    let root = APIFixture.root

    private func run(_ name: String, _ more: String = "") async throws -> OperationID {
        let answer = await fixture.ask(
            "POST",
            root + "/run",
            json: #"{"operation_type": "scripted", "request": {"name": "\#(name)"}\#(more)}"#
        )
        #expect(answer.status == 202)
        return try #require(answer.text("operation_id").flatMap(OperationID.init(rawValue:)))
    }

    private func waitFor(_ status: OperationStatus, _ id: OperationID) async {
        while fixture.tracker.operation(id)?.status != status { await briefPause() }
    }

    @Test func aProviderIsStartedByItsType() async throws {
        let id = try await run("a", #", "priority": "high""#)
        await waitFor(.inProgress, id)
        let operation = await fixture.ask("GET", root + "/\(id)")
        #expect(operation.json["request"]?["name"]?.text == "a")
        #expect(operation.text("priority") == "high")
        #expect(operation.json["result"]?.isNull == true)
        fixture.provider.finish("a")
        await waitFor(.completed, id)
        #expect(await fixture.ask("GET", root + "/\(id)").text("result") == "a")
    }

    @Test func whatIsActiveAlreadyIsJoined() async throws {
        let first = try await run("same")
        // Another order of words, and a member that the provider doesn't know, are the same request.
        let again = await fixture.ask(
            "POST",
            root + "/run",
            json: #"{"request": {"x": 1, "name": "same"}, "operation_type": "scripted"}"#
        )
        #expect(again.text("operation_id") == first.rawValue)
        #expect(again.json["joined"]?.truth == true)
    }

    @Test func onlyWhatHTTPMayStartIsStarted() async throws {
        let fixture = RunnerFixture(mayBeStartedOverHTTP: false)
        let answer = await fixture.ask(
            "POST",
            root + "/run",
            json: #"{"operation_type": "scripted", "request": {"name": "a"}}"#
        )
        #expect(answer.status == 403)
        #expect(answer.text("code") == "not_startable")
        let allowed = RunnerFixture(mayBeStartedOverHTTP: false) {
            $0.startableTypes = [ScriptedProvider.operationType]
        }
        let other = await allowed.ask(
            "POST",
            root + "/run",
            json: #"{"operation_type": "scripted", "request": {"name": "a"}}"#
        )
        #expect(other.status == 202)
        let none = RunnerFixture { $0.startableTypes = [] }
        let third = await none.ask(
            "POST",
            root + "/run",
            json: #"{"operation_type": "scripted", "request": {"name": "a"}}"#
        )
        #expect(third.status == 403)
    }

    @Test(
        arguments: [
            (#"{"operation_type": "unknown"}"#, 404), (#"{"operation_type": "scripted"}"#, 422),
            (#"{"operation_type": "scripted", "request": {"name": 3}}"#, 422),
            (#"{"operation_type": "scripted", "request": "a"}"#, 422),
            (#"{"operation_type": "scripted", "request": {"name": "a"}, "priority": "now"}"#, 422), ("{}", 422),
        ]
    )
    func whatCanNotBeRunIsRefused(json: String, status: Int) async {
        #expect(await fixture.ask("POST", root + "/run", json: json).status == status)
        #expect(fixture.tracker.activeOperations.isEmpty)
    }

    @Test func whatItsProviderRefusesIsRefusedWithItsReason() async {
        let json = #"{"operation_type": "scripted", "request": {"name": ""}}"#
        let answer = await fixture.ask("POST", root + "/run", json: json)
        #expect(answer.status == 422)
        #expect(answer.text("detail") == "Work has a name: give it one.")
        #expect(fixture.tracker.activeOperations.isEmpty)
    }

    @Test func aFullQueueIsTooMany() async throws {
        let fixture = RunnerFixture(maximumQueued: 0)
        let json = #"{"operation_type": "scripted", "request": {"name": "a"}}"#
        #expect(await fixture.ask("POST", root + "/run", json: json).status == 202)
        let answer = await fixture.ask("POST", root + "/run", json: json.replacing("\"a\"", with: "\"b\""))
        #expect(answer.status == 429)
        #expect(answer.text("code") == "queue_full")
        #expect(answer.header("Retry-After") != nil)
    }

    @Test func providersAreListedWithAnExample() async throws {
        let list = await fixture.ask("GET", "/api/ports/providers")
        let all = list.json["providers"]?.elements ?? []
        #expect(all.map { $0["operation_type"]?.text } == ["pull_model", "scripted"])
        let provider = try #require(all.last)
        #expect(provider["may_be_started"]?.truth == true)
        #expect(provider["pausing"]?.text == "in_place")
        #expect(all.map { $0["is_throttleable"]?.truth } == [false, false])
        #expect(provider["unit"]?.text == "items")
        #expect(provider["request_example"]?["name"]?.text == "example")
        #expect(list.header("ETag") != nil)
    }

    @Test func whyAProviderIsMissingIsSaidWhereHTTPCouldStartIt() async throws {
        let none = RunnerFixture { $0.startableTypes = [] }
        for fixture in [fixture, none] {
            fixture.runner.providers.setMissing(.seed, because: "It has no key: get one.")
            // One that is there is not missing.
            fixture.runner.providers.setMissing(ScriptedProvider.operationType, because: "Nobody knows.")
        }
        let missing = await fixture.ask("GET", "/api/ports/providers").json["missing"]?.elements ?? []
        #expect(missing.map { $0["operation_type"]?.text } == ["seed"])
        #expect(missing.first?["reason"]?.text == "It has no key: get one.")
        let refused = await fixture.ask("POST", root + "/run", json: #"{"operation_type": "seed"}"#)
        #expect(refused.text("code") == "unknown_provider")
        #expect(refused.text("detail")?.hasSuffix("It has no key: get one.") == true)
        #expect(await none.ask("GET", "/api/ports/providers").json["missing"]?.elements.isEmpty == true)

        fixture.runner.providers.register(SeedStandIn())
        #expect(await fixture.ask("GET", "/api/ports/providers").json["missing"]?.elements.isEmpty == true)
    }

    @Test func aPauseIsWishedThenFollowed() async throws {
        let id = try await run("a")
        await waitFor(.inProgress, id)
        let pause = await fixture.ask("POST", root + "/\(id)/pause")
        #expect(pause.status == 200)
        #expect(pause.text("operation_id") == id.rawValue)
        await waitFor(.paused, id)
        #expect(await fixture.ask("POST", root + "/\(id)/resume").status == 200)
        await waitFor(.inProgress, id)
        #expect(await fixture.ask("POST", root + "/\(id)/cancel").status == 200)
        await waitFor(.cancelled, id)
        let late = await fixture.ask("POST", root + "/\(id)/pause")
        #expect(late.status == 409)
        #expect(await fixture.ask("POST", root + "/\(id)/cancel").text("status") == "cancelled")
    }

    @Test func theAuditLogTellsWhoAskedForWhat() async throws {
        let throttled = RunnerFixture(isThrottleable: true)
        let ask = #"{"operation_type": "scripted", "request": {"name": "a"}}"#
        _ = await throttled.ask("POST", root + "/run", json: ask)
        let second = await throttled.ask("POST", root + "/run", json: ask.replacing("\"a\"", with: "\"b\""))
        let waiting = try #require(second.text("operation_id"))
        let limit = #"{"bytes_per_second": 1000}"#
        #expect(await throttled.ask("POST", root + "/\(waiting)/limit", json: limit).status == 200)
        for wish in ["priority?priority=high", "priority?priority=now", "pause", "resume", "cancel", "cancel"] {
            _ = await throttled.ask("POST", root + "/\(waiting)/" + wish)
        }
        let page =
            await throttled.ask("GET", "/api/ports/events?operation_id=\(waiting)").json["events"]?.elements ?? []
        #expect(page.allSatisfy { $0["actor"]?.text == "http local user" })
        let told = page.reversed().map {
            [$0["event_type"]?.text, $0["details"]?.text].compactMap(\.self).joined(separator: ": ")
        }
        #expect(
            told == [
                "operation.limit_set: 1000 bytes a second", "operation.priority_set: high",
                "operation.pause_requested", "operation.resume_requested", "operation.cancel_requested",
                "operation.cancelled: b",
            ]
        )
    }

    @Test func aWishForWorkOfAClientStandsUntilItFollows() async throws {
        let id = try await fixture.base.start()
        let pause = await fixture.ask("POST", root + "/\(id)/pause")
        #expect(pause.text("pending_request") == "pause")
        #expect(pause.text("status") == "in_progress")
        _ = await fixture.ask("POST", root + "/\(id)/update?status=paused")
        #expect(await fixture.ask("GET", root + "/\(id)").json["pending_request"]?.isNull == true)
    }

    @Test func whatWaitsCanBePutInFront() async throws {
        _ = try await run("running")
        let waiting = try await run("waiting")
        let answer = await fixture.ask("POST", root + "/\(waiting)/priority", json: #"{"priority": "urgent"}"#)
        #expect(answer.status == 200)
        #expect(fixture.tracker.operation(waiting)?.priority == .urgent)
        #expect(await fixture.ask("POST", root + "/\(waiting)/priority").status == 422)
        #expect(await fixture.ask("POST", root + "/\(waiting)/priority?priority=now").status == 422)
        let mine = try await fixture.base.start()
        let other = await fixture.ask("POST", root + "/\(mine)/priority?priority=low")
        #expect(other.status == 409)
        #expect(other.text("code") == "not_queued")
    }

    @Test func aLimitIsForWorkThatCanBeThrottled() async throws {
        let id = try await run("a")
        let answer = await fixture.ask("POST", root + "/\(id)/limit", json: #"{"bytes_per_second": 1000}"#)
        #expect(answer.status == 409)
        #expect(answer.text("code") == "cannot_throttle")
        let throttled = RunnerFixture(isThrottleable: true)
        let providers = await throttled.ask("GET", "/api/ports/providers").json["providers"]?.elements
        #expect(providers?.last?["is_throttleable"]?.truth == true)
        let started = await throttled.ask(
            "POST",
            root + "/run",
            json: #"{"operation_type": "scripted", "request": {"name": "a"}}"#
        )
        let other = try #require(started.text("operation_id").flatMap(OperationID.init(rawValue:)))
        #expect(
            await throttled.ask("POST", root + "/\(other)/limit", json: #"{"bytes_per_second": 1000}"#).status == 200
        )
        #expect(throttled.tracker.bandwidthLimit(of: other) == 1000)
        let shown = await throttled.ask("GET", root + "/\(other)").json["bandwidth_limit_bytes_per_second"]
        #expect(shown?.number == 1000)
        #expect(
            await throttled.ask("POST", root + "/\(other)/limit", json: #"{"bytes_per_second": null}"#).status == 200
        )
        #expect(throttled.tracker.bandwidthLimit(of: other) == nil)
        for json in ["{}", #"{"bytes_per_second": 0}"#, #"{"bytes_per_second": 1.5}"#, #"{"bytes_per_second": "1"}"#] {
            #expect(await throttled.ask("POST", root + "/\(other)/limit", json: json).status == 422, "\(json)")
        }
    }

    @Test func wishesForWhatIsNotThereAreNotFound() async {
        for wish in ["pause", "resume", "cancel", "priority?priority=low", "limit?bytes_per_second=1"] {
            #expect(await fixture.ask("POST", root + "/op_no/" + wish).status == 404, "\(wish)")
        }
    }

    @Test func anAPIWithoutARunnerRunsNothing() async {
        let fixture = APIFixture()
        #expect(await fixture.ask("POST", root + "/run", json: #"{"operation_type": "scripted"}"#).status == 404)
        #expect(await fixture.ask("GET", "/api/ports/providers").json["providers"]?.elements.isEmpty == true)
    }
}

/// Takes the place of a provider that was missing.
private struct SeedStandIn: OperationProvider {
    struct Request: Codable, Sendable {}

    static let operationType = OperationType.seed

    func description(of request: Request) -> String { "Seed" }

    @concurrent
    func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Request { request }
}
