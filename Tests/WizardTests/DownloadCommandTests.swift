import Foundation
import TestSockets
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(Patience.minutes))) struct DownloadCommandTests {
    private let folder = TemporaryFolder()
    private let bytes = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 / 251 &+ $0) }

    init() throws {
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    }

    private var target: String { folder.path + "/file.bin" }

    private func arguments(_ url: String, _ more: String...) -> [String] {
        ["download", url, "-o", target, "--data", folder.path + "/data"] + more
    }

    private var left: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasPrefix("file.bin") }.sorted()
    }

    private func history() async throws -> [[String: Any]] {
        let outcome = try await WizardProcess.run(["history", "--data", folder.path + "/data", "--json"])
        return try #require(try outcome.objects.first?["operations"] as? [[String: Any]])
    }

    /// Sends the first half and then nothing, except to whoever asks for the rest.
    private func halfServer() throws -> TestServer {
        let bytes = bytes
        return try TestServer { connection in
            while true {
                let request = try connection.readRequest()
                let offset = request.header("Range").flatMap { Int($0.dropFirst("bytes=".count).dropLast()) }
                if let offset {
                    try connection.write(
                        "HTTP/1.1 206 Part\r\nETag: \"v\"\r\nContent-Range: bytes \(offset)-\(bytes.count - 1)/\(bytes.count)\r\nContent-Length: \(bytes.count - offset)\r\n\r\n"
                    )
                    try connection.write(Array(bytes[offset...]))
                } else {
                    try connection.write("HTTP/1.1 200 OK\r\nETag: \"v\"\r\nContent-Length: \(bytes.count)\r\n\r\n")
                    try connection.write(Array(bytes.prefix(1_000_000)))
                    _ = connection.waitForPeerClose()
                }
            }
        }
    }

    @Test func aURLWithAPasswordIsWrongUsageAndLeavesNoTrace() async throws {
        let outcome = try await WizardProcess.run(arguments("http://us%01er:secret@127.0.0.1:1/x"))
        #expect(outcome.code == 2)
        #expect(!outcome.errors.contains("secret") && outcome.errors.contains("leave it out"))
        #expect(try await history().isEmpty)
    }

    @Test func aFileIsDownloadedAndFoundInTheHistory() async throws {
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        }
        let digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        let outcome = try await WizardProcess.run(
            arguments(server.url("/x?signature=secret"), "--limit", "1M", "--sha256", digest)
        )
        #expect(outcome.code == 0)
        #expect(outcome.output.hasPrefix("Download file.bin from 127.0.0.1\n"))
        #expect(!outcome.output.contains("secret"))
        #expect(FileManager.default.contents(atPath: target) == Data("hello".utf8))
        let id = try #require(try await history().first?["operation_id"] as? String)
        let shown = try await WizardProcess.run(["show", id, "--data", folder.path + "/data", "--json"]).objects.first
        #expect((shown?["request"] as? [String: Any])?["limit"] as? Int == 1 << 20)
        let result = try #require(shown?["result"] as? [String: Any])
        #expect(result["sha256"] as? String == digest)
        #expect(result["path"] as? String == target)
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGKILL])
    func whatWasStoppedGoesOnInTheNextRun(signal: Int32) async throws {
        let server = try halfServer()
        let first = try WizardProcess(arguments(server.url("/x"), "--json"))
        #expect(await first.firstLine { $0.contains("\"completed_units\":1000000,") } != nil)
        first.send(signal)
        let outcome = await first.outcome()
        #expect(outcome.wasKilled == (signal == SIGKILL))
        #expect(outcome.code == (signal == SIGKILL ? SIGKILL : 130))
        #expect(left == ["file.bin.part", "file.bin.part.json"])

        let second = try await WizardProcess.run(arguments(server.url("/x"), "--json"))
        #expect(second.code == 0)
        #expect(left == ["file.bin"])
        #expect(FileManager.default.contents(atPath: target) == Data(bytes))
        let kept = try await history().map { $0["status"] as? String }
        #expect(kept == ["completed", signal == SIGKILL ? "failed" : "cancelled"])
    }

    @Test func twoProcessesThatWantTheSameDoItOnce() async throws {
        let goOn = TestValue<Void>()
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
            goOn.waitBlocking()
            try connection.write("llo")
        }
        let first = try WizardProcess(arguments(server.url("/x"), "--json"))
        #expect(await first.firstLine { $0.contains("\"phase\":\"downloading\"") } != nil)
        let second = try WizardProcess(arguments(server.url("/x"), "--json"))
        #expect(await second.firstErrorLine { $0.contains("another process") } != nil)
        goOn.set()
        #expect(await first.outcome().code == 0)
        let outcome = await second.outcome()
        #expect(outcome.code == 0)
        #expect(try outcome.objects.last?["status"] as? String == "completed")
        #expect(server.connectionCount == 1)
        #expect(try await history().count == 1)
    }

    @Test func aFileThatIsThereIsReplacedOnlyByForce() async throws {
        try Data("old".utf8).write(to: URL(fileURLWithPath: target))
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        }
        let refused = try await WizardProcess.run(arguments(server.url("/x")))
        #expect(refused.code == 1)
        #expect(refused.output.contains("already_exists: "))
        #expect(FileManager.default.contents(atPath: target) == Data("old".utf8))
        #expect(try await WizardProcess.run(arguments(server.url("/x"), "--force")).code == 0)
        #expect(FileManager.default.contents(atPath: target) == Data("hello".utf8))
    }

    @Test func aFailureIsTriedAgainAsOftenAsAllowed() async throws {
        let server = try TestServer { connection in
            try connection.readRequest()
            try connection.write("HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n")
        }
        let outcome = try await WizardProcess.run(arguments(server.url("/x"), "--retries", "0"))
        #expect(outcome.code == 1)
        #expect(outcome.output.contains("server_error: "))
        #expect(server.connectionCount == 1)
        #expect(left == [])
    }
}
