import Foundation
import OperationTracking
import TestSupport
import Testing

@testable import OperationHistorySQLite

@Suite struct OwnerTests {
    let directory = TemporaryDirectory()
    let owners: String

    init() throws {
        let paths = HistoryPaths(directory: directory.path)
        try paths.makeDirectories()
        owners = paths.owners
    }

    @Test func anOwnerIsGoneExactlyWhenItsLockCanBeTaken() async throws {
        var owner: Owner? = try Owner(in: owners)
        let id = try #require(owner?.id)
        #expect(GoneOwner(id, in: owners) == nil)
        #expect(GoneOwner.all(in: owners).isEmpty)
        owner = nil
        // A child that another test starts in this moment holds a copy of the lock until its exec.
        try await eventually("it is gone") { GoneOwner(id, in: owners) != nil }
        try await eventually("it is listed") { GoneOwner.all(in: owners).map(\.id) == [id] }
    }

    @Test func anOwnerWithoutAFileIsGone() throws {
        let owner = try Owner(in: owners)
        owner.leave()
        #expect(GoneOwner(owner.id, in: owners) != nil)
    }

    @Test func onlyOneAtATimeClearsUpAfterAnOwner() async throws {
        let id = try Owner(in: owners).id
        // A child that another test starts in this moment holds a copy of the lock until its exec.
        try await eventually("it is gone") { GoneOwner(id, in: owners) != nil }
        let first = try #require(GoneOwner(id, in: owners))
        #expect(GoneOwner(id, in: owners) == nil)
        first.removeFile()
        #expect(try FileManager.default.contentsOfDirectory(atPath: owners).isEmpty)
    }

    @Test(arguments: ["", "../../etc/passwd", "ABCDEF", String(repeating: "g", count: 32)])
    func whatIsNoIDIsNeverMadeAPath(text: String) {
        #expect(GoneOwner(text, in: owners) == nil)
    }

    @Test func aLockTellsWhetherItsPathStillNamesIt() throws {
        let path = owners + "/lock"
        let lock = try FileLock(path: path)
        #expect(lock.isAtItsPath)
        unlink(path)
        #expect(!lock.isAtItsPath)
        let later = try FileLock(path: path)
        #expect(!lock.isAtItsPath)
        #expect(later.isAtItsPath)
    }

    @Test func aFileSystemThatCantLockIsNoOtherOwner() throws {
        let path = owners + "/lock"
        try Data().write(to: URL(filePath: path))
        // A descriptor that only names a file (O_PATH) can't be locked.
        let lock = try FileLock(path: path, flags: 0x200000)
        let failure = try #require(throws: SystemFailure.self) { try lock.tryLock(.exclusive) }
        #expect(failure.number == EBADF)
        #expect("\(failure)".contains("can't lock \(path)"))
        #expect("\(failure)".contains("a disk of this machine"))
    }

    @Test func aProcessThatIsStartedDoesNotInheritTheLock() async throws {
        let owner = try Owner(in: owners)
        let child = try ChildProcess("/bin/sleep", ["1000"], passesOn: true)
        let lock = "\(owners)/\(owner.id).lock"
        #expect(SystemProcess.openCount(of: lock) == 1)
        // `posix_spawn` may return before the child has closed what is closed on exec.
        try await eventually("the child has none of it") { SystemProcess.openCount(of: lock, in: child.pid) == 0 }
    }
}
