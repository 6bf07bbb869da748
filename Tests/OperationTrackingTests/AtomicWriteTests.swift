import Foundation
import Testing

@testable import OperationTracking

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

struct AtomicWriteTests {
    private let path = NSTemporaryDirectory() + "atomic-write-" + UUID().uuidString

    /// Runs `body` with a folder's descriptor, and removes the folder.
    private func inFolder(_ body: (Int32) async throws -> Void) async throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(folder) }
        try await body(folder)
    }

    private var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }

    @Test func whoWriteAtOnceWriteIntoNoFileButTheirOwn() async throws {
        try await inFolder { folder in
            let texts = (0..<4).map { [UInt8](repeating: UInt8($0), count: 200_000 + $0) }
            try AtomicWrite.replace("x", in: folder, with: texts[0], isDurable: false)
            let file = path + "/x"
            try await withThrowingTaskGroup(of: Void.self) { group in
                for text in texts {
                    group.addTask {
                        for _ in 0..<50 {
                            try AtomicWrite.replace("x", in: folder, with: text, isDurable: false)
                            let found = try #require(FileManager.default.contents(atPath: file))
                            #expect(texts.contains(Array(found)))
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try names == ["x"])
        }
    }

    @Test func whatFailsLeavesNothingBehind() async throws {
        try await inFolder { folder in
            try FileManager.default.createDirectory(atPath: path + "/x/y", withIntermediateDirectories: true)
            #expect(throws: SystemCallError.self) { try AtomicWrite.replace("x", in: folder, with: [1]) }
            #expect(try names == ["x"])
        }
    }

    @Test func aLinkIsReplacedAndNotFollowed() async throws {
        try await inFolder { folder in
            try FileManager.default.createSymbolicLink(atPath: path + "/x", withDestinationPath: path + "/y")
            try AtomicWrite.replace("x", in: folder, with: [1])
            #expect(try names == ["x"])
        }
    }

    @Test func aNewFileTakesNoOtherOnesPlace() async throws {
        try await inFolder { folder in
            try AtomicWrite.create("x", in: folder, with: [1], mode: 0o600)
            #expect(throws: SystemCallError(EEXIST)) { try AtomicWrite.create("x", in: folder, with: [2], mode: 0o600) }
            #expect(FileManager.default.contents(atPath: path + "/x").map(Array.init) == [1])
            #expect(try names == ["x"])
        }
    }

    @Test(arguments: [("/x", "/", "x"), ("/usr/x", "/usr", "x"), ("x", ".", "x")])
    func aPathLeadsToItsFolder(_ path: String, _ expected: String, _ last: String) throws {
        var (found, wanted) = (stat(), stat())
        try AtomicWrite.inFolder(of: path) { (folder, name) throws(SystemCallError) in
            fstat(folder, &found)
            #expect(name == last)
        }
        stat(expected, &wanted)
        #expect(found.st_ino == wanted.st_ino && found.st_dev == wanted.st_dev)
    }

    @Test func aDiskThatIsLargerThanCanBeSaidIsNotSmall() {
        #expect(DiskSpace.product(1 << 52, 4096) == .max)
        #expect(DiskSpace.product(1 << 63, 4096) == .max)
        #expect(DiskSpace.product(3, 4096) == 12_288)
    }
}
