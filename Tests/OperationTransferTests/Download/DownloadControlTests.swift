import OperationTracking
import OperationTrackingTesting
import TestSockets
import TestSupport
import Testing

@testable import OperationTransfer

/// Pausing, cancelling and slowing downloads down.
@Suite(.timeLimit(.minutes(Patience.minutes))) struct DownloadControlTests {
    /// Sends the first 100,000 bytes of a range or of the whole, and the rest when it is told to.
    private func hesitating(_ file: ServedFile, until mayGoOn: TestValue<Void>) throws -> TestServer {
        try TestServer { connection in
            while true {
                let request = try connection.readRequest()
                guard request.header("Range") == nil else {
                    try file.answer(request, on: connection)
                    continue
                }
                try connection.write("HTTP/1.1 200 OK\r\n\(file.fields)Content-Length: \(file.bytes.count)\r\n\r\n")
                try connection.write(Array(file.bytes.prefix(100_000)))
                mayGoOn.waitBlocking()
                try connection.write(Array(file.bytes.dropFirst(100_000)))
            }
        }
    }

    @Test func aPausedDownloadGoesOnWhereItWas() async throws {
        let fixture = DownloadFixture()
        let file = ServedFile(count: 500_000)
        let mayGoOn = TestValue<Void>()
        defer { mayGoOn.set() }
        let server = try hesitating(file, until: mayGoOn)
        let running = try await fixture.begin(.init(url: server.url("/x")))
        try await fixture.wait(for: running.id) { $0.progress.completedUnits == 100_000 }
        try await fixture.tracker.pause(running.id)
        try await fixture.wait(for: running.id) { $0.status == .paused }
        #expect(fixture.names == ["x.part", "x.part.json"])
        try await fixture.tracker.resume(running.id)
        #expect(try await running.output.bytes == 500_000)
        #expect(fixture.names == ["x"])
        #expect(fixture.bytes("x") == file.bytes)
        let operation = try #require(fixture.tracker.operation(running.id))
        #expect(operation.progress.rewoundUnits == 0)
    }

    @Test func aCancelledDownloadKeepsItsPartForTheNext() async throws {
        let fixture = DownloadFixture()
        let file = ServedFile(count: 500_000)
        let mayGoOn = TestValue<Void>()
        defer { mayGoOn.set() }
        let server = try hesitating(file, until: mayGoOn)
        let running = try await fixture.begin(.init(url: server.url("/x")))
        try await fixture.wait(for: running.id) { $0.progress.completedUnits == 100_000 }
        try await fixture.tracker.cancel(running.id)
        await #expect(throws: CancellationError.self) { try await running.output }
        #expect(fixture.tracker.operation(running.id)?.status == .cancelled)
        #expect(fixture.names == ["x.part", "x.part.json"])
        let next = try await fixture.download(.init(url: server.url("/x")))
        #expect(next.status == .completed)
        #expect(next.progress.presentUnits == 100_000)
        #expect(fixture.bytes("x") == file.bytes)
    }

    @Test func aDownloadTakesTheTimeThatItsLimitAsksFor() async throws {
        let clock = ManualClock()
        let fixture = DownloadFixture(clock: clock)
        let server = try FileServer(ServedFile(count: 1_000_000))
        let start = clock.monotonicNanoseconds
        let running = try await fixture.begin(.init(url: server.url("/x"), limit: 100_000))
        while fixture.tracker.operation(running.id)?.status.isActive == true {
            await clock.advance(by: .milliseconds(50))
        }
        #expect(try await running.output.bytes == 1_000_000)
        #expect(clock.monotonicNanoseconds - start >= 9_800_000_000)
    }

    @Test func aLowLimitIsKeptInSmallPieces() async throws {
        let clock = ManualClock()
        let fixture = DownloadFixture(clock: clock)
        let server = try FileServer(ServedFile(count: 200_000))
        let running = try await fixture.begin(.init(url: server.url("/x"), limit: 16_000))
        var first: Int64 = 0
        while first == 0 {
            clock.advanceToNextSleeper()
            await briefPause()
            first = try #require(fixture.tracker.operation(running.id)).progress.completedUnits
        }
        // A sixteenth of a second's worth at a time, and not all that has arrived.
        #expect(first <= 3000)
        try await fixture.tracker.cancel(running.id)
    }

    @Test func aLimitMayBeTakenAwayWhileItRuns() async throws {
        // On this clock no time passes at all, so it ends only if the limit is gone.
        let clock = ManualClock()
        let fixture = DownloadFixture(clock: clock)
        let server = try FileServer(ServedFile(count: 1_000_000))
        let running = try await fixture.begin(.init(url: server.url("/x"), limit: 1))
        try await fixture.wait(for: running.id) { $0.phase == "downloading" }
        #expect(fixture.tracker.bandwidthLimit(of: running.id) == 1)
        try fixture.tracker.setBandwidthLimit(nil, of: running.id)
        #expect(try await running.output.bytes == 1_000_000)
    }

    @Test func aLimitIsNoStall() async throws {
        let clock = ManualClock()
        let fixture = DownloadFixture(clock: clock)
        let server = try FileServer(ServedFile(count: 1_000_000))
        var provider = fixture.provider()
        provider.stallLimit = LowSpeedLimit(bytesPerSecond: 100_000, for: .seconds(2))
        let running = try await fixture.begin(.init(url: server.url("/x"), limit: 1), with: provider)
        try await fixture.wait(for: running.id) { $0.phase == "downloading" }
        // More than a period of the stall limit, which is kept in real time; it is long enough for a busy machine to be
        // answered in.
        let start = ContinuousClock.now
        while ContinuousClock.now - start < .seconds(3) { await briefPause() }
        #expect(fixture.tracker.operation(running.id)?.status == .inProgress)
        try fixture.tracker.setBandwidthLimit(nil, of: running.id)
        #expect(try await running.output.bytes == 1_000_000)
    }

    @Test func aLimitHoldsTheSenderBack() async throws {
        let clock = ManualClock()
        let fixture = DownloadFixture(clock: clock)
        let sent = TestValue<Int>()
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n")
            sent.set(connection.writeUntilBlocked(limit: 200_000_000))
        }
        let running = try await fixture.begin(.init(url: server.url("/x"), limit: 1000))
        // What the system's buffers hold.
        #expect(await sent.value() < 24_000_000)
        try await fixture.tracker.cancel(running.id)
    }

    @Test func aLimitThatIsNoneIsRefused() async throws {
        let fixture = DownloadFixture()
        let error = await #expect(throws: OperationError.self) {
            try await fixture.begin(.init(url: "http://127.0.0.1:1/x", limit: 0))
        }
        #expect(error?.message.contains("limit is 1 to 2^50 bytes a second") == true)
    }
}
