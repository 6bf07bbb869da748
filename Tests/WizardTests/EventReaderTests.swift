import Foundation
import OperationTracking
import OperationTrackingTesting
import OperationTransfer
import Synchronization
import Testing

@testable import Wizard

/// What a server is heard of, and that it isn't.
struct EventReaderTests {
    @Test func aServerThatIsSilentForTooLongIsGivenUp() async throws {
        let clock = ManualClock()
        let heartbeats = Mutex(2)
        let body = HTTPBody(unfolding: {
            let isHeard = heartbeats.withLock { left in
                left -= 1
                return left >= 0
            }
            // Some time after the one before, then never again.
            try await clock.sleep(for: isHeard ? EventReader.silence - .seconds(1) : .seconds(1_000_000))
            return Array(": heartbeat\n\n".utf8)
        })
        let begin = clock.monotonicNanoseconds
        let isDone = Mutex(false)
        let reading = Task {
            defer { isDone.withLock { $0 = true } }
            var reader = EventReader(body, clock: clock)
            return try await reader.next()
        }
        while !isDone.withLock({ $0 }) {
            // The server and who waits for it.
            if clock.sleeperCount > 1 { clock.advanceToNextSleeper() }
            await briefPause()
        }
        await #expect(throws: Overdue.self) { _ = try await reading.value }
        #expect((118...121).contains((clock.monotonicNanoseconds - begin) / 1_000_000_000))
    }

    @Test func aServerThatIsStoppingSaysHowItIs() async throws {
        let folder = TemporaryFolder()
        try folder.recordServer(at: "http://127.0.0.1:1")
        let server = try #require(KnownServer(in: folder.path))
        let text = #"{"status": "stopping", "reason": "it is", "active_operations": 2, "streams": 0}"#
        let health = await ServerClient(server, transport: OneAnswer(status: 503, text: text)).health()
        #expect(health?.status == "stopping" && health?.activeOperations == 2)
        #expect(await ServerClient(server, transport: OneAnswer(status: 404, text: text)).health() == nil)
    }
}

private struct OneAnswer: HTTPTransport {
    let status: Int
    let text: String

    func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let chunks = AsyncThrowingStream<[UInt8], any Error> { stream in
            stream.yield(Array(text.utf8))
            stream.finish()
        }
        return HTTPResponse(status: status, body: HTTPBody(chunks))
    }
}
