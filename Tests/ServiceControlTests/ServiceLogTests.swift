import Foundation
import Glibc
import OperationTracking
import OperationTrackingTesting
import OperationTransfer
import Testing

@testable import ServiceControl

@Suite("Logs of services")
struct ServiceLogTests {
    private let folder = TemporaryFolder()

    private var log: ServiceLog { ServiceLog(path: folder.path + "/web.log", limit: 4096) }

    private func write(_ text: String, to descriptor: Int32) {
        #expect(Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count)
    }

    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test("one that is over its limit becomes the older one, and the service goes on in the new one")
    func trim() throws {
        let (descriptor, start) = try log.open()
        defer { close(descriptor) }
        #expect(start == 0)
        log.trim()
        write(String(repeating: "0123456789abcdef", count: 300), to: descriptor)
        log.trim()
        #expect(try text(log.path).isEmpty)
        #expect(try text(log.path + ".1") == String(repeating: "0123456789abcdef", count: 256))
        write("new\n", to: descriptor)
        #expect(try text(log.path) == "new\n")
        #expect(log.lastLines(5, from: start) == ["new"])
    }

    @Test("what an earlier run has printed is none of this run's last lines, and is kept")
    func earlierRun() throws {
        let first = try log.open()
        write("one\n", to: first.descriptor)
        close(first.descriptor)
        let second = try log.open()
        #expect(log.lastLines(5, from: second.start).isEmpty)
        write("two\nthree\n", to: second.descriptor)
        #expect(log.lastLines(1, from: second.start) == ["three"])
        #expect(log.lastLines(5, from: second.start) == ["two", "three"])
        write(String(repeating: "x", count: 5000), to: second.descriptor)
        close(second.descriptor)
        let third = try log.open()
        close(third.descriptor)
        #expect(third.start == 0)
        #expect(try text(log.path + ".1") == String(repeating: "x", count: 4096))
    }

    @Test("opening a log that is too long doesn't take it away from who writes to it")
    func openedTwice() throws {
        let (descriptor, _) = try log.open()
        defer { close(descriptor) }
        write(String(repeating: "x", count: 5000), to: descriptor)
        close(try log.open().descriptor)
        write("still here\n", to: descriptor)
        #expect(try text(log.path) == "still here\n")
    }

    @Test("while one program shortens a log, another leaves it alone")
    func shortenedByAnother() throws {
        let (descriptor, _) = try log.open()
        defer { close(descriptor) }
        write(String(repeating: "x", count: 5000), to: descriptor)
        let other = open(log.path, O_RDWR | O_CLOEXEC)
        try #require(flock(other, LOCK_EX) == 0)
        let (found, left) = log.trim()
        #expect(found == 5000 && left == 5000)
        #expect(try text(log.path).count == 5000)
        // Closing wouldn't do: a child that another test spawns in this moment holds a copy.
        flock(other, LOCK_UN)
        close(other)
        log.trim()
        #expect(try text(log.path).isEmpty)
    }

    @Test(
        "the faster a service prints, the sooner its log is looked at again",
        arguments: [(0, 1000, 1000), (409, 1000, 1000), (4090, 1000, 100), (409_000, 1000, 20), (40, 20, 204)]
            as [(Int, Int32, Int32)]
    )
    func nextLook(_ growth: Int, _ time: Int32, _ next: Int32) {
        #expect(log.nextLook(growth: growth, in: time) == next)
    }
}
