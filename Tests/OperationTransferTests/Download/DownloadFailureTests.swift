import Foundation
import OperationTracking
import OperationTrackingTesting
import TestSockets
import TestSupport
import Testing

@testable import OperationTransfer

/// What goes wrong, and what is left on the disk then.
@Suite(.timeLimit(.minutes(Patience.minutes))) struct DownloadFailureTests {
    private let fixture = DownloadFixture()
    private let file = ServedFile(count: 500_000)
    /// By `sha256sum` of coreutils.
    private let digestOfHello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

    private func answering(_ head: String, body: String = "") throws -> TestServer {
        try TestServer { connection in
            while true {
                try connection.readRequest()
                try connection.write("HTTP/1.1 \(head)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            }
        }
    }

    @Test(arguments: [
        ("404 Not Found", "not_found"), ("410 Gone", "not_found"), ("403 Forbidden", "unauthorized"),
        ("500 Oops", "server_error"), ("503 Busy", "server_error"), ("429 Slower", "rate_limited"),
        ("408 Slow", "timeout"), ("418 Teapot", "invalid_request"), ("204 Nothing", "protocol_error"),
        ("206 Part", "protocol_error"), ("304 Same", "protocol_error"), ("416 Range", "invalid_request"),
    ])
    func aStatusIsAFailureThatLeavesNothing(head: String, code: String) async throws {
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 \(head)\r\n\r\n")
        }
        let operation = try await fixture.download(.init(url: server.url("/x")))
        #expect(operation.failure?.code.rawValue == code)
        #expect(fixture.names == [])
    }

    @Test func theServersWaitIsKept() async throws {
        let clock = ManualClock()
        let fixture = DownloadFixture(clock: clock)
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 503 Busy\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n")
            try ServedFile(count: 1000).answer(try connection.readRequest(), on: connection)
        }
        let running = try await fixture.begin(.init(url: server.url("/x")), retry: RetryPolicy(baseDelay: .zero))
        try await fixture.wait(for: running.id) { $0.phase == "waiting to retry" }
        let start = clock.monotonicNanoseconds
        // The ticker and the wait. From when on it is tried again, no time passes: what stalls is given up.
        while fixture.tracker.operation(running.id)?.phase == "waiting to retry" {
            if clock.sleeperCount > 1 { clock.advanceToNextSleeper() }
            await briefPause()
        }
        #expect(try await running.output.bytes == 1000)
        #expect(clock.monotonicNanoseconds - start >= 29_000_000_000)
    }

    @Test func theRightChecksumIsFound() async throws {
        let server = try FileServer(ServedFile(Array("hello".utf8)))
        let running = try await fixture.begin(.init(url: server.url(), sha256: digestOfHello.uppercased()))
        #expect(try await running.output.sha256 == digestOfHello)
    }

    @Test func aWrongChecksumThrowsTheFileAway() async throws {
        let server = try FileServer(file)
        let operation = try await fixture.download(
            .init(url: server.url(), sha256: digestOfHello),
            retry: RetryPolicy(baseDelay: .milliseconds(1))
        )
        #expect(operation.failure?.code == .integrityError)
        #expect(operation.failure?.message.contains(digestOfHello) == true)
        #expect(operation.attempt == 1)
        #expect(fixture.names == [])
    }

    @Test func anAnnouncedSizeThatIsWrongIsRefusedAtOnce() async throws {
        let server = try FileServer(file)
        let operation = try await fixture.download(.init(url: server.url(), size: 400_000))
        #expect(operation.failure?.code == .integrityError)
        #expect(operation.progress.completedUnits == 0)
        #expect(fixture.names == [])
    }

    @Test(arguments: [(5000, "integrity_error"), (2999, "integrity_error"), (3001, "connection_lost")])
    func aSizeThatIsFoundWrongAtTheEndIsAFailure(expected: Int64, code: String) async throws {
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            try connection.writeChunk([UInt8](repeating: 7, count: expected == 5000 ? 5001 : 3000))
            try connection.writeChunk([])
        }
        let operation = try await fixture.download(.init(url: server.url("/x"), size: expected))
        #expect(operation.failure?.code.rawValue == code)
        #expect(!fixture.names.contains("x"))
    }

    @Test func whatIsThereAlreadyIsNotReplacedUnlessAsked() async throws {
        let server = try FileServer(file)
        try fixture.put([1, 2, 3], as: "file.bin")
        let refused = try await fixture.download(.init(url: server.url()))
        #expect(refused.failure?.code == .alreadyExists)
        #expect(server.requests.isEmpty)
        #expect(fixture.bytes("file.bin") == [1, 2, 3])
        #expect(fixture.names == ["file.bin"])
        #expect(try await fixture.download(.init(url: server.url(), overwrite: true)).status == .completed)
        #expect(fixture.bytes("file.bin") == file.bytes)
        #expect(fixture.names == ["file.bin"])
    }

    @Test func aFileToBeReplacedStaysUntilTheNewOneIsComplete() async throws {
        var cutFile = file
        cutFile.cut = 100_000
        let server = try FileServer(cutFile)
        try fixture.put([1, 2, 3], as: "file.bin")
        let operation = try await fixture.download(.init(url: server.url(), overwrite: true))
        #expect(operation.failure?.code == .connectionLost)
        #expect(fixture.bytes("file.bin") == [1, 2, 3])
    }

    @Test func aFileThatAppearsMeanwhileIsNotReplaced() async throws {
        let mayGoOn = TestValue<Void>()
        let isHalf = TestValue<Void>()
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 4\r\n\r\nha")
            isHalf.set()
            mayGoOn.waitBlocking()
            try connection.write("lf")
        }
        let running = try await fixture.begin(.init(url: server.url("/x")))
        await isHalf.value()
        try fixture.put([1], as: "x")
        mayGoOn.set()
        await #expect(throws: OperationFailure.self) { try await running.output }
        #expect(fixture.bytes("x") == [1])
        #expect(fixture.bytes("x.part") == Array("half".utf8))
    }

    @Test func twoDownloadsToOneTargetExcludeEachOther() async throws {
        let mayGoOn = TestValue<Void>()
        let file = file
        let server = try TestServer { connection in
            let request = try connection.readRequest()
            mayGoOn.waitBlocking()
            try file.answer(request, on: connection)
        }
        let first = try await fixture.begin(.init(url: server.url("/a"), target: "x"))
        try await fixture.wait(for: first.id) { $0.phase == "connecting" }
        let second = try await fixture.download(.init(url: server.url("/b"), target: "x"))
        #expect(second.failure?.code == .inUse)
        let same = try await fixture.begin(.init(url: server.url("/a"), target: "x"))
        #expect(same.hasJoined)
        mayGoOn.set()
        #expect(try await first.output.bytes == 500_000)
        #expect(fixture.names == ["x"])
    }

    @Test func aPartThatNobodyHasLeftIsNotTouched() async throws {
        let server = try FileServer(file)
        try fixture.put([1, 2, 3], as: "file.bin.part")
        let operation = try await fixture.download(.init(url: server.url()))
        #expect(operation.failure?.code == .alreadyExists)
        #expect(fixture.bytes("file.bin.part") == [1, 2, 3])
    }

    @Test(arguments: ["", "nonsense", "{\"source\":\"x\"}"])
    func aDamagedNoteMeansBeginningAgain(note: String) async throws {
        let server = try FileServer(file)
        try fixture.put([1, 2, 3], as: "file.bin.part")
        try fixture.put(Array(note.utf8), as: "file.bin.part.json")
        #expect(try await fixture.download(.init(url: server.url())).status == .completed)
        #expect(fixture.bytes("file.bin") == file.bytes)
        #expect(server.requests.first?.header("Range") == nil)
    }

    @Test func aPartThatHasTheTargetsNameAlreadyIsNotWritten() async throws {
        let server = try FileServer(file)
        // As a process leaves it that dies after it has given the file its name, and before it has taken the other away.
        try fixture.put([1, 2, 3], as: "file.bin")
        try FileManager.default.linkItem(atPath: fixture.path("file.bin"), toPath: fixture.path("file.bin.part"))
        try fixture.put([], as: "file.bin.part.json")
        #expect(try await fixture.download(.init(url: server.url())).failure?.code == .alreadyExists)
        #expect(fixture.bytes("file.bin") == [1, 2, 3])
        #expect(try await fixture.download(.init(url: server.url(), overwrite: true)).status == .completed)
        #expect(fixture.bytes("file.bin") == file.bytes)
    }

    @Test func aLinkIsNotFollowed() async throws {
        let server = try FileServer(file)
        let outside = fixture.path("outside")
        try FileManager.default.createSymbolicLink(atPath: fixture.path("x.part"), withDestinationPath: outside)
        #expect(try await fixture.download(.init(url: server.url(), target: "x")).failure?.code == .storageError)
        #expect(!FileManager.default.fileExists(atPath: outside))
    }

    @Test func aFileThatCannotFitIsRefusedBeforeItBegins() async throws {
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(1 << 60)\r\n\r\n")
            _ = connection.waitForPeerClose()
        }
        let operation = try await fixture.download(.init(url: server.url("/x")))
        #expect(operation.failure?.code == .diskFull)
        #expect(fixture.names == [])
    }

    @Test func aFolderThatIsNotThereIsSaid() async throws {
        let server = try FileServer(file)
        let operation = try await fixture.download(
            .init(url: server.url(), target: "no/such/folder/x"),
            with: fixture.provider(allowsAnyTarget: true)
        )
        #expect(operation.failure?.code == .storageError)
        #expect(operation.failure?.message.contains("folder is not there") == true)
    }

    @Test(arguments: [
        "ftp://127.0.0.1/x", "file:///etc/passwd", "nonsense", "http://user:secret@127.0.0.1/x", "http://127.0.0.1/",
        "http://us%01er:secret@127.0.0.1/x", "http://:secret@127.0.0.1/x", "http://a%0A@127.0.0.1/x",
        "http://127.0.0.1/x\0secret",
    ])
    func aURLThatIsNoneIsRefusedBeforeAnythingIsKept(url: String) async throws {
        let provider = fixture.provider()
        let error = await #expect(throws: OperationError.self) { try await fixture.begin(.init(url: url)) }
        #expect(error?.code == .invalidValue)
        #expect(error?.message.contains("secret") == false)
        #expect(fixture.tracker.activeOperations.isEmpty)
        #expect(provider.description(of: .init(url: url)).contains("secret") == false)
        // Nor does a provider without a runner follow it.
        let failure = await #expect(throws: OperationFailure.self) {
            try await fixture.tracker.withOperation(type: .download, description: "x") { handle in
                _ = try await provider.perform(.init(url: url), reporting: handle)
            }
        }
        #expect(failure?.code == .invalidRequest)
    }

    @Test func endlessRedirectsAndThoseOutOfHTTPAreFinal() async throws {
        let retry = RetryPolicy(baseDelay: .milliseconds(1))
        let endless = try answering("302 Found\r\nLocation: /again")
        let operation = try await fixture.download(.init(url: endless.url("/x")), retry: retry)
        #expect(operation.failure?.code == .protocolError)
        #expect(operation.attempt == 1)
        let out = try answering("302 Found\r\nLocation: file:///etc/passwd")
        let refused = try await fixture.download(.init(url: out.url("/x")), retry: retry)
        #expect(refused.failure?.code == .invalidRequest)
        #expect(refused.attempt == 1)
        #expect(fixture.names == [])
    }

    @Test func aRedirectIsFollowedAndTheNameIsTheOneAskedFor() async throws {
        let server = try FileServer(file)
        let other = try answering("302 Found\r\nLocation: \(server.url("/signed?key=secret"))")
        #expect(try await fixture.download(.init(url: other.url("/nice.bin"))).status == .completed)
        #expect(fixture.names == ["nice.bin"])
    }

    @Test func nothingThatMovesIsAStall() async throws {
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 1000\r\n\r\nsome")
            _ = connection.waitForPeerClose()
        }
        var provider = fixture.provider()
        provider.stallLimit = LowSpeedLimit(bytesPerSecond: 1000, for: .seconds(2))
        let operation = try await fixture.download(.init(url: server.url("/x")), with: provider)
        #expect(operation.failure?.code == .stalled)
        #expect(fixture.names == ["x.part", "x.part.json"])
    }
}
