import Foundation
import OperationTracking
import OperationTrackingTesting
import Testing

@testable import NounProjectOperations

/// The folder: what is in it already, and what must not get out of it.
struct SeedFolderTests {
    private typealias Request = SeedIconsProvider.Request
    private let request = SeedIconsProvider.Request(categories: ["ui": ["check"]])
    private let files = FileManager.default

    private func prepared(_ fixture: SeedFixture) throws {
        try files.createDirectory(atPath: fixture.root + "/ui", withIntermediateDirectories: true)
        try files.createDirectory(atPath: fixture.base + "/outside", withIntermediateDirectories: true)
    }

    private func put(_ data: Data, at path: String) throws {
        try data.write(to: URL(filePath: path))
    }

    @Test func anIndexThatOthersHaveAddedToKeepsWhatTheyAdded() async throws {
        let fixture = SeedFixture()
        try prepared(fixture)
        let path = "ui/check-\(SeedFixture.id(of: "check")).svg"
        let kept =
            #"{"owner": {"a": [1, 2.5, null], "n": [12345678901234567890, 1.0, 1e30]}, "icons": {"\#(path)": {"note": "ours", "attribution": "old"}, "x/y.svg": {"id": 3}}}"#
        try put(Data(kept.utf8), at: fixture.root + "/index.json")
        _ = try await fixture.run(request)
        let index = fixture.index
        let text = try #require(fixture.text("index.json")).filter { !$0.isWhitespace }
        #expect(text.hasPrefix(#"{"owner":{"a":[1,2.5,null],"n":[12345678901234567890,1.0,1e30]},"icons":{"#))
        #expect(index?["icons"]?["x/y.svg"]?["id"]?.integer == 3)
        #expect(index?["icons"]?[path]?["note"]?.text == "ours")
        #expect(index?["icons"]?[path]?["attribution"]?.text == "Icon \(SeedFixture.id(of: "check")) by Ann")
    }

    @Test(arguments: ["", "{", "[]", "null", #"{"icons": 3}"#, "\u{0}"])
    func aBrokenIndexIsSetAsideAndSaidSo(_ text: String) async throws {
        let fixture = SeedFixture()
        try prepared(fixture)
        try put(Data(text.utf8), at: fixture.root + "/index.json")
        let ending = try await fixture.run(request)
        #expect(ending.output?.added == 1)
        let problem = try #require(ending.output?.errors.first)
        let name = try #require(fixture.files.first { $0.hasPrefix("index.invalid-") })
        #expect(problem.reason.contains(name))
        #expect(fixture.text(name) == text)
        #expect(fixture.index?["icons"]?.object?.count == 1)
    }

    @Test func indexesThatAreBrokenInOneSecondAreAllKept() async throws {
        let fixture = SeedFixture(clock: ManualClock())
        try prepared(fixture)
        for text in ["one", "two", "three"] {
            try put(Data(text.utf8), at: fixture.root + "/index.json")
            var index = IconIndex()
            let folder = try IconFolder(path: fixture.root).top()
            let name = try #require(try index.refresh(from: folder, at: 5000))
            #expect(fixture.text(name) == text)
        }
        #expect(fixture.files == ["index.invalid-5-2.json", "index.invalid-5-3.json", "index.invalid-5.json"])
    }

    @Test func anIndexThatIsALinkIsNotFollowed() async throws {
        let fixture = SeedFixture()
        try prepared(fixture)
        let outside = fixture.base + "/outside/index.json"
        try put(Data("{}".utf8), at: outside)
        try files.createSymbolicLink(atPath: fixture.root + "/index.json", withDestinationPath: outside)
        #expect(try await fixture.run(request).output?.errors.count == 1)
        #expect(files.contents(atPath: outside) == Data("{}".utf8))
        #expect(fixture.index?["icons"]?.object?.count == 1)
    }

    @Test func aCategoryThatIsALinkIsNotFollowed() async throws {
        let fixture = SeedFixture()
        try files.createDirectory(atPath: fixture.base + "/outside", withIntermediateDirectories: true)
        try files.createDirectory(atPath: fixture.root, withIntermediateDirectories: true)
        try files.createSymbolicLink(atPath: fixture.root + "/ui", withDestinationPath: fixture.base + "/outside")
        let ending = try await fixture.run(Request(categories: ["ui": ["check", "close"], "nav": ["up"]]))
        #expect(ending.output?.added == 1)
        #expect(ending.output?.errors.map(\.code.rawValue) == ["storage_error", "storage_error"])
        #expect(try files.contentsOfDirectory(atPath: fixture.base + "/outside").isEmpty)
    }

    @Test func aFileThatIsALinkIsNotWrittenThrough() async throws {
        let fixture = SeedFixture()
        try prepared(fixture)
        let outside = fixture.base + "/outside/file"
        try put(Data("ours".utf8), at: outside)
        let link = "\(fixture.root)/ui/check-\(SeedFixture.id(of: "check")).svg"
        try files.createSymbolicLink(atPath: link, withDestinationPath: outside)
        let ending = try await fixture.run(request)
        #expect(ending.operation.failure?.message.contains("as a link or a folder") == true)
        #expect(files.contents(atPath: outside) == Data("ours".utf8))
        #expect(fixture.downloads.isEmpty)
    }

    @Test func whatAKilledRunLeftHalfWrittenIsRemoved() async throws {
        let fixture = SeedFixture()
        try prepared(fixture)
        try put(Data("half".utf8), at: fixture.root + "/ui/.old-12.svg.part")
        try put(Data("half".utf8), at: fixture.root + "/.index.json.12-x.part")
        try put(Data("ours".utf8), at: fixture.root + "/ui/ours.part")
        let name = "check-\(SeedFixture.id(of: "check")).svg"
        try files.createSymbolicLink(
            atPath: "\(fixture.root)/ui/.\(name).part",
            withDestinationPath: fixture.base + "/outside/x"
        )
        _ = try await fixture.run(request)
        #expect(fixture.files == ["index.json", "ui/\(name)", "ui/ours.part"])
        #expect(try files.contentsOfDirectory(atPath: fixture.base + "/outside").isEmpty)
    }

    @Test func severalRunsFillOneFolder() async throws {
        let fixture = SeedFixture()
        fixture.setDelay(.milliseconds(1))
        let categories = ["ui": ["check", "close", "menu"], "nav": ["up", "down"]]
        let outputs = try await withThrowingTaskGroup(of: SeedIconsProvider.Output?.self) { group in
            for count in 1...4 {
                group.addTask { try await fixture.run(Request(categories: categories, perTerm: count)).output }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outputs.allSatisfy { $0?.errors == [] })
        #expect(fixture.files.count == 21)
        #expect(fixture.index?["icons"]?.object?.count == 20)
    }

    @Test func aProcessThatStandsStillIsToldOf() async throws {
        let path = files.temporaryDirectory.appending(path: "lock-\(UUID().uuidString)").path
        defer { try? files.removeItem(atPath: path) }
        let (lock, other) = (try BriefLock(path, path: path), try BriefLock(path, path: path))
        try await other.hold {}
        let descriptor = open(path, O_RDWR)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_EX) == 0)
        let failure = await #expect(throws: OperationFailure.self) { try await lock.hold(patience: .zero) {} }
        #expect(failure?.message.contains("stands still") == true)
    }

    @Test func anotherFolderIsFilledOnlyWhereThatIsAllowed() async throws {
        let fixture = SeedFixture()
        let request = Request(categories: ["ui": ["check"]], root: fixture.base + "/other/one")
        await #expect(throws: OperationError.self) { try await fixture.run(request) }
        #expect(!files.fileExists(atPath: fixture.base))
        #expect(try await fixture.run(request, fixture.provider(allowsAnyRoot: true)).output?.root == request.root)
        #expect(files.fileExists(atPath: fixture.base + "/other/one/index.json"))
        for root in ["", "relative", "/\u{0}", "/" + String(repeating: "x", count: 5000)] {
            let error = await #expect(throws: OperationError.self) {
                try await fixture.run(Request(root: root), fixture.provider(allowsAnyRoot: true))
            }
            #expect(error?.code == .invalidValue)
        }
    }

    @Test func aFolderThatCanNotBeMadeIsSaidSo() async throws {
        let fixture = SeedFixture()
        try put(Data(), at: fixture.base)
        let failure = try await fixture.run(request).operation.failure
        #expect(failure?.code.rawValue == "storage_error")
        #expect(failure?.message.contains(fixture.root) == true)
        #expect(fixture.asked.isEmpty)
    }

    @Test func aFileIsThereWholeOrNotAtAll() throws {
        let fixture = SeedFixture()
        let folder = try IconFolder(path: fixture.root).category("ui")
        try folder.write(Array("one".utf8), to: "a.svg")
        try folder.write(Array("two".utf8), to: "a.svg")
        #expect(fixture.text("ui/a.svg") == "two")
        #expect(throws: OperationFailure.self) { try folder.write([], to: "no/such") }
        #expect(fixture.files == ["ui/a.svg"])
    }
}
