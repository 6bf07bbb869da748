import Foundation
import OperationTracking
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite(.timeLimit(.minutes(Patience.minutes))) final class RegularFileTests {
    private let path = NSTemporaryDirectory() + "regular-" + UUID().uuidString

    deinit { unlink(path) }

    @Test(arguments: [O_RDONLY, O_WRONLY, O_WRONLY | O_CREAT | O_APPEND, O_RDWR], [false, true])
    func aPipeIsRefusedAndNotWaitedFor(flags: Int32, isOpen: Bool) throws {
        try #require(mkfifo(path, 0o600) == 0)
        let other = isOpen ? open(path, O_RDWR | O_CLOEXEC) : -1
        defer { if isOpen { close(other) } }
        let error = #expect(throws: SystemCallError.self) { try RegularFile.open(path, flags) }
        #expect(error?.number == ENXIO)
    }

    @Test func aFolderIsNoFile() {
        let error = #expect(throws: SystemCallError.self) { try RegularFile.read(NSTemporaryDirectory(), limit: 1) }
        #expect(error?.number == ENXIO)
    }

    @Test func aFileIsReadWholeOrNotAtAll() throws {
        try Data("four".utf8).write(to: URL(filePath: path))
        #expect(try RegularFile.read(path, limit: 4) == Array("four".utf8))
        let error = #expect(throws: SystemCallError.self) { try RegularFile.read(path, limit: 3) }
        #expect(error?.number == EFBIG)
    }

    @Test func whoInheritsTheFileWaitsAsUsualAndAppends() throws {
        let file = try RegularFile.open(path, O_WRONLY | O_CREAT | O_APPEND)
        defer { close(file) }
        #expect(fcntl(file, F_GETFL) & (O_NONBLOCK | O_APPEND) == O_APPEND)
    }
}
