import Foundation
import OperationTracking
import Testing

@testable import OperationTransfer

/// The rules that need no network: names, notes, ranges, times.
struct DownloadRulesTests {
    private func target(_ target: String?, url: String = "http://h/a/b.bin", anywhere: Bool = false) -> DownloadTarget?
    {
        try? DownloadTarget(target, url: url, directory: "/data", allowsPaths: anywhere)
    }

    @Test(arguments: [
        ("http://h/a/b.bin", "b.bin"), ("http://h/a%20b.bin?x=/y#z", "a b.bin"),
        ("http://h/%2e%2e%2fetc%2fpasswd", "passwd"),
        ("http://h/a/..", nil), ("http://h/", nil), ("http://h", nil), ("http://h/a/", nil), ("http://h/a%00b", nil),
        ("http://h/a%0ab", nil), ("http://h/%2e%2e", nil), ("http://h/é🙂", "é🙂"),
        ("http://h/%2e%2e%2f%CC%81x", "\u{301}x"), ("http://h/a/%CC%81x", "\u{301}x"), ("http://h/a%D8%80/x", "x"),
    ])
    func aNameFromAURLIsANameAndNothingElse(url: String, name: String?) {
        #expect(target(nil, url: url)?.name == name)
        #expect(DownloadProvider.fileName(inURL: url) == name)
    }

    @Test(arguments: [
        "", ".", "..", "../x", "a/b", "/etc/passwd", "a\0b", "a\nb", "a\u{202E}b", "x.part", "x.part.json",
        String(repeating: "n", count: 4000), String(repeating: "🙂", count: 62), "..\\x/../y",
        // To a `Character` these have no '/' and no '.part'.
        "../\u{301}x", "a/\u{200D}x", "..\u{600}/x", "x\u{600}.part",
    ])
    func aNameThatIsNoneOrLeadsAwayIsRefused(name: String) {
        #expect(target(name) == nil)
    }

    @Test func namesStayInTheFolder() {
        #expect(target("x")?.path == "/data/x")
        #expect(target(".hidden")?.path == "/data/.hidden")
        #expect(target(String(repeating: "n", count: 245))?.noteName.utf8.count == 255)
    }

    @Test func pathsMayLeadElsewhereWhereThatIsAllowed() {
        #expect(target("/tmp/x", anywhere: true)?.path == "/tmp/x")
        #expect(target("/x", anywhere: true)?.path == "/x")
        #expect(target("sub/x", anywhere: true)?.path == "/data/sub/x")
        #expect(target("sub/..", anywhere: true) == nil)
        #expect(target("sub/", anywhere: true) == nil)
        #expect(target("a\0b/x", anywhere: true) == nil)
        #expect(target("/\u{301}x", anywhere: true)?.path == "/\u{301}x")
        #expect(target("sub/\u{301}x", anywhere: true)?.name == "\u{301}x")
    }

    @Test func aSizeThatIsGivenIsAskedForWhereTheFolderIsLookedAfter() throws {
        let fixture = DownloadFixture()
        var provider = fixture.provider()
        let known = DownloadProvider.Request(url: "http://h/f", size: 1000)
        #expect(provider.demand(of: known) == .unknown && !provider.traits.writesToDataDirectory)
        provider.isInDataDirectory = true
        #expect(provider.traits.writesToDataDirectory)
        #expect(provider.demand(of: known) == ResourceDemand(diskBytes: 1000))
        #expect(provider.demand(of: .init(url: "http://h/f")) == .unknown)
        try Data(count: 400).write(to: URL(fileURLWithPath: fixture.path("f.part")))
        #expect(provider.demand(of: known) == ResourceDemand(diskBytes: 600))
        var anywhere = fixture.provider(allowsAnyTarget: true)
        anywhere.isInDataDirectory = true
        #expect(anywhere.demand(of: known) == .unknown && !anywhere.traits.writesToDataDirectory)
    }

    @Test func onlyAProviderThatKeepsToItsFolderIsStartedOverHTTP() {
        let transport = CurlTransport()
        #expect(DownloadProvider(transport: transport, directory: "/d").traits.mayBeStartedOverHTTP)
        #expect(
            !DownloadProvider(transport: transport, directory: "/d", allowsAnyTarget: true).traits.mayBeStartedOverHTTP
        )
    }

    @Test(
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199), ("Sat, 01 Mar 2025 00:00:00 GMT", 1_740_787_200),
            ("Sun Nov  6 08:49:37 1994", nil), ("Sun, 06 Nov 1994 08:49:37 CET", nil), ("", nil), ("now", nil),
            ("Sun, 06 Nov 1994 24:49:37 GMT", nil), ("Sun, +6 Nov 1994 08:49:37 GMT", nil),
        ] as [(String, Int64?)]
    )
    func timesAreReadAsHTTPWritesThem(text: String, seconds: Int64?) {
        #expect(HTTPDate.seconds(text) == seconds)
    }

    @Test func aWaitIsSecondsOrATimeOfTheServersOwnClock() {
        #expect(HTTPHeaders().retryAfter(at: 0) == nil)
        #expect((["Retry-After": "120"] as HTTPHeaders).retryAfter(at: 0) == .seconds(120))
        #expect((["Retry-After": "-1"] as HTTPHeaders).retryAfter(at: 0) == nil)
        #expect((["Retry-After": "soon"] as HTTPHeaders).retryAfter(at: 0) == nil)
        #expect((["Retry-After": "99999999999999999999"] as HTTPHeaders).retryAfter(at: 0) == .seconds(1 << 40))
        let late = ["Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"] as HTTPHeaders
        #expect(late.retryAfter(at: 784_111_700_000) == .seconds(77))
        #expect(late.retryAfter(at: 784_111_999_000) == .zero)
        var dated = late
        dated["Date"] = "Sun, 06 Nov 1994 08:49:30 GMT"
        #expect(dated.retryAfter(at: 0) == .seconds(7))
    }

    @Test(
        arguments: [
            ("bytes 0-4/5", 0, 4, 5), ("bytes 3-4/*", 3, 4, nil), ("bytes */5", nil, nil, 5), ("BYTES 3-3/4", 3, 3, 4),
        ] as [(String, Int64?, Int64?, Int64?)]
    )
    func rangesAreRead(text: String, first: Int64?, last: Int64?, total: Int64?) {
        let range = ContentRange(text)
        #expect(range?.first == first && range?.last == last && range?.total == total)
        #expect(range != nil)
    }

    @Test(arguments: [
        "", "bytes", "bytes 0-4", "bytes 4-0/5", "bytes 0-5/5", "bytes -4/5", "bytes 0-/5", "items 0-4/5",
        "bytes 0-4/x",
        "bytes +0-4/5", "bytes 0-4-5/6", "bytes 0-99999999999999999999/*",
    ])
    func rangesThatAreNoneAreNone(text: String) {
        #expect(ContentRange(text) == nil)
    }

    @Test func aNoteIsOfOneURLAndTellsNothingOfIt() {
        let url = "http://h/x?signature=secret"
        let note = PartNote(url: url, headers: ["ETag": "\"v\""], total: 5)
        #expect(PartNote(json: note.json, url: url) == note)
        #expect(PartNote(json: note.json, url: url + "2") == nil)
        #expect(!String(decoding: note.json, as: UTF8.self).contains("secret"))
    }

    @Test(
        arguments: [
            (["ETag": "\"v\""], "\"v\""), (["ETag": "W/\"v\""], nil), (["ETag": "v"], nil), (["ETag": "\"é\""], nil),
            (["Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT"], nil),
            (["Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"], nil),
            (
                ["Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT", "Date": "Sun, 06 Nov 1994 08:49:38 GMT"],
                "Sun, 06 Nov 1994 08:49:37 GMT"
            ),
            (
                [
                    "ETag": "W/\"v\"", "Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT",
                    "Date": "Sun, 06 Nov 1994 08:49:38 GMT",
                ], nil
            ),
        ] as [(HTTPHeaders, String?)]
    )
    func onlyAStrongValidatorIsKept(headers: HTTPHeaders, validator: String?) {
        #expect(PartNote(url: "http://h/x", headers: headers, total: nil).validator == validator)
    }

    @Test func digestsAreThoseOfTheStandard() {
        // FIPS 180-4's examples, by NIST.
        #expect(
            Checksum.hexadecimal(of: "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )
        #expect(Checksum.hexadecimal(of: "") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func estimatesDependOnTheHostAndThePort() {
        let provider = DownloadProvider(transport: CurlTransport(), directory: "/d")
        func feature(_ url: String) -> String { provider.estimateFeature(of: .init(url: url)) }
        #expect(feature("https://Example.ORG/a?token=secret#x") == "example.org:443")
        #expect(feature("http://user:secret@example.org:8080/a") == "example.org:8080")
        #expect(feature("no address") == "")
    }
}
