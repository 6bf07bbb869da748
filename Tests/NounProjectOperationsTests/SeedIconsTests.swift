import Foundation
import OperationTracking
import OperationTrackingTesting
import OperationTransfer
import Synchronization
import Testing

@testable import NounProjectOperations

/// What a run gives, and what it leaves where.
struct SeedIconsTests {
    private typealias Request = SeedIconsProvider.Request

    @Test func theDefaultSetIsFetchedAndSaysWhomToName() async throws {
        let fixture = SeedFixture()
        let ending = try await fixture.run(Request())
        #expect(ending.operation.status == .completed)
        #expect(ending.operation.type == .seed)
        #expect(ending.output?.added == 17)
        #expect(ending.output?.errors == [])
        #expect(ending.output?.root == fixture.root)
        #expect(ending.operation.progress.completedUnits == 17)
        #expect(ending.operation.progress.totalUnits == 17)
        #expect(ending.operation.message?.hasPrefix("17 added, 0 there already; 4966 calls left today") == true)
        let file = "nav/arrow-left-\(SeedFixture.id(of: "arrow left")).svg"
        #expect(fixture.text(file) == SeedFixture.svg)
        let entry = fixture.index?["icons"]?[file]
        #expect(entry?["attribution"]?.text == "Icon \(SeedFixture.id(of: "arrow left")) by Ann")
        #expect(entry?["license_description"]?.text == "public-domain")
        #expect(entry?["term"]?.text == "arrow left")
        #expect(entry?["category"]?.text == "nav")
        #expect(entry?["creator"]?.text == "Ann")
        #expect(fixture.files.count == 18)
    }

    @Test func whatIsThereIsNeitherFetchedNorSearchedAgain() async throws {
        let fixture = SeedFixture()
        let request = Request(categories: ["ui": ["check", "close"]], perTerm: 3)
        #expect(try await fixture.run(request).output?.added == 6)
        #expect(fixture.asked.count == 8)
        let second = try await fixture.run(request)
        #expect(fixture.asked.count == 8)
        #expect(second.output?.skipped == 6)
        #expect(second.output?.added == 0)
        #expect(second.operation.progress.presentUnits == 6)
        // One more for each term costs a search and a download each.
        #expect(try await fixture.run(Request(categories: request.categories, perTerm: 4)).output?.added == 2)
        #expect(fixture.asked.count == 12)
    }

    @Test func aFileWithoutAnEntryGetsOneWithoutBeingFetched() async throws {
        let fixture = SeedFixture()
        let request = Request(categories: ["ui": ["check"]])
        _ = try await fixture.run(request)
        try FileManager.default.removeItem(atPath: fixture.root + "/index.json")
        #expect(try await fixture.run(request).output?.skipped == 1)
        #expect(fixture.downloads.count == 1)
        #expect(fixture.index?["icons"]?.object?.count == 1)
    }

    @Test func picturesAreCheckedAndKeptAsTheyAre() async throws {
        let fixture = SeedFixture { path, _ in
            path.contains(SeedFixture.id(of: "close")) ? SeedFixture.download(Array(SeedFixture.svg.utf8)) : nil
        }
        let ending = try await fixture.run(Request(categories: ["ui": ["check", "close"]], format: .png))
        #expect(ending.output?.added == 1)
        #expect(ending.output?.errors.map(\.reason) == ["The icon is not kept: it is no PNG."])
        let file = "\(fixture.root)/ui/check-\(SeedFixture.id(of: "check")).png"
        #expect(FileManager.default.contents(atPath: file).map(Array.init) == onePixel)
        #expect(fixture.transport.sent.allSatisfy { $0.target.query["include_svg"] == nil })
    }

    @Test func aTermThatFailsIsAWarning() async throws {
        let fixture = SeedFixture { _, query in
            switch query["query"] {
            case "close": .json(#"{"message": "no such term"}"#, status: 404)
            case "menu": SeedFixture.found([])
            default: nil
            }
        }
        let ending = try await fixture.run(Request(categories: ["ui": ["check", "close", "menu", "plus"]], perTerm: 2))
        #expect(ending.operation.status == .completed)
        #expect(ending.output?.added == 4)
        #expect(ending.output?.errors.map(\.term) == ["close", "menu"])
        #expect(ending.output?.errors.map(\.code) == [.notFound, .notFound])
        #expect(ending.output?.errors.first?.reason.contains("no such term") == true)
        #expect(ending.operation.progress.totalUnits == 4)
        #expect(ending.operation.message?.contains("2 failed") == true)
    }

    @Test func aRunThatGetsNothingHasFailed() async throws {
        let fixture = SeedFixture { _, _ in SeedFixture.found([]) }
        let ending = try await fixture.run(Request(categories: ["ui": ["check", "close"]]))
        #expect(ending.operation.failure?.code == .notFound)
        #expect(ending.operation.failure?.message.contains("'check'") == true)
    }

    @Test func fewerIconsThanWantedIsNoFailure() async throws {
        let fixture = SeedFixture { path, _ in path.hasSuffix("/icon") ? SeedFixture.found(["5", "6"]) : nil }
        let ending = try await fixture.run(Request(categories: ["ui": ["check"]], perTerm: 5))
        #expect(ending.output?.added == 2)
        #expect(ending.operation.progress.totalUnits == 2)
    }

    @Test(arguments: [401, 403])
    func aRefusedKeyIsTheEnd(status: Int) async throws {
        let fixture = SeedFixture { _, _ in .json("", status: status) }
        let ending = try await fixture.run(Request())
        #expect(ending.operation.failure?.code == (status == 401 ? .unauthorized : .notPermitted))
        #expect(ending.operation.failure?.message.contains("https://thenounproject.com/developers") == true)
        #expect(fixture.asked.count == 1)
    }

    @Test func aKeyThatMayNotDownloadTakesTheLink() async throws {
        let link = "https://static.thenounproject.com/5.svg?Expires=1&Signature=hush"
        let fixture = SeedFixture { path, query in
            if path == "/5.svg" { return .json(SeedFixture.svg) }
            if path.hasSuffix("/download") { return .json("", status: 403) }
            return SeedFixture.found(["5"], link: query["query"] == "check" ? link : nil)
        }
        let ending = try await fixture.run(Request(categories: ["ui": ["check", "close"]]))
        #expect(fixture.text("ui/check-5.svg") == SeedFixture.svg)
        #expect(ending.output?.errors.map(\.code) == [.notPermitted])
        #expect(!ending.told.contains("hush"))
        #expect(fixture.text("index.json")?.contains("hush") == false)
    }

    @Test func aLinkThatIsRefusedIsNoRefusalOfTheKey() async throws {
        let link = "https://static.thenounproject.com/5.svg?Signature=hush"
        let fixture = SeedFixture { path, query in
            if path == "/5.svg" { return .json("", status: 401) }
            if path == "/v2/icon/5/download" { return .json("", status: 403) }
            return query["query"] == "check" ? SeedFixture.found(["5"], link: link) : nil
        }
        let ending = try await fixture.run(Request(categories: ["ui": ["check", "close"]]))
        #expect(ending.output?.errors.map(\.code) == [.notPermitted])
        #expect(ending.output?.added == 1)
    }

    @Test func aLinkWhoseHostAsksToWaitIsWaitedFor() async throws {
        let clock = ManualClock()
        let times = Mutex<[Int64]>([])
        let fixture = SeedFixture(clock: clock) { path, _ in
            if path == "/5.svg" {
                let count = times.withLock { times in
                    times.append(clock.wallMilliseconds)
                    return times.count
                }
                return count > 1 ? .json(SeedFixture.svg) : .json("", status: 429, headers: ["Retry-After": "30"])
            }
            if path.hasSuffix("/download") { return .json("", status: 403) }
            return SeedFixture.found(["5"], link: "https://static.thenounproject.com/5.svg")
        }
        let ending = try await fixture.run(Request(categories: ["ui": ["check"]]))
        #expect(ending.output?.added == 1)
        let waited = times.withLock { $0 }
        #expect(waited.count == 2 && waited[1] - waited[0] >= 30_000)
    }

    @Test func aLinkElsewhereIsNotFollowed() async throws {
        let fixture = SeedFixture { path, _ in
            path.hasSuffix("/download")
                ? .json("", status: 404)
                : SeedFixture.found(["5"], link: "http://169.254.169.254/latest?Signature=hush")
        }
        let ending = try await fixture.run(Request(categories: ["ui": ["check"]]))
        #expect(ending.operation.failure?.code == .notPermitted)
        #expect(fixture.asked.count == 2)
    }

    @Test func whatIsUnsafeIsNotKept() async throws {
        let files = [
            "<svg><script>alert(1)</script></svg>", "<!DOCTYPE svg [<!ENTITY a 'b'>]><svg><path d='M0 0'/></svg>",
            "GIF89a",
            String(repeating: " ", count: 2 << 20),
        ]
        let fixture = SeedFixture { path, query in
            if path.hasSuffix("/download") {
                guard let number = Int(path.split(separator: "/")[2]), number < files.count else { return nil }
                return SeedFixture.download(Array(files[number].utf8))
            }
            return SeedFixture.found([query["query"] ?? ""])
        }
        let ending = try await fixture.run(Request(categories: ["ui": ["0", "1", "2", "3", "4"]]))
        #expect(ending.output?.errors.map(\.id) == ["0", "1", "2", "3"])
        #expect(
            ending.output?.errors.map(\.code) == [.integrityError, .integrityError, .integrityError, .protocolError]
        )
        #expect(fixture.files == ["index.json", "ui/4-4.svg"])
        #expect(fixture.index?["icons"]?.object?.keys.sorted() == ["ui/4-4.svg"])
    }

    @Test(arguments: [
        "../../evil", "1/2", "..", "-1", "1.svg", "\\u0000", "١٢", "😀", String(repeating: "9", count: 4000), "1 ",
        "0x1",
    ])
    func anIdThatIsNoneIsNotKept(_ id: String) async throws {
        let fixture = SeedFixture { path, query in
            query["query"] == "check" ? SeedFixture.found([id, "7"]) : nil
        }
        let ending = try await fixture.run(Request(categories: ["ui": ["check"]], perTerm: 2))
        #expect(ending.output?.added == 1)
        #expect(ending.output?.errors.map(\.reason) == ["The icon is not kept: its id can't be one."])
        #expect(fixture.files == ["index.json", "ui/check-7.svg"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.base) == ["icons"])
    }

    @Test func termsOfAllKindsGetSafeFiles() async throws {
        let fixture = SeedFixture { path, _ in path.hasSuffix("/icon") ? SeedFixture.found(["7"]) : nil }
        let terms = [
            "../../etc/passwd", "😀", "日本", "-", "Café au lait!", String(repeating: "long ", count: 40), "a/b\\c",
        ]
        let ending = try await fixture.run(Request(categories: ["Odd ones_1": terms]))
        #expect(ending.output?.added == 7)
        #expect(fixture.files.count == 8)
        #expect(fixture.files.contains("odd-ones_1/etc-passwd-7.svg"))
        #expect(fixture.files.contains("odd-ones_1/caf-au-lait-7.svg"))
        #expect(fixture.files.allSatisfy { $0.utf8.count < 100 && $0.allSatisfy { $0.isASCII } })
        #expect(fixture.transport.sent[0].target.query["query"] == terms[0])
    }

    @Test(arguments: [
        Request(categories: [:]), Request(categories: ["ui": []]), Request(perTerm: 0), Request(perTerm: 6),
        Request(categories: ["../ui": ["check"]]), Request(categories: ["": ["check"]]),
        Request(categories: ["a/b": ["check"]]),
        Request(categories: ["ui\u{0}": ["check"]]), Request(categories: [".": ["check"]]),
        Request(categories: ["😀": ["check"]]),
        Request(categories: [String(repeating: "a", count: 4000): ["check"]]),
        Request(categories: ["UI": ["check"], "ui": ["close"]]),
        Request(categories: ["a b": ["check"], "a-b": ["close"]]), Request(categories: ["ui": [""]]),
        Request(categories: ["ui": [" \u{A0}"]]),
        Request(categories: ["ui": ["a\u{0}b"]]), Request(categories: ["ui": ["a\nb"]]),
        Request(categories: ["ui": ["\u{202E}a"]]),
        Request(categories: ["ui": [String(repeating: "x", count: 4000)]]),
        Request(categories: ["ui": (0...1000).map { "t\($0)" }]),
        Request(categories: Dictionary(uniqueKeysWithValues: (0...100).map { ("c\($0)", ["check"]) })),
    ])
    func aRequestThatCanNotBeIsRefusedBeforeAnythingIsDone(_ request: SeedIconsProvider.Request) async throws {
        let fixture = SeedFixture()
        let error = await #expect(throws: OperationError.self) { try await fixture.run(request) }
        #expect(error?.code == .invalidValue)
        #expect((error?.message.utf8.count ?? 0) < 300)
        #expect(error?.message.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E } == false)
        #expect(fixture.asked.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: fixture.root))
    }

    @Test func aRequestAsJSONMayLeaveOutAnything() throws {
        let read = { (json: String) in try JSONDecoder().decode(Request.self, from: Data(json.utf8)) }
        #expect(try read("{}") == Request())
        #expect(
            try read(#"{"categories": {"a": ["b"]}, "per_term": 3, "format": "png", "only_public_domain": true}"#)
                == Request(categories: ["a": ["b"]], perTerm: 3, format: .png, onlyPublicDomain: true)
        )
        #expect(throws: (any Error).self) { try read(#"{"format": "exe"}"#) }
        #expect(String(decoding: try JSONEncoder().encode(Request()), as: UTF8.self).contains("\"per_term\":1"))
    }

    @Test func noKeyAndNoSignatureIsToldOrKept() async throws {
        let fixture = SeedFixture { path, query in
            query["query"] == "close" ? .json(#"{"message": "bad oauth_signature"}"#, status: 401) : nil
        }
        let ending = try await fixture.run(Request(categories: ["ui": ["check", "close"]]))
        #expect(ending.operation.failure?.code == .unauthorized)
        #expect(ending.told.contains("refuses the key"))
        for secret in ["the-key", "the-secret", "oauth_nonce", "OAuth "] {
            #expect(!ending.told.contains(secret))
            #expect(fixture.text("index.json")?.contains(secret) == false)
        }
    }

    @Test func itsTraitsAreThoseThatItKeeps() {
        let provider = SeedFixture().provider()
        #expect(provider.traits.pausing == .inPlace)
        #expect(provider.traits.mayBeStartedOverHTTP)
        #expect(!SeedFixture().provider(allowsAnyRoot: true).traits.mayBeStartedOverHTTP)
        #expect(provider.traits.isUnique)
        #expect(provider.description(of: Request()) == "Seed an icon for each of 17 terms")
        #expect(
            provider.description(of: Request(categories: ["a": ["b"]], perTerm: 2)) == "Seed 2 icons for each of 1 term"
        )
    }
}
