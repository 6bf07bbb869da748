import Foundation
import OperationTracking
import OperationTrackingTesting
import Testing

@testable import CustomProvider

struct ChecksumProviderTests {
    private static func sample() throws -> ProviderSample<ChecksumProvider> {
        let place = TemporaryFolder()
        try place.write("small/hello", Data("hello\n".utf8))
        for number in 1...4 {
            try place.write("large/sub \(number)/data", Data(repeating: UInt8(number), count: 4 << 20))
        }
        let list = place.path + "/list"
        var sample = ProviderSample(
            ChecksumProvider(),
            succeeding: .init(folder: place.path + "/small", list: list),
            failing: .init(folder: place.path + "/nowhere", list: list),
            long: .init(folder: place.path + "/large", list: list)
        )
        sample.invalid = [.init(folder: place.path + "/small", list: "")]
        sample.leftovers = { try place.names.filter { !["small", "large", "list"].contains($0) } }
        return sample
    }

    @Test(arguments: ProviderExpectation.allCases.filter { $0 != .keepsSecrets })
    func isAProvider(_ expectation: ProviderExpectation) async throws {
        try await ProviderConformance.check(expectation) { try Self.sample() }
    }

    @Test func theListHasTheChecksumsOfZip() async throws {
        let place = TemporaryFolder()
        // The check value of CRC-32 in every catalogue.
        try place.write("folder/b", Data("123456789".utf8))
        try place.write("folder/a/empty", Data())
        let request = ChecksumProvider.Request(folder: place.path + "/folder", list: place.path + "/list")
        let runner = OperationRunner(tracker: OperationTracker())
        let output = try await runner.submit(request, to: ChecksumProvider()).output
        #expect(output.files == 2 && output.bytes == 9)
        #expect(try String(contentsOfFile: request.list, encoding: .utf8) == "00000000  a/empty\ncbf43926  b\n")
    }
}

/// The tutorial shows what is really built and run.
struct TutorialTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func lines(_ path: String) throws -> [Substring] {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// Lines without their indentation, so that a snippet may stand further to the left.
    private static func plain(_ lines: some Sequence<Substring>) -> String {
        lines.map { String($0.drop { $0 == " " }) + "\n" }.joined()
    }

    @Test func everySnippetIsInTheExampleOrItsTest() throws {
        let blocks = try Self.lines("DocsSource/OperationTracking.docc/WritingAProvider.md")
            .split(omittingEmptySubsequences: false) { $0.hasPrefix("```") }
        let snippets = blocks.indices.filter { $0 % 2 == 1 }.map { blocks[$0] }
        let files = ["ChecksumProvider", "CustomProvider"].map { "Examples/CustomProvider/\($0).swift" }
        let code = try (files + ["Tests/CustomProviderTests/ChecksumProviderTests.swift"]).map {
            try Self.plain(Self.lines($0))
        }
        #expect(snippets.count >= 4)
        for snippet in snippets where !snippet.contains(where: { $0.hasPrefix("swift run") }) {
            let text = Self.plain(snippet)
            #expect(code.contains { $0.contains(text) }, "\(text)")
        }
    }

    @Test func theProviderHasUnderSixtyLines() throws {
        #expect(try Self.lines("Examples/CustomProvider/ChecksumProvider.swift").dropLast().count < 60)
    }
}

private final class TemporaryFolder: Sendable {
    let path = NSTemporaryDirectory() + "checksums-\(UUID().uuidString)"

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: path) } }

    func write(_ name: String, _ data: Data) throws {
        let file = URL(fileURLWithPath: path + "/" + name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: file)
    }
}
