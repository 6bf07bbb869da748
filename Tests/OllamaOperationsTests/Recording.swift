import Foundation
import OperationTracking
import OperationTrackingTesting
import OperationTransfer
import Synchronization
import Testing

/// One stream recorded from a real Ollama server.
struct Recording: Sendable {
    struct Head: Decodable, Sendable {
        var http_status: Int?
        var stream_end_t: Double
        var client_stopped_at: Double?
        var curl_exit: Int
    }

    struct Line: Decodable, Sendable {
        var t: Double
        var line: String
    }

    let name: String
    let head: Head
    let lines: [Line]

    init(_ name: String) throws {
        let file = try #require(
            Bundle.module.url(forResource: name, withExtension: "ndjson", subdirectory: "Fixtures/pulls")
        )
        let rows = try Data(contentsOf: file).split(separator: UInt8(ascii: "\n"))
        let decoder = JSONDecoder()
        self.name = name
        head = try decoder.decode(Head.self, from: rows[0])
        lines = try rows.dropFirst().map { try decoder.decode(Line.self, from: $0) }
    }
}

/// What a recording must come to. The table was computed from the recordings by another program than the one under test.
struct Expectation: Sendable, CustomTestStringConvertible {
    let recording: String
    let end: String
    let code: String
    let phases: [String]
    let bytes: Int64
    let total: Int64?
    let rewound: Int64
    let present: Int64
    let layers: Int
    let says: String

    var testDescription: String { recording }

    static let all: [Expectation] = {
        guard let file = Bundle.module.url(forResource: "expected", withExtension: "csv", subdirectory: "Fixtures"),
            let text = try? String(contentsOf: file, encoding: .utf8)
        else { return [] }
        return text.split(whereSeparator: \.isNewline).dropFirst().map { line in
            let fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            return Expectation(
                recording: fields[0],
                end: fields[1],
                code: fields[2],
                phases: fields[3].split(separator: ">").map(String.init),
                bytes: Int64(fields[4]) ?? -1,
                total: Int64(fields[5]),
                rewound: Int64(fields[6]) ?? -1,
                present: Int64(fields[7]) ?? -1,
                layers: Int(fields[8]) ?? -1,
                says: fields[9].trimmingCharacters(in: ["\""])
            )
        }
    }()
}

/// Answers every request with a recording: at its own pace on a clock, or as fast as it is read.
final class ReplayTransport: HTTPTransport {
    private let recording: Recording
    private let clock: (any TrackingClock)?
    private let end = AsyncStream.makeStream(of: Void.self)

    init(recording: Recording, clock: (any TrackingClock)?) {
        self.recording = recording
        self.clock = clock
    }

    /// Waits until everything recorded has been read.
    func reachedItsEnd() async {
        for await _ in end.stream { return }
    }

    func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        if recording.head.curl_exit == 7 {
            throw TransferError(.connectionRefused, "Nothing listens at the address.")
        }
        guard let status = recording.head.http_status else {
            try await stayUntilTheClientGoes(since: clock?.monotonicNanoseconds ?? 0)
        }
        return HTTPResponse(status: status, headers: [:], body: HTTPBody(chunks))
    }

    private var chunks: AsyncThrowingStream<[UInt8], any Error> {
        let next = Mutex(0)
        let start = clock?.monotonicNanoseconds ?? 0
        return AsyncThrowingStream { [self] in
            let index = next.withLock { next in
                defer { next += 1 }
                return next
            }
            guard index < recording.lines.count else { return try await finish(start) }
            let line = recording.lines[index]
            try await wait(until: line.t, since: start)
            return Array((line.line + "\n").utf8)
        }
    }

    private func finish(_ start: Int64) async throws -> [UInt8]? {
        if recording.head.client_stopped_at != nil { try await stayUntilTheClientGoes(since: start) }
        try await wait(until: recording.head.stream_end_t, since: start)
        if recording.head.curl_exit == 18 { throw TransferError(.connectionLost, "The connection was cut.") }
        return nil
    }

    private func wait(until seconds: Double, since start: Int64) async throws {
        guard let clock else { return }
        let left = start + Int64(seconds * 1e9) - clock.monotonicNanoseconds
        if left > 0 { try await clock.sleep(for: .nanoseconds(left)) }
    }

    private func stayUntilTheClientGoes(since start: Int64) async throws -> Never {
        try await wait(until: recording.head.client_stopped_at ?? 0, since: start)
        end.continuation.yield()
        try await ManualClock().sleep(for: .seconds(1))
        throw CancellationError()
    }
}
