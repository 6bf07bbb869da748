import Foundation
import OperationTrackingTesting
import TestSupport
import Testing

@testable import Wizard

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

struct ServerRecordTests {
    private let folder = TemporaryFolder()

    @Test func thePlaceIsTakenByOneAtATime() async throws {
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        let path = folder.path + "/server.json"
        let record = ServerRecord(url: "http://127.0.0.1:1", ollama: nil, tokenFile: nil, in: folder.path)
        let other = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        #expect(flock(other, LOCK_EX) == 0)
        let writing = Task { try await record.write() == nil }
        try await eventually("it waits") { SystemProcess.openCount(of: path + ".lock") == 2 }
        // Not for long: it waits half a minute by the clock, of which a busy machine may take the most.
        await briefPause()
        #expect(!FileManager.default.fileExists(atPath: path))
        close(other)
        #expect(try await writing.value)
        #expect(FileManager.default.fileExists(atPath: path))
        await record.remove()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func itIsThisUsersAloneAndLeavesNothingHalfWritten() async throws {
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        // As a server leaves it that is killed while it writes.
        let part = folder.path + "/.server.json.1-x.part"
        #expect(FileManager.default.createFile(atPath: part, contents: Data("{".utf8)))
        let record = ServerRecord(url: "http://127.0.0.1:1", ollama: nil, tokenFile: nil, in: folder.path)
        #expect(try await record.write() == nil)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.sorted() == ["server.json", "server.json.lock", "server.last.json", "server.pid"])
        for name in names {
            var status = stat()
            stat(folder.path + "/" + name, &status)
            #expect(status.st_mode & 0o777 == 0o600, "\(name)")
        }
    }
}
