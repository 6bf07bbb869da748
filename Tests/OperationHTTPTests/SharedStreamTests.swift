import OperationTracking
import OperationTrackingTesting
import Testing

@testable import OperationHTTP

/// Streams of what another process runs on the same history.
@Suite struct SharedStreamTests {
    let fixture = RunnerFixture()
    let root = APIFixture.root

    /// As another process would write it.
    private func write(
        _ status: OperationStatus,
        percent: Double,
        result: String? = nil,
        at milliseconds: Int64 = 0
    ) async throws -> OperationID {
        let id = try #require(OperationID(rawValue: "op_elsewhere"))
        var operation = BackgroundOperation(
            id: id,
            type: .pullModel,
            description: "Pull m",
            status: status,
            createdAt: .init(milliseconds: 1_767_225_600_000)
        )
        operation.updatedAt = .init(milliseconds: 1_767_225_600_000 + milliseconds)
        operation.progress.percent = percent
        operation.progress.unit = .bytes
        operation.phase = "downloading"
        var record = OperationRecord(operation: operation)
        record.uniqueKey = #"pull_model {"model":"m"}"#
        record.result = result.map { Array($0.utf8) }
        _ = await fixture.base.history.commit(record)
        return id
    }

    @Test func itIsFollowedToItsEnd() async throws {
        let id = try await write(.inProgress, percent: 10)
        let stream = try #require(await fixture.ask("GET", root + "/\(id)/stream").stream)
        #expect(await stream.events().last?.json["progress"]?.number == 10)
        #expect(fixture.base.api.hub.clientCount == 1)
        _ = try await write(.inProgress, percent: 20)
        await fixture.base.clock.waitForSleepers()
        await fixture.base.clock.advance(by: .seconds(1))
        #expect(await stream.events().last?.json["progress"]?.number == 20)
        _ = try await write(.completed, percent: 100)
        await fixture.base.clock.waitForSleepers()
        await fixture.base.clock.advance(by: .seconds(1))
        #expect(await stream.events().last?.name == "finished")
        #expect(await stream.next() == nil)
        #expect(fixture.base.api.hub.clientCount == 0)
    }

    @Test func whoeverComesBackAfterTheEndIsToldOfIt() async throws {
        // So that there is a log, in which nothing is about it.
        _ = await fixture.ask("GET", root + "/stream")
        let id = try await write(.inProgress, percent: 10)
        let stream = try #require(await fixture.ask("GET", root + "/\(id)/stream").stream)
        let first = await stream.events()
        #expect(first.first?.retry == "2000")
        let known = try #require(first.last?.id)
        stream.cancel()
        _ = try await write(.completed, percent: 100, at: 5000)
        let again = await fixture.base.ask("GET", root + "/\(id)/stream", headers: [APIHeader("Last-Event-ID", known)])
        #expect(again.status == 200)
        let end = try #require(await again.stream?.events().last)
        #expect(end.name == "finished")
        let last = try #require(end.id)
        #expect(last != known)
        let over = await fixture.base.ask("GET", root + "/\(id)/stream", headers: [APIHeader("Last-Event-ID", last)])
        #expect(over.status == 204)
    }

    @Test func eachStateHasAnIDOfItsOwn() async throws {
        let id = try await write(.inProgress, percent: 10)
        let stream = try #require(await fixture.ask("GET", root + "/\(id)/stream").stream)
        let first = await stream.events().last?.id
        _ = try await write(.inProgress, percent: 20, at: 1000)
        await fixture.base.clock.waitForSleepers()
        await fixture.base.clock.advance(by: .seconds(1))
        let second = await stream.events().last?.id
        #expect(first != nil && second != nil && first != second)
    }

    @Test func closingTheTrackerEndsIt() async throws {
        let id = try await write(.inProgress, percent: 10)
        let stream = try #require(await fixture.ask("GET", root + "/\(id)/stream").stream)
        _ = await stream.events()
        await fixture.base.clock.waitForSleepers()
        let closing = Task { [tracker = fixture.tracker] in await tracker.close() }
        while !stream.isOver { await fixture.base.clock.advance(by: .seconds(1)) }
        await closing.value
        #expect(fixture.base.api.hub.clientCount == 0)
    }

    @Test func aSilentOneGetsAHeartbeat() async throws {
        let id = try await write(.inProgress, percent: 10)
        let stream = try #require(await fixture.ask("GET", root + "/\(id)/stream").stream)
        _ = await stream.events()
        for _ in 0..<15 {
            await fixture.base.clock.waitForSleepers()
            fixture.base.clock.advanceToNextSleeper()
        }
        #expect(await stream.events().first?.comment == "heartbeat")
    }

    @Test func aPullThatAnotherProcessRunsIsJoined() async throws {
        let id = try await write(.inProgress, percent: 10)
        let answer = await fixture.ask("POST", "/api/self-heal/ollama/pull", json: #"{"model": "m"}"#)
        let stream = try #require(answer.stream)
        let first = try #require(await stream.events().first?.json)
        #expect(first["status"]?.text == "pulling")
        #expect(first["progress"]?.number == 10)
        #expect(fixture.tracker.activeOperations.isEmpty)
        _ = try await write(.completed, percent: 100, result: #"{"added":["x"]}"#)
        await fixture.base.clock.waitForSleepers()
        await fixture.base.clock.advance(by: .seconds(1))
        let last = try #require(await stream.events().last?.json)
        #expect(last["status"]?.text == "complete")
        #expect(last["added_count"]?.number == 1)
        #expect(await fixture.ask("POST", root + "/\(id)/pause").status == 409)
    }

    @Test func leavingEndsTheWatch() async throws {
        let id = try await write(.inProgress, percent: 10)
        let answer = await fixture.ask("GET", root + "/\(id)/stream")
        await fixture.base.clock.waitForSleepers()
        answer.stream?.cancel()
        #expect(fixture.base.api.hub.clientCount == 0)
        while fixture.base.clock.sleeperCount > 0 { await briefPause() }
    }
}
