import Foundation

/// A folder for the time of a suite.
struct Folder {
    private let root: URL

    init(in place: URL = FileManager.default.temporaryDirectory) throws {
        root = place.appending(path: "operation-benchmarks-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
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

    func remove() { try? FileManager.default.removeItem(at: root) }
}
