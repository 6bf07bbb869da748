import OperationTracking
import OperationTrackingTesting
import Testing

@testable import OperationHTTP

/// The log of events as a plain value.
@Suite struct EventLogTests {
    /// Events of a real tracker, so that they are what they would be.
    private func events(_ count: Int) async throws -> [[OperationEvent]] {
        let tracker = OperationTracker(clock: ManualClock())
        let stream = tracker.events()
        var batches: [[OperationEvent]] = []
        for number in 0..<count {
            let handle = try tracker.start(type: .seed, description: "\(number)")
            batches.append(stream.takeWaiting())
            try await tracker.complete(handle.id)
            batches.append(stream.takeWaiting())
        }
        return batches
    }

    private func names(_ bytes: [UInt8]) -> [String] {
        bytes.isEmpty ? [] : ServerEvent.all(in: bytes).compactMap(\.name)
    }

    @Test func aReaderOneBatchBehindSharesTheBatch() async throws {
        var log = EventLog(EventText(run: "r"), active: [], sequence: 0)
        for batch in try await events(2) { log.append(batch) }
        #expect(names(log.news(since: 3).first ?? []) == ["finished"])
        #expect(log.news(since: 4).isEmpty)
    }

    @Test func aReaderFurtherBehindGetsTheNewestOfEach() async throws {
        var log = EventLog(EventText(run: "r"), active: [], sequence: 0)
        for batch in try await events(3) { log.append(batch) }
        let news = ServerEvent.all(in: Array(log.news(since: 0).joined()))
        #expect(news.map(\.name) == ["finished", "finished", "finished"])
        #expect(news.map(\.id) == ["r-2", "r-4", "r-6"])
    }

    @Test func aReaderThatTheLogDoesNotReachGetsEveryEndingAndASnapshot() async throws {
        var log = EventLog(EventText(run: "r"), active: [], sequence: 0, batchLimit: 2)
        for batch in try await events(10) { log.append(batch) }
        let news = ServerEvent.all(in: Array(log.news(since: 5).joined()))
        #expect(news.filter { $0.name == "finished" }.count == 8)
        #expect(news.last?.name == "snapshot")
        #expect(news.last?.json["gap"]?.truth == false)
        #expect(news.last?.id == "r-20")
    }

    @Test func aReaderThatMayHaveMissedEndingsIsTold() async throws {
        var log = EventLog(EventText(run: "r"), active: [], sequence: 0, byteLimit: 5000, batchLimit: 2)
        for batch in try await events(20) { log.append(batch) }
        let news = ServerEvent.all(in: Array(log.news(since: 1).joined()))
        #expect(news.last?.json["gap"]?.truth == true)
        #expect(news.filter { $0.name == "finished" }.count < 20)
    }

    @Test func readersThatComeAtOnceShareOneSnapshot() async throws {
        var log = EventLog(EventText(run: "r"), active: [], sequence: 0)
        let batches = try await events(1)
        log.append(batches[0])
        let (first, second) = (log.snapshot(gap: false), log.snapshot(gap: false))
        #expect(first.withUnsafeBytes(\.baseAddress) == second.withUnsafeBytes(\.baseAddress))
        log.append(batches[1])
        #expect(ServerEvent.all(in: log.snapshot(gap: false)).last?.json["operations"]?.elements.isEmpty == true)
    }

    @Test func theLogIsBounded() async throws {
        var log = EventLog(EventText(run: "r"), active: [], sequence: 0, byteLimit: 10_000, batchLimit: 8)
        for batch in try await events(200) { log.append(batch) }
        #expect(log.news(since: 0).joined().count < 25_000)
        #expect(log.active.isEmpty)
    }

    @Test func theEndOfOneOperationIsFoundAfterItsBatchHasGone() async throws {
        var log = EventLog(EventText(run: "r"), active: [], sequence: 0, batchLimit: 2)
        let batches = try await events(10)
        for batch in batches { log.append(batch) }
        let id = try #require(batches[0].first?.operation?.id)
        #expect(log.news(of: id, since: 1)?.operation?.status == .completed)
        #expect(log.news(of: id, since: 20) == nil)
        #expect(log.hasTold(2, endOf: id))
        #expect(!log.hasTold(1, endOf: id))
    }
}
