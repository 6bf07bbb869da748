#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationDashboard
import OperationHTTP
import Testing

@Suite struct DashboardTests {
    /// The page's files by name, as they are in the source.
    private func files() throws -> [String: [UInt8]] {
        let tests = URL(filePath: #filePath).deletingLastPathComponent()
        let folder = tests.appending(path: "../../Sources/OperationDashboard/Page").standardized.path
        var files: [String: [UInt8]] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            files[name] = Array(try Data(contentsOf: URL(filePath: folder).appending(path: name)))
        }
        return files
    }

    @Test func everyFileOfThePageIsServedUnderItsName() throws {
        let files = try files()
        #expect(files.count > 3)
        let paths = Dictionary(uniqueKeysWithValues: files.map { ($0 == "index.html" ? "/" : "/assets/\($0)", $1) })
        let served = Dictionary(uniqueKeysWithValues: Dashboard.assets.map { ($0.path, $0.bytes) })
        #expect(Set(served.keys) == Set(paths.keys))
        for (path, bytes) in served { #expect(bytes == paths[path], "\(path) is another file's, or not built anew") }
    }
}
