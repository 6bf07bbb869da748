import Foundation

/// A folder for the time of a suite.
struct Folder {
    private let root: URL

    init() throws {
        root = FileManager.default.temporaryDirectory.appending(path: "operation-benchmarks-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    }

    func path(_ name: String) -> String { root.appending(path: name).path }

    func remove() { try? FileManager.default.removeItem(at: root) }
}
