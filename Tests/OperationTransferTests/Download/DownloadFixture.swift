import Foundation
import OperationTracking
import OperationTrackingTesting
import OperationTransfer
import Synchronization
import TestSockets
import Testing

/// A folder, a tracker, and downloads into the one that are tracked by the other.
final class DownloadFixture: Sendable {
    let folder = NSTemporaryDirectory() + "/download-tests-" + UUID().uuidString
    let tracker: OperationTracker
    let runner: OperationRunner
    let transport = CurlTransport()

    init(clock: any TrackingClock = .system) {
        tracker = OperationTracker(clock: clock)
        runner = OperationRunner(tracker: tracker)
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    func provider(allowsAnyTarget: Bool = false) -> DownloadProvider {
        DownloadProvider(transport: transport, directory: folder, allowsAnyTarget: allowsAnyTarget)
    }

    func begin(
        _ request: DownloadProvider.Request,
        retry: RetryPolicy = .never,
        with provider: DownloadProvider? = nil
    ) async throws -> SubmittedOperation<DownloadProvider.Output> {
        try await runner.submit(request, to: provider ?? self.provider(), options: .init(retry: retry))
    }

    /// Downloads, and gives the operation as it ended.
    func download(
        _ request: DownloadProvider.Request,
        retry: RetryPolicy = .never,
        with provider: DownloadProvider? = nil
    ) async throws -> BackgroundOperation {
        let running = try await begin(request, retry: retry, with: provider)
        _ = try? await running.output
        return try #require(tracker.operation(running.id))
    }

    /// Waits until the operation is as `isSo` says.
    func wait(for id: OperationID, until isSo: (BackgroundOperation) -> Bool) async throws {
        while let operation = tracker.operation(id), !isSo(operation) {
            try #require(operation.status.isActive, "it ended first: \(operation)")
            await briefPause()
        }
    }

    /// The names of the files there, sorted.
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted() }

    func path(_ name: String) -> String { folder + "/" + name }

    func bytes(_ name: String) -> [UInt8]? { FileManager.default.contents(atPath: path(name)).map(Array.init) }

    func put(_ bytes: [UInt8], as name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
    }
}

/// A file that a test's server gives, as a well-behaved server does unless told otherwise.
struct ServedFile: Sendable {
    var bytes: [UInt8]
    /// The fields that tell its version.
    var fields = "ETag: \"v1\"\r\n"
    /// Where the answer's body is cut off, counted from the file's beginning.
    var cut: Int?
    /// How many bytes a range is answered with at most.
    var longestRange = Int.max
    var hasRanges = true

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// So many bytes, no two thousand of which in a row are alike.
    init(count: Int, seed: Int = 0) {
        bytes = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            let start = (bytes.count + seed) % Self.pattern.count
            bytes += Self.pattern[start...].prefix(count - bytes.count)
        }
    }

    /// Made once: byte by byte, it takes a build for debugging longer than most tests do.
    private static let pattern = (0..<251 * 256).map { UInt8(truncatingIfNeeded: $0 / 251 &+ $0) }

    /// Answers a request.
    func answer(_ request: TestRequest, on connection: TestConnection) throws {
        let asked = request.header("Range").flatMap { Int($0.dropFirst("bytes=".count).dropLast()) }
        let isSame = request.header("If-Range").map { fields.contains(": \($0)\r\n") } ?? true
        if let offset = asked, hasRanges, isSame {
            guard offset < bytes.count else {
                try connection.write(
                    "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */\(bytes.count)\r\nContent-Length: 0\r\n\r\n"
                )
                return
            }
            let end = min(bytes.count, offset + min(longestRange, bytes.count))
            try connection.write(
                "HTTP/1.1 206 Partial Content\r\n\(fields)Content-Range: bytes \(offset)-\(end - 1)/\(bytes.count)\r\nContent-Length: \(end - offset)\r\n\r\n"
            )
            try send(offset..<end, on: connection)
        } else {
            try connection.write("HTTP/1.1 200 OK\r\n\(fields)Content-Length: \(bytes.count)\r\n\r\n")
            try send(0..<bytes.count, on: connection)
        }
    }

    private func send(_ range: Range<Int>, on connection: TestConnection) throws {
        let end = min(range.upperBound, max(range.lowerBound, cut ?? .max))
        try connection.write(Array(bytes[range.lowerBound..<end]))
        if end < range.upperBound {
            connection.close()
            throw SocketCut()
        }
    }

    private struct SocketCut: Error {}
}

/// A server that answers its first request with the first of some files, the second with the second, and so on; the last one serves
/// for all that follow.
final class FileServer: Sendable {
    private let seen: Requests
    private let server: TestServer

    private final class Requests: Sendable {
        let list = Mutex<[TestRequest]>([])
    }

    init(_ files: ServedFile...) throws {
        let seen = Requests()
        self.seen = seen
        server = try TestServer { connection in
            while true {
                let request = try connection.readRequest()
                let number = seen.list.withLock { list in
                    list.append(request)
                    return list.count - 1
                }
                try files[min(number, files.count - 1)].answer(request, on: connection)
            }
        }
    }

    var requests: [TestRequest] { seen.list.withLock { $0 } }

    func url(_ path: String = "/file.bin") -> String { server.url(path) }
}
