import OperationTrackingTesting
import Testing

@testable import OperationTracking

struct EventBroadcasterTests {
    private let clock = ManualClock()
    private let tracker: OperationTracker

    init() {
        tracker = OperationTracker(clock: clock)
    }

    @Test func aReaderThatKeepsUpSeesEachEventInOrder() async throws {
        var events = tracker.events().makeAsyncIterator()
        let handle = try tracker.start(type: .seed, description: "work", total: 10)
        #expect(await events.next()?.kind == .started)
        handle.update(completed: 5)
        _ = tracker.tick()
        let update = try #require(await events.next())
        #expect(update.kind == .updated)
        #expect(update.operation?.progress.completedUnits == 5)
        try await tracker.complete(handle.id)
        let end = try #require(await events.next())
        #expect(end.kind == .finished(durable: true))
        #expect(end.sequence > update.sequence)
    }

    @Test func aSlowReaderGetsTheNewestStateOfEachOperationAndEveryEnding() async throws {
        let events = tracker.events()
        let handles = try (0..<50).map { try tracker.start(type: .seed, description: "\($0)", total: 1000) }
        for round in 1...100 {
            for handle in handles { handle.update(completed: Int64(round)) }
            _ = tracker.tick()
            await clock.advance(by: .milliseconds(1))
        }
        for handle in handles[..<25] { try await tracker.complete(handle.id) }
        await tracker.close()

        var seen: [OperationID: OperationEvent] = [:]
        var count = 0
        var last: UInt64 = 0
        for await event in events {
            #expect(event.sequence > last)
            last = event.sequence
            count += 1
            if let id = event.operation?.id { seen[id] = event }
        }
        #expect(count == 50)
        #expect(seen.values.allSatisfy { $0.kind == .finished(durable: true) })
        #expect(seen.values.filter { $0.operation?.status == .completed }.count == 25)
    }

    @Test func theUndeliveredStartOfAnOperationStaysAStart() async throws {
        var events = tracker.events().makeAsyncIterator()
        let handle = try tracker.start(type: .seed, description: "work", total: 10)
        handle.update(completed: 3)
        _ = tracker.tick()
        let event = try #require(await events.next())
        #expect(event.kind == .started)
        #expect(event.operation?.progress.completedUnits == 3)
    }

    @Test func whatWaitsForAReaderDoesNotGrowWithUpdates() async throws {
        let queue = EventQueue()
        let operation = try tracker.start(type: .seed, description: "work").operation
        for sequence in 1...100_000 {
            queue.put(OperationEvent(sequence: UInt64(sequence), kind: .updated, operation: operation))
        }
        queue.finish()
        #expect(await queue.next()?.sequence == 100_000)
        #expect(await queue.next() == nil)
    }

    @Test func aCancelledReaderIsLetGo() async throws {
        let events = tracker.events()
        let reader = Task {
            for await _ in events {}
            return true
        }
        reader.cancel()
        #expect(await reader.value)
    }

    @Test func withoutReadersNothingIsMade() throws {
        _ = tracker.events()
        var wasRead = false
        tracker.broadcaster.announce(.updated) {
            wasRead = true
            return BackgroundOperation(
                id: .make(at: 0),
                type: .seed,
                description: "",
                status: .pending,
                createdAt: .init(milliseconds: 0)
            )
        }
        #expect(!wasRead)
    }
}
