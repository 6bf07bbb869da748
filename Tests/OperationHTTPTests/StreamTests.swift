import OperationTracking
import OperationTrackingTesting
import Testing

@testable import OperationHTTP

@Suite struct StreamTests {
    let fixture = APIFixture()
    let root = APIFixture.root

    private func open(_ path: String = "/stream", after id: String? = nil) async throws -> APIStream {
        let headers = id.map { [APIHeader("Last-Event-ID", $0)] } ?? []
        let answer = await fixture.ask("GET", root + path, headers: headers)
        #expect(answer.status == 200)
        #expect(answer.header("Content-Type") == "text/event-stream")
        #expect(answer.header("Cache-Control") == "no-store")
        return try #require(answer.stream)
    }

    private func startOperation(_ description: String = "a") throws -> OperationHandle {
        try fixture.tracker.start(type: .download, description: description, total: 1000)
    }

    /// Moves the clock past the time in which events are gathered.
    private func nextFlush() async {
        await fixture.clock.advance(by: .milliseconds(250))
    }

    /// The next events, while the clock goes on: the hub may begin to wait at any moment.
    private func nextEvents(of stream: APIStream) async -> [ServerEvent] {
        while true {
            let events = stream.waitingEvents().filter { $0.comment == nil }
            if !events.isEmpty { return events }
            await nextFlush()
        }
    }

    @Test func aStreamBeginsWithWhatIsActive() async throws {
        let handle = try startOperation()
        let events = try await open().events()
        #expect(events.first?.retry == "2000")
        #expect(events.last?.name == "snapshot")
        #expect(events.last?.id == "run-0")
        #expect(events.last?.json["operations"]?.elements.first?["operation_id"]?.text == handle.id.rawValue)
        #expect(events.last?.json["gap"]?.truth == false)
    }

    @Test func aStreamBeginsWithTheTimeThatWorkHasTakenByNow() async throws {
        let handle = try startOperation()
        func time() async throws -> Double? {
            try await open().events().last?.json["operations"]?.elements.first?["uptime_seconds"]?.number
        }
        #expect(try await time() == 0)
        await fixture.clock.advance(by: .seconds(20))
        #expect(try await time() == 20)
        #expect(handle.operation.activeSeconds == 20)
    }

    /// From now on every measurement says that the machine is overloaded.
    private func overload() {
        var policy = OverloadPolicy.none
        policy.minimumAvailableMemoryBytes = .max
        fixture.tracker.overloadPolicy = policy
    }

    @Test func aStreamBeginsWithWhatWasToldOfTheMachineBeforeIt() async throws {
        let stream = try await open()
        let snapshot = await stream.events().last
        #expect(snapshot?.json["overload"]?["overloaded"]?.truth == false)
        #expect(snapshot?.json["history_health"]?["status"]?.text == "ok")
        overload()
        _ = await fixture.tracker.assessOverload()
        #expect(await nextEvents(of: stream).map(\.name) == ["overload"])
        let later = try await open().events().last
        #expect(later?.json["overload"]?["overloaded"]?.truth == true)
        #expect(later?.json["overload"]?["reasons"]?.elements.first?["code"]?.text == "host_memory")
    }

    @Test func whatWasToldBeforeTheFirstStreamIsInItsSnapshot() async throws {
        overload()
        _ = await fixture.tracker.assessOverload()
        let snapshot = try await open().events().last
        #expect(snapshot?.json["overload"]?["overloaded"]?.truth == true)
    }

    @Test func eventsComeInOrderWithTheirNumbers() async throws {
        let stream = try await open()
        _ = await stream.events()
        let handle = try startOperation()
        let started = await stream.events()
        #expect(started.map(\.name) == ["started"])
        #expect(started.first?.id == "run-1")
        #expect(started.first?.operationID == handle.id.rawValue)
        try await fixture.tracker.complete(handle.id)
        let finished = await nextEvents(of: stream)
        #expect(finished.last?.name == "finished")
        #expect(finished.last?.json["status"]?.text == "completed")
        #expect(finished.last?.json["durable"]?.truth == true)
    }

    @Test func updatesAreGathered() async throws {
        let stream = try await open()
        _ = await stream.events()
        let handle = try startOperation()
        _ = await stream.events()
        for _ in 1...10 {
            try await fixture.tracker.report(handle.id, .paused)
            try await fixture.tracker.report(handle.id, .inProgress)
        }
        // The ticker, the heartbeat, and the hub that gathers.
        await fixture.clock.waitForSleepers(3)
        #expect(stream.waitingEvents().isEmpty)
        let events = await nextEvents(of: stream)
        #expect(events.map(\.name) == ["updated"])
        #expect(events.first?.json["status"]?.text == "in_progress")
    }

    @Test func whoeverComesBackIsGivenWhatItMissed() async throws {
        let stream = try await open()
        _ = await stream.events()
        let first = try startOperation("first")
        let last = try #require(await stream.events().last?.id)
        stream.cancel()
        let watcher = try await open()
        _ = watcher.waitingEvents()
        try await fixture.tracker.complete(first.id)
        let second = try startOperation("second")
        while await nextEvents(of: watcher).last?.operationID != second.id.rawValue {}
        let again = try await open(after: last)
        let events = await again.events()
        #expect(events.first?.retry == "2000")
        let missed = events.dropFirst()
        #expect(missed.map(\.name) == ["finished", "started"])
        #expect(missed.map(\.operationID) == [first.id.rawValue, second.id.rawValue])
    }

    @Test(arguments: ["other-1", "run-999", "run-", "run-x", "nonsense", "", "run-99999999999999999999999"])
    func anUnknownRunIsAnsweredByASnapshot(id: String) async throws {
        _ = try startOperation()
        let events = try await open(after: id).events()
        #expect(events.last?.name == "snapshot")
        #expect(events.last?.json["gap"]?.truth == true)
        #expect(events.last?.json["operations"]?.elements.count == 1)
    }

    @Test func aSlowClientIsGivenTheNewestOfEachAndEveryEnding() async throws {
        let stream = try await open()
        _ = await stream.events()
        let watcher = try await open()
        let first = try startOperation("first")
        let second = try startOperation("second")
        for amount in 1...10 {
            first.update(completed: Int64(amount))
            second.update(completed: Int64(amount))
            await nextFlush()
        }
        try await fixture.tracker.fail(first.id, OperationFailure(.timeout, "too late"))
        // Somebody who reads all the time tells when the last of it has been published.
        var watched: [ServerEvent] = []
        while !watched.contains(where: { $0.name == "finished" })
            || !watched.contains(where: {
                $0.operationID == second.id.rawValue && $0.json["completed_units"]?.number == 10
            })
        {
            await nextFlush()
            watched += watcher.waitingEvents()
        }
        let events = stream.waitingEvents()
        #expect(events.filter { $0.operationID == first.id.rawValue }.map(\.name) == ["finished"])
        let ofSecond = events.filter { $0.operationID == second.id.rawValue }
        #expect(ofSecond.map { $0.json["completed_units"]?.number } == [10])
    }

    @Test func aSilentStreamGetsAHeartbeat() async throws {
        let stream = try await open()
        _ = await stream.events()
        await fixture.clock.waitForSleepers()
        await fixture.clock.advance(by: .seconds(15))
        let events = await stream.events()
        #expect(events.count == 1)
        #expect(events.first?.comment == "heartbeat")
    }

    @Test func aStreamOfOneOperationEndsWithIt() async throws {
        let handle = try startOperation()
        let other = try startOperation("other")
        let stream = try await open("/\(handle.id)/stream")
        let first = await stream.events()
        #expect(first.last?.name == "updated")
        #expect(first.last?.operationID == handle.id.rawValue)
        try await fixture.tracker.report(other.id, .paused)
        try await fixture.tracker.complete(handle.id)
        let last = await nextEvents(of: stream)
        #expect(last.map(\.name) == ["finished"])
        #expect(last.first?.operationID == handle.id.rawValue)
        #expect(await stream.next() == nil)
        #expect(fixture.api.hub.clientCount == 0)
    }

    @Test func whoeverWasToldOfTheEndNeedNotComeBack() async throws {
        let handle = try startOperation()
        try await fixture.tracker.complete(handle.id)
        let stream = try await open("/\(handle.id)/stream")
        let events = await stream.events()
        #expect(events.last?.name == "finished")
        #expect(stream.isOver)
        let id = try #require(events.last?.id)
        let path = root + "/\(handle.id)/stream"
        #expect(await fixture.ask("GET", path, headers: [APIHeader("Last-Event-ID", id)]).status == 204)
        #expect(await fixture.ask("GET", path, headers: [APIHeader("Last-Event-ID", "other-5")]).status == 200)
    }

    @Test func anEndingThatWasNotToldYetIsToldToWhoeverComesBackAtOnce() async throws {
        let handle = try startOperation()
        let stream = try await open("/\(handle.id)/stream")
        let known = try #require(await stream.events().last?.id)
        stream.cancel()
        // The event of the ending is still being gathered.
        try await fixture.tracker.complete(handle.id)
        let again = try await open("/\(handle.id)/stream", after: known)
        var events = await again.events()
        while events.last?.name != "finished" { events = await nextEvents(of: again) }
        #expect(events.last?.operationID == handle.id.rawValue)
    }

    @Test func aSlowClientGetsEveryEndingHoweverManyThereAre() async throws {
        let stream = try await open()
        _ = await stream.events()
        let watcher = try await open()
        _ = watcher.waitingEvents()
        let text = String(repeating: "long ", count: 190)
        let count = 2000
        var ids: [String] = []
        for number in 0..<count {
            let handle = try startOperation(text)
            handle.setMessage(text)
            try await fixture.tracker.complete(handle.id)
            ids.append(handle.id.rawValue)
            if number % 100 == 99 { _ = await nextEvents(of: watcher) }
        }
        var found: Set<String> = []
        var snapshot: ServerEvent?
        while snapshot == nil {
            await nextFlush()
            let events = await stream.events()
            for event in events where event.name == "finished" { found.insert(event.operationID ?? "") }
            snapshot = events.last { $0.name == "snapshot" }
        }
        #expect(found == Set(ids))
        #expect(snapshot?.json["gap"]?.truth == false)
    }

    @Test func aSlowClientOfOneOperationIsToldOfItsEndThoughTheLogHasForgottenIt() async throws {
        let handle = try startOperation("watched")
        let stream = try await open("/\(handle.id)/stream")
        _ = await stream.events()
        let watcher = try await open()
        _ = watcher.waitingEvents()
        try await fixture.tracker.complete(handle.id)
        let text = String(repeating: "long ", count: 190)
        for number in 0..<2000 {
            let other = try startOperation(text)
            other.setMessage(text)
            try await fixture.tracker.complete(other.id)
            if number % 100 == 99 { _ = await nextEvents(of: watcher) }
        }
        let events = await stream.events()
        #expect(events.last?.name == "finished")
        #expect(events.last?.operationID == handle.id.rawValue)
        #expect(await stream.next() == nil)
    }

    @Test func closingTheTrackerEndsStreamsAfterTheLastEnding() async throws {
        let stream = try await open()
        _ = await stream.events()
        let handle = try startOperation()
        _ = await stream.events()
        let closing = Task { [tracker = fixture.tracker] in await tracker.close() }
        var events: [ServerEvent] = []
        while !events.contains(where: { $0.name == "finished" }) {
            await fixture.clock.advance(by: .milliseconds(250))
            events += stream.waitingEvents()
        }
        #expect(events.last?.operationID == handle.id.rawValue)
        #expect(events.last?.json["error_code"]?.text == "interrupted")
        while await stream.next() != nil {}
        await closing.value
        #expect(await fixture.ask("GET", root + "/stream").status == 503)
    }

    @Test func onlySoManyStreamsMayBeOpen() async throws {
        let fixture = APIFixture { $0.maximumStreams = 1 }
        let first = await fixture.ask("GET", root + "/stream")
        let second = await fixture.ask("GET", root + "/stream")
        #expect(second.status == 429)
        first.stream?.cancel()
        #expect(await fixture.ask("GET", root + "/stream").status == 200)
    }

    @Test func aStreamThatIsLetGoOfIsClosed() async throws {
        var stream: APIStream? = try await open()
        #expect(fixture.api.hub.clientCount == 1)
        _ = stream?.waitingEvents()
        stream = nil
        #expect(fixture.api.hub.clientCount == 0)
    }

    @Test func cancellingTheTaskThatWaitsEndsTheWait() async throws {
        let stream = try await open()
        _ = await stream.events()
        let waiting = Task { await stream.next() }
        await briefPause()
        waiting.cancel()
        #expect(await waiting.value == nil)
    }
}
