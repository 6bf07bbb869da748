import OperationTracking
import OperationTrackingTesting
import Testing

@testable import OperationHTTP

/// The original's streams of progress.
@Suite struct SelfHealTests {
    let fixture = RunnerFixture()

    private func pull(_ model: String = "m") async throws -> APIStream {
        let answer = await fixture.ask("POST", "/api/self-heal/ollama/pull", json: #"{"model": "\#(model)"}"#)
        #expect(answer.status == 200)
        #expect(answer.header("Content-Type") == "text/event-stream")
        return try #require(answer.stream)
    }

    /// All events to the end, while the clock goes on.
    private func rest(of stream: APIStream) async -> [JSONValue] {
        var events: [JSONValue] = []
        while !stream.isOverOrAdd(to: &events) { await fixture.base.clock.advance(by: .milliseconds(250)) }
        return events
    }

    @Test func aPullIsShownToItsEnd() async throws {
        let stream = try await pull()
        let first = try #require(await stream.events().first)
        #expect(first.id == nil)
        #expect(first.name == nil)
        #expect(first.json["status"]?.text == "starting" || first.json["status"]?.text == "pulling")
        while fixture.provider.runningCount == 0 { await briefPause() }
        fixture.provider.finish("m")
        let events = await rest(of: stream)
        #expect(events.allSatisfy { $0["progress"]?.number != nil })
        let last = try #require(events.last)
        #expect(last["status"]?.text == "complete")
        #expect(last["progress"]?.number == 100)
        #expect(last["added_count"]?.number == 2)
        #expect(last["root"]?.text == "/r")
        #expect(last["message"]?.text == "Pull m: done.")
    }

    @Test func aFailureIsTheLastEvent() async throws {
        let stream = try await pull()
        while fixture.provider.runningCount == 0 { await briefPause() }
        fixture.provider.fail("m", with: OperationFailure(.notFound, "no such model"))
        let last = try #require(await rest(of: stream).last)
        #expect(last["status"]?.text == "failed")
        #expect(last["error"]?.text == "no such model")
        #expect(last["progress"]?.number == 50)
    }

    @Test func theOperationGoesOnWhenTheClientLeaves() async throws {
        let stream = try await pull()
        stream.cancel()
        while fixture.provider.runningCount == 0 { await briefPause() }
        let operation = try #require(fixture.tracker.activeOperations.first)
        #expect(operation.pendingRequest == nil)
        fixture.provider.finish("m")
        while fixture.tracker.operation(operation.id)?.status != .completed { await briefPause() }
    }

    @Test func whatRunsAlreadyIsJoined() async throws {
        let first = try await pull()
        while fixture.provider.runningCount == 0 { await briefPause() }
        let second = try await pull()
        #expect(fixture.tracker.activeOperations.count == 1)
        fixture.provider.finish("m")
        #expect(await rest(of: first).last?["status"]?.text == "complete")
        #expect(await rest(of: second).last?["status"]?.text == "complete")
    }

    @Test(arguments: ["{}", #"{"model": ""}"#, #"{"model": 3}"#, "[]"])
    func aPullNeedsAModel(json: String) async {
        #expect(await fixture.ask("POST", "/api/self-heal/ollama/pull", json: json).status == 422)
    }

    @Test func whatThisServerHasNoProviderForIsNotFound() async {
        for path in ["nounproject/seed", "ok-setup"] {
            let answer = await fixture.ask("POST", "/api/self-heal/" + path)
            #expect(answer.status == 404)
            #expect(answer.text("code") == "unknown_provider")
        }
        let seeds = await fixture.ask("POST", "/api/self-heal/nounproject/seed", json: #"{"per_term": 6}"#)
        #expect(seeds.status == 422)
    }

    @Test func nothingIsAHundredPercentBeforeTheEnd() {
        var operation = BackgroundOperation(
            id: OperationID(rawValue: "op_a")!,
            type: .pullModel,
            description: "Pull m",
            status: .inProgress,
            createdAt: .init(milliseconds: 0)
        )
        operation.progress.percent = 99.99
        let event = ServerEvent.all(in: ProgressText(running: "pulling").event(of: operation, result: nil)).last
        #expect(event?.json["progress"]?.number == 99.9)
    }

    @Test func countsAreSentWhetherAResultListsOrCounts() {
        var operation = BackgroundOperation(
            id: OperationID(rawValue: "op_a")!,
            type: .seed,
            description: "Seed",
            status: .completed,
            createdAt: .init(milliseconds: 0)
        )
        operation.progress.percent = 100
        let result = #"{"added": 3, "skipped": 4, "errors": [{"reason": "x"}], "errors_omitted": 2, "root": "/icons"}"#
        let event = ServerEvent.all(
            in: ProgressText(running: "seeding").event(of: operation, result: Array(result.utf8))
        )
        let json = event.last?.json
        #expect(json?["added_count"]?.number == 3)
        #expect(json?["skipped_count"]?.number == 4)
        #expect(json?["error_count"]?.number == 3)
    }
}

extension APIStream {
    /// Adds what there is; whether that was the last.
    fileprivate func isOverOrAdd(to events: inout [JSONValue]) -> Bool {
        switch next(orNotify: {}) {
        case .piece(let bytes):
            events += ServerEvent.all(in: bytes).filter { $0.data != nil }.map(\.json)
            return false
        case .waiting: return false
        case .end: return true
        }
    }
}
