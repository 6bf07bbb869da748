import Foundation
import OperationTracking
import Synchronization
import TestSockets
import Testing

@testable import OperationTransfer

struct PartFileTests {
    private let fixture = DownloadFixture()

    @Test func aPartThatIsRefusedClosesNobodyElsesDescriptors() throws {
        try fixture.put([1, 2, 3], as: "x.part")
        let target = try DownloadTarget("x", url: "http://h/x", directory: fixture.folder, allowsPaths: false)
        let tries = Tries()
        // Whatever this thread opens gets the lowest free numbers, which are those that were closed just now.
        let other = Thread {
            while !tries.areOver.load(ordering: .acquiring) {
                let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
                for _ in 0..<100 { _ = getppid() }
                if close(descriptor) != 0 { tries.losses.add(1, ordering: .relaxed) }
            }
            tries.hasEnded.store(true, ordering: .releasing)
        }
        other.start()
        for _ in 0..<5000 {
            #expect(throws: OperationFailure.self) { try PartFile(target) }
        }
        tries.areOver.store(true, ordering: .releasing)
        while !tries.hasEnded.load(ordering: .acquiring) { usleep(1000) }
        #expect(tries.losses.load(ordering: .relaxed) == 0)
        #expect(fixture.bytes("x.part") == [1, 2, 3])
    }

    private final class Tries: Sendable {
        let areOver = Atomic(false)
        let hasEnded = Atomic(false)
        let losses = Atomic(0)
    }

    @Test func aNoteOfSomebodyElsesIsLeftAloneWhateverItsPartHolds() throws {
        for part in [[], [1, 2, 3]] as [[UInt8]] {
            try fixture.put(part, as: "x.part")
            try fixture.put(Array(#"{"mine":1}"#.utf8), as: "x.part.json")
            let target = try DownloadTarget("x", url: "http://h/x", directory: fixture.folder, allowsPaths: false)
            #expect(throws: OperationFailure.self) { try PartFile(target) }
            #expect(fixture.bytes("x.part.json") == Array(#"{"mine":1}"#.utf8) && fixture.bytes("x.part") == part)
        }
    }

    @Test("whoever is done with a part lets go of it, also while a child that is being started has a copy of its file")
    func copiedLock() throws {
        let target = try DownloadTarget("x", url: "http://h/x", directory: fixture.folder, allowsPaths: false)
        var part: PartFile? = try PartFile(target)
        try part?.begin(PartNote(url: "http://h/x", headers: ["ETag": "\"v1\""], total: 10))
        try part?.append([1, 2, 3])
        let copy = dup(try #require(part?.descriptor))
        defer { close(copy) }
        part = nil
        #expect(try PartFile(target).size == 3)
    }

    private static let changed = "Sun, 06 Nov 1994 08:49:37 GMT"
    private static let answer = ["Content-Range": "bytes 5-9/10"] as HTTPHeaders

    @Test(
        arguments: [
            (["ETag": "\"v\""], ["ETag": "\"v\"", "Last-Modified": "Mon, 07 Nov 1994 08:49:37 GMT"], true),
            (["ETag": "\"v\""], ["ETag": "\"w\""], false), (["ETag": "\"v\""], [:], false),
            (["ETag": "\"v\""], ["ETag": "W/\"v\""], false),
            (["Last-Modified": changed, "Date": "Mon, 07 Nov 1994 08:49:37 GMT"], [:], true),
            (["Last-Modified": changed, "Date": "Mon, 07 Nov 1994 08:49:37 GMT"], ["Last-Modified": changed], true),
            (
                ["Last-Modified": changed, "Date": "Mon, 07 Nov 1994 08:49:37 GMT"],
                ["Last-Modified": "Mon, 07 Nov 1994 08:49:37 GMT"], false
            ),
        ] as [(HTTPHeaders, HTTPHeaders, Bool)]
    )
    func onlyARestOfTheSameFileIsPutBehindAPart(whole: HTTPHeaders, rest: HTTPHeaders, isSame: Bool) {
        var headers = Self.answer
        for field in rest { headers.append(name: field.name, value: field.value) }
        let note = PartNote(url: "http://h/x", headers: whole, total: 10)
        let answer = DownloadAnswer(status: 206, headers: headers, offset: 5, note: note, at: 0)
        #expect(answer == (isSame ? .rest(end: 10, total: 10) : .beginAgain))
    }

    @Test func theRestOfAFileOfAnotherSizeIsNotPutAfterThePart() {
        var headers = Self.answer
        headers.append(name: "ETag", value: "\"a\"")
        let note = PartNote(url: "http://h/x", headers: headers, total: 11)
        let answer = DownloadAnswer(status: 206, headers: headers, offset: 5, note: note, at: 0)
        #expect(answer == .beginAgain)
    }

    @Test func aPartThatIsBegunAgainKeepsNothingOfWhatItHad() throws {
        try leavePart([1, 2, 3, 4], total: 4, of: "http://h/x")
        try leavePart([5, 6], total: 2, of: "http://h/x")
        #expect(fixture.bytes("x.part") == [5, 6])
    }

    @Test func aPartThatIsCompleteIsHeldToTheSizeAskedFor() async throws {
        let server = try FileServer(ServedFile([1, 2, 3, 4]))
        try leavePart([1, 2, 3], total: 3, of: server.url("/x"))
        let operation = try await fixture.download(.init(url: server.url("/x"), size: 5))
        #expect(operation.failure?.code == .integrityError)
        #expect(!fixture.names.contains("x"))
        // The server has it by now.
        try leavePart([1, 2, 3], total: 3, of: server.url("/y"), as: "y")
        #expect(try await fixture.download(.init(url: server.url("/y"), size: 4)).status == .completed)
        #expect(fixture.bytes("y") == [1, 2, 3, 4])
    }

    @Test func aServerThatSaysThatAPartIsCompleteIsHeldToTheSizeAskedFor() async throws {
        let server = try FileServer(ServedFile([1, 2, 3]))
        try leavePart([1, 2, 3], total: nil, of: server.url("/x"))
        let operation = try await fixture.download(.init(url: server.url("/x"), size: 5))
        #expect(operation.failure?.code == .integrityError)
        #expect(!fixture.names.contains("x"))
    }

    @Test(arguments: [nil, [UInt8]()] as [[UInt8]?])
    func aNoteThatNobodyHasLeftIsNotTouched(part: [UInt8]?) async throws {
        let server = try FileServer(ServedFile([1, 2, 3]))
        let note = Array("{\"mine\": true}".utf8)
        if let part { try fixture.put(part, as: "x.part") }
        try fixture.put(note, as: "x.part.json")
        let operation = try await fixture.download(.init(url: server.url("/x")))
        #expect(operation.failure?.code == .alreadyExists)
        #expect(fixture.bytes("x.part.json") == note)
    }

    @Test func anEmptyFileOfSomebodyElseOutlivesADownloadThatGetsNothing() async throws {
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        }
        try fixture.put([], as: "x.part")
        #expect(try await fixture.download(.init(url: server.url("/x"))).failure?.code == .notFound)
        #expect(fixture.names == ["x.part"])
    }

    @Test func aPartThatHasAnotherNameTooIsNotTouched() async throws {
        let server = try FileServer(ServedFile([1, 2, 3]))
        try fixture.put([7], as: "mine")
        try FileManager.default.linkItem(atPath: fixture.path("mine"), toPath: fixture.path("x.part"))
        let operation = try await fixture.download(.init(url: server.url("/x"), overwrite: true))
        #expect(operation.failure?.code == .alreadyExists)
        #expect(fixture.bytes("mine") == [7] && fixture.bytes("x.part") == [7])
    }

    @Test func aNoteThatCannotBeSentMeansBeginningAgain() async throws {
        let server = try FileServer(ServedFile([1, 2, 3]))
        try leavePart([1], total: 3, of: server.url("/x"))
        let note = String(decoding: try #require(fixture.bytes("x.part.json")), as: UTF8.self)
        try fixture.put(Array(note.replacing("v1", with: "v\\n1").utf8), as: "x.part.json")
        #expect(try await fixture.download(.init(url: server.url("/x"))).status == .completed)
        #expect(fixture.bytes("x") == [1, 2, 3])
    }

    @Test func aFileThatIsThereWithTheChecksumAskedForIsDone() async throws {
        let server = try FileServer(ServedFile(Array("hello".utf8)))
        let digest = Checksum.hexadecimal(of: "hello")
        try fixture.put(Array("hello".utf8), as: "x")
        let running = try await fixture.begin(.init(url: server.url("/x"), sha256: digest, size: 5))
        #expect(try await running.output.bytes == 5)
        #expect(server.requests.isEmpty && fixture.names == ["x"])
        for request in [
            DownloadProvider.Request(url: server.url("/x"), sha256: digest, size: 6),
            .init(url: server.url("/x"), sha256: Checksum.hexadecimal(of: "other")), .init(url: server.url("/x")),
        ] {
            #expect(try await fixture.download(request).failure?.code == .alreadyExists)
        }
        #expect(fixture.bytes("x") == Array("hello".utf8))
    }

    @Test func aFolderIsNotReplaced() async throws {
        let server = try FileServer(ServedFile([1, 2, 3]))
        try FileManager.default.createDirectory(atPath: fixture.path("x"), withIntermediateDirectories: true)
        let operation = try await fixture.download(.init(url: server.url("/x"), overwrite: true))
        #expect(operation.failure?.code == .alreadyExists)
        #expect(server.requests.isEmpty)
    }

    /// Leaves a part as a download does that is cut.
    private func leavePart(_ bytes: [UInt8], total: Int64?, of url: String, as name: String = "x") throws {
        let target = try DownloadTarget(name, url: url, directory: fixture.folder, allowsPaths: false)
        let part = try PartFile(target)
        try part.begin(PartNote(url: url, headers: ["ETag": "\"v1\""], total: total))
        try part.append(bytes)
    }
}
