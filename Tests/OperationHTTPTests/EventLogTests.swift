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

    /// All there is for a reader without reading anything again.
    private func pieces(_ log: inout EventLog, since position: UInt64) -> [[UInt8]] {
        var reader = EventLog.Reader(position: position)
        return pieces(&log, for: &reader)
    }

    private func pieces(_ log: inout EventLog, for reader: inout EventLog.Reader) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        while case .piece(let bytes) = log.news(for: &reader) { pieces.append(bytes) }
        return pieces
    }

    private func names(_ bytes: [UInt8]) -> [String] {
        bytes.isEmpty ? [] : ServerEvent.all(in: bytes).compactMap(\.name)
    }

    @Test func aReaderOneBatchBehindSharesTheBatch() async throws {
        var log = EventLog(EventText(run: "r"), active: [], sequence: 0)
        for batch in try await events(2) { log.append(batch) }
        #expect(names(pieces(&log, since: 3).first ?? []) == ["finished"])
        #expect(pieces(&log, since: 4).isEmpty)
    }

    @Test func aReaderFurtherBehindGetsTheNewestOfEach() async throws {
        var log = EventLog(EventText(run: "r"), active: [], sequence: 0)
        for batch in try await events(3) { log.append(batch) }
        let news = ServerEvent.all(in: Array(pieces(&log, since: 0).joined()))
        #expect(news.map(\.name) == ["finished", "finished", "finished"])
        #expect(news.map(\.id) == ["r-2", "r-4", "r-6"])
    }

    @Test func aReaderThatTheLogDoesNotReachGetsEveryEndingAndASnapshot() async throws {
        var log = EventLog(EventText(run: "r"), active: [], sequence: 0, batchLimit: 2)
        for batch in try await events(10) { log.append(batch) }
        let news = ServerEvent.all(in: Array(pieces(&log, since: 5).joined()))
        #expect(news.filter { $0.name == "finished" }.count == 8)
        #expect(news.last?.name == "snapshot")
        #expect(news.last?.json["gap"]?.truth == false)
        #expect(news.last?.id == "r-20")
    }

    @Test func endingsThatAreNotKeptAsTextAreStillKnown() async throws {
        var log = EventLog(EventText(run: "r"), active: [], sequence: 0, byteLimit: 5000, batchLimit: 2)
        for batch in try await events(20) { log.append(batch) }
        var reader = EventLog.Reader(position: 1)
        var found: [UInt64] = []
        while case .endings(let endings) = log.news(for: &reader), found.count < 20 { found += endings.map(\.sequence) }
        var again = EventLog.Reader(position: found.last ?? 0)
        again.isCatchingUp = true
        let news = ServerEvent.all(in: Array(pieces(&log, for: &again).joined()))
        #expect(news.last?.json["gap"]?.truth == false)
        let kept = news.filter { $0.name == "finished" }.compactMap { $0.id?.split(separator: "-").last }
        #expect(found.map { "\($0)" } + kept.map { "\($0)" } == (1...20).map { "\($0 * 2)" })
    }

    @Test func aReaderThatMayHaveMissedEndingsIsTold() async throws {
        var log = EventLog(
            EventText(run: "r"),
            active: [],
            sequence: 0,
            byteLimit: 5000,
            batchLimit: 2,
            endingLimit: 4
        )
        for batch in try await events(40) { log.append(batch) }
        var reader = EventLog.Reader(position: 1)
        guard case .endings(let endings) = log.news(for: &reader) else {
            Issue.record("there are endings to be read again")
            return
        }
        #expect(endings.count <= 4)
        let news = ServerEvent.all(in: Array(pieces(&log, for: &reader).joined()))
        #expect(news.last?.name == "snapshot")
        #expect(news.last?.json["gap"]?.truth == true)
    }

    @Test func aReaderFarBehindIsGivenALittleAtATime() async throws {
        var log = EventLog(EventText(run: "r"), active: [], sequence: 0, batchLimit: 1000)
        for batch in try await events(200) { log.append(batch) }
        let pieces = pieces(&log, since: 0)
        #expect(pieces.count > 1)
        #expect(pieces.allSatisfy { $0.count < 70_000 })
        let news = pieces.flatMap { ServerEvent.all(in: $0) }
        #expect(news.map(\.id) == (1...200).map { "r-\($0 * 2)" })
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

    @Test func aSnapshotSaysHowTheHistoryIsKept() {
        let standing = EventLog.Standing(health: .degraded(reason: "The disk is full."))
        var log = EventLog(EventText(run: "r"), active: [], sequence: 0, standing: standing)
        let health = ServerEvent.all(in: log.snapshot(gap: false)).last?.json["history_health"]
        #expect(health?["status"]?.text == "degraded")
        #expect(health?["reason"]?.text == "The disk is full.")
    }

    @Test func theLogIsBounded() async throws {
        var log = EventLog(EventText(run: "r"), active: [], sequence: 0, byteLimit: 10_000, batchLimit: 8)
        for batch in try await events(200) { log.append(batch) }
        var reader = EventLog.Reader(position: 0)
        var byteCount = 0
        var endingCount = 0
        reading: while true {
            switch log.news(for: &reader) {
            case .none: break reading
            case .piece(let bytes): byteCount += bytes.count
            case .endings(let endings): endingCount += endings.count
            }
        }
        #expect(byteCount > 0 && byteCount < 25_000)
        #expect(endingCount > 0 && endingCount < 200)
        #expect(log.active.isEmpty)
    }

    @Test func theEndOfOneOperationIsFoundAfterItsBatchHasGone() async throws {
        var log = EventLog(EventText(run: "r"), active: [], sequence: 0, batchLimit: 2)
        let batches = try await events(10)
        for batch in batches { log.append(batch) }
        let id = try #require(batches[0].first?.operation?.id)
        guard case .event(let operation, _) = log.news(of: id, since: 1) else {
            Issue.record("the ending is kept")
            return
        }
        #expect(operation.status == .completed)
        #expect(log.hasTold(2, endOf: id))
        #expect(!log.hasTold(1, endOf: id))
        if case .none = log.news(of: id, since: 20) {} else { Issue.record("there is nothing after the last event") }
    }

    @Test func anEndingThatTheLogNeverHadIsNotSaidToBeTold() throws {
        let log = EventLog(EventText(run: "r"), active: [], sequence: 7)
        let id = try #require(OperationID(rawValue: "op_elsewhere"))
        #expect(!log.hasTold(7, endOf: id))
    }
}
