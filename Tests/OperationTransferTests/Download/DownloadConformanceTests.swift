import OperationTracking
import OperationTrackingTesting
import OperationTransfer
import Testing

struct DownloadConformanceTests {
    private static let file = ServedFile(count: 1_000_000)

    private static func sample() throws -> ProviderSample<DownloadProvider> {
        let server = try FileServer(file)
        let fixture = DownloadFixture()
        var sample = ProviderSample(
            fixture.provider(),
            succeeding: .init(url: server.url("/small"), target: "small"),
            failing: .init(url: server.url("/small"), target: "wrong", size: 5),
            long: .init(url: server.url("/large"), target: "large", limit: 2_000_000)
        )
        sample.invalid = [.init(url: "http://user:password@127.0.0.1/x"), .init(url: server.url("/x"), target: "../x")]
        // A part belongs to its download, which goes on with it. Under a final name there is the whole file or nothing.
        sample.leftovers = {
            let kept = ["small", "large"].flatMap { [$0, $0 + ".part", $0 + ".part.json"] }
            let halves = ["small", "large"].filter { name in fixture.bytes(name).map { $0 != file.bytes } ?? false }
            // The server lives as long as the sample.
            return withExtendedLifetime(server) { fixture.names.filter { !kept.contains($0) } + halves }
        }
        // Each sample has a folder of its own.
        sample.isSameResult = { $0.bytes == $1.bytes && $0.sha256 == $1.sha256 }
        return sample
    }

    // A download knows no secret: what is in its URL is kept in the history, as its documentation says.
    @Test(arguments: ProviderExpectation.allCases.filter { $0 != .keepsSecrets })
    func aDownload(_ expectation: ProviderExpectation) async throws {
        try await ProviderConformance.check(expectation) { try Self.sample() }
    }
}
