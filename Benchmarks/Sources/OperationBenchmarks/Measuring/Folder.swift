import CRawSQLite
import Foundation

/// A folder for the time of a suite, or of the run.
struct Folder {
    private let root: URL

    init(in place: URL = Self.place) throws {
        root = place.appending(path: "operation-benchmarks-\(UUID().uuidString)")
        try Leftovers.make(folder: root.path)
    }

    /// Where `TMPDIR` says, else beside this program: `/tmp` is in memory on many systems.
    private static var place: URL {
        if let own = ProcessInfo.processInfo.environment["TMPDIR"], !own.isEmpty { return URL(filePath: own) }
        let beside = Bundle.main.executableURL?.deletingLastPathComponent()
        guard let beside, FileManager.default.isWritableFile(atPath: beside.path) else {
            return FileManager.default.temporaryDirectory
        }
        return beside
    }

    /// Whether what is made durable here is put on a disk. If not, `what` isn't measured, which has been said then.
    func isOnADisk(_ what: String) -> Bool {
        guard raw_sqlite_has_memory_for_a_disk(root.path) else { return true }
        leaveOut("\(what): \(root.deletingLastPathComponent().path) is in memory; give a folder on a disk by TMPDIR.")
        return false
    }

    /// One in a file system in memory; `nil` when there is none with so many bytes free, which has been said then.
    static func inMemory(room: Int) throws -> Folder? {
        let place = "/dev/shm"
        let free = try? FileManager.default.attributesOfFileSystem(forPath: place)[.systemFreeSize] as? Int
        guard free ?? 0 >= room else {
            leaveOut("files in memory: \(place) hasn't \(room >> 20) MiB free.")
            return nil
        }
        return try Folder(in: URL(filePath: place))
    }

    func path(_ name: String) -> String { root.appending(path: name).path }

    func remove() { Leftovers.remove(folder: root.path) }

    /// One for what is made for the time of the run, by this process and by those that it starts.
    static func makeForTheRun() throws {
        setenv("TMPDIR", try Folder().root.path, 1)
    }
}
