import Foundation
import OperationTracking
import TestSockets
import TestSupport
import Testing

@testable import OperationTransfer

/// Downloads over real sockets: what arrives, and what is left when it doesn't.
@Suite(.timeLimit(.minutes(Patience.minutes))) struct DownloadTests {
    private let fixture = DownloadFixture()
    private let file = ServedFile(count: 500_000)
    private let quickly = RetryPolicy(baseDelay: .milliseconds(1))

    private func cut(_ file: ServedFile, at place: Int) -> ServedFile {
        var file = file
        file.cut = place
        return file
    }

    @Test func aFileArrivesAndNothingElseIsLeft() async throws {
        let server = try FileServer(file)
        let running = try await fixture.begin(.init(url: server.url()))
        let output = try await running.output
        #expect(output == .init(path: fixture.path("file.bin"), bytes: 500_000, sha256: nil))
        #expect(fixture.names == ["file.bin"])
        #expect(fixture.bytes("file.bin") == file.bytes)
        let operation = try #require(fixture.tracker.operation(running.id))
        #expect(operation.status == .completed)
        #expect(operation.type == .download)
        #expect(operation.progress.totalUnits == 500_000)
        #expect(operation.progress.presentUnits == 0)
        #expect(operation.description == "Download file.bin from 127.0.0.1")
        #expect(server.requests.first?.header("Accept-Encoding") == "identity")
    }

    @Test func anEmptyFileArrives() async throws {
        let server = try FileServer(ServedFile([]))
        #expect(try await fixture.download(.init(url: server.url(), size: 0)).status == .completed)
        #expect(fixture.bytes("file.bin") == [])
        #expect(fixture.names == ["file.bin"])
    }

    @Test func aFileOfUnknownLengthArrives() async throws {
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<3 { try connection.writeChunk([UInt8](repeating: 7, count: 1000)) }
            try connection.writeChunk([])
        }
        let operation = try await fixture.download(.init(url: server.url("/x"), target: "x"))
        #expect(operation.status == .completed)
        #expect(operation.progress.totalUnits == 3000)
        #expect(fixture.bytes("x")?.count == 3000)
    }

    @Test func aCompressedAnswerIsKeptAsItCame() async throws {
        let server = try FileServer(
            {
                var file = ServedFile([0x1F, 0x8B, 8, 0, 1, 2, 3])
                file.fields = "Content-Encoding: gzip\r\n"
                return file
            }()
        )
        #expect(try await fixture.download(.init(url: server.url())).status == .completed)
        #expect(fixture.bytes("file.bin") == [0x1F, 0x8B, 8, 0, 1, 2, 3])
    }

    @Test func aCutDownloadGoesOnWhereItWas() async throws {
        let server = try FileServer(cut(file, at: 200_000), file)
        let operation = try await fixture.download(.init(url: server.url()), retry: quickly)
        #expect(operation.status == .completed)
        #expect(operation.attempt == 2)
        #expect(operation.progress.rewoundUnits == 0)
        #expect(operation.progress.presentUnits == 0)
        #expect(fixture.bytes("file.bin") == file.bytes)
        #expect(server.requests.map { $0.header("Range") } == [nil, "bytes=200000-"])
        #expect(server.requests.last?.header("If-Range") == "\"v1\"")
    }

    @Test func anotherOperationGoesOnWhereOneFailed() async throws {
        let server = try FileServer(cut(file, at: 200_000), file)
        let failed = try await fixture.download(.init(url: server.url()))
        #expect(failed.failure?.code == .connectionLost)
        #expect(fixture.names == ["file.bin.part", "file.bin.part.json"])
        let operation = try await fixture.download(.init(url: server.url()))
        #expect(operation.status == .completed)
        #expect(operation.progress.presentUnits == 200_000)
        #expect(fixture.names == ["file.bin"])
        #expect(fixture.bytes("file.bin") == file.bytes)
    }

    @Test func aFileThatHasChangedIsBegunAgain() async throws {
        var changed = ServedFile(count: 400_000, seed: 5)
        changed.fields = "ETag: \"v2\"\r\n"
        let server = try FileServer(cut(file, at: 200_000), changed)
        let operation = try await fixture.download(.init(url: server.url()), retry: quickly)
        #expect(operation.status == .completed)
        #expect(operation.progress.rewoundUnits == 200_000)
        #expect(operation.progress.totalUnits == 400_000)
        #expect(fixture.bytes("file.bin") == changed.bytes)
    }

    @Test func aServerWithoutRangesIsAskedForTheWhole() async throws {
        var plain = file
        plain.hasRanges = false
        let server = try FileServer(cut(plain, at: 200_000), plain)
        #expect(try await fixture.download(.init(url: server.url()), retry: quickly).status == .completed)
        #expect(fixture.bytes("file.bin") == file.bytes)
        #expect(server.requests.count == 2)
    }

    @Test(arguments: ["", "ETag: W/\"v1\"\r\n", "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n"])
    func aVersionThatCannotBeToldIsNotGoneOnWith(fields: String) async throws {
        var unsure = file
        unsure.fields = fields
        let server = try FileServer(cut(unsure, at: 200_000), unsure)
        #expect(try await fixture.download(.init(url: server.url()), retry: quickly).status == .completed)
        #expect(server.requests.last?.header("Range") == nil)
        #expect(fixture.bytes("file.bin") == file.bytes)
    }

    @Test func theTimeOfTheLastChangeWillDo() async throws {
        var dated = file
        dated.fields =
            "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nDate: Thu, 01 Jan 2026 00:00:01 GMT\r\n"
        let server = try FileServer(cut(dated, at: 200_000), dated)
        #expect(try await fixture.download(.init(url: server.url()), retry: quickly).status == .completed)
        #expect(server.requests.last?.header("Range") == "bytes=200000-")
        #expect(server.requests.last?.header("If-Range") == "Thu, 01 Jan 2026 00:00:00 GMT")
    }

    @Test func aPartOfAnotherURLIsNotGoneOnWith() async throws {
        let other = ServedFile(count: 300_000, seed: 9)
        let server = try FileServer(cut(file, at: 200_000), other)
        _ = try await fixture.download(.init(url: server.url(), target: "x"))
        #expect(try await fixture.download(.init(url: server.url("/other"), target: "x")).status == .completed)
        #expect(server.requests.last?.header("Range") == nil)
        #expect(fixture.bytes("x") == other.bytes)
    }

    @Test func rangesThatComeInPiecesArePutTogether() async throws {
        var pieces = file
        pieces.longestRange = 90_000
        let server = try FileServer(cut(file, at: 200_000), pieces)
        #expect(try await fixture.download(.init(url: server.url()), retry: quickly).status == .completed)
        #expect(fixture.bytes("file.bin") == file.bytes)
        #expect(server.requests.count == 5)
    }

    /// The answer to a range: anything but what was asked for.
    @Test(arguments: [
        "Content-Range: bytes 100-499999/500000\r\n", "Content-Range: bytes 200000-499999/600000\r\n",
        "Content-Range: nonsense\r\n", "", "ETag: \"v2\"\r\nContent-Range: bytes 200000-499999/500000\r\n",
    ])
    func aWrongRangeIsNotPutAfterThePart(fields: String) async throws {
        let file = file
        let server = try TestServer { connection in
            while true {
                let request = try connection.readRequest()
                if request.header("Range") != nil {
                    try connection.write("HTTP/1.1 206 Partial Content\r\n\(fields)Content-Length: 300000\r\n\r\n")
                    try connection.write([UInt8](repeating: 0, count: 300_000))
                } else {
                    try file.answer(request, on: connection)
                }
            }
        }
        try leavePart(of: server.url("/x"), total: 500_000, file.bytes.prefix(200_000))
        #expect(try await fixture.download(.init(url: server.url("/x"))).status == .completed)
        #expect(fixture.bytes("x") == file.bytes)
    }

    /// Leaves what a download leaves that was killed.
    private func leavePart(of url: String, total: Int64?, _ bytes: some Sequence<UInt8>) throws {
        let part = try PartFile(DownloadTarget("x", url: url, directory: fixture.folder, allowsPaths: false))
        try part.begin(PartNote(url: url, headers: ["ETag": "\"v1\""], total: total))
        try part.append(Array(bytes))
    }

    @Test func aPartThatIsCompleteIsTakenWithoutAsking() async throws {
        let server = try FileServer(file)
        try leavePart(of: server.url(), total: 500_000, file.bytes)
        #expect(try await fixture.download(.init(url: server.url(), target: "x")).status == .completed)
        #expect(fixture.bytes("x") == file.bytes)
        #expect(server.requests.isEmpty)
    }

    @Test func theServerMayTellThatAPartOfUnknownLengthIsComplete() async throws {
        let server = try FileServer(file)
        try leavePart(of: server.url(), total: nil, file.bytes)
        let operation = try await fixture.download(.init(url: server.url(), target: "x"))
        #expect(operation.status == .completed)
        #expect(operation.progress.totalUnits == 500_000)
        #expect(fixture.bytes("x") == file.bytes)
        #expect(server.requests.count == 1)
    }
}
