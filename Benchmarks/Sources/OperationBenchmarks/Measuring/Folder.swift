import Foundation

/// A folder for the time of a suite, or of the run.
struct Folder {
    private let root: URL

    init(in place: URL = FileManager.default.temporaryDirectory) throws {
        root = place.appending(path: "operation-benchmarks-\(UUID().uuidString)")
        try Leftovers.make(folder: root.path)
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
