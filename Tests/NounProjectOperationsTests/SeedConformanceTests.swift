import OperationTracking
import OperationTrackingTesting
import Testing

@testable import NounProjectOperations

struct SeedConformanceTests {
    private static func sample() -> ProviderSample<SeedIconsProvider> {
        let fixture = SeedFixture { _, query in query["query"] == "nothing" ? SeedFixture.found([]) : nil }
        fixture.setDelay(.milliseconds(5))
        var sample = ProviderSample(
            fixture.provider(),
            succeeding: .init(categories: ["ui": ["check"]]),
            failing: .init(categories: ["ui": ["nothing"]]),
            long: .init(categories: ["ui": ["check", "close"], "nav": ["up", "down"]], perTerm: 3)
        )
        sample.invalid = [.init(categories: ["../x": ["check"]]), .init(perTerm: 6), .init(root: "/elsewhere")]
        sample.secrets = ["the-key", "the-secret", "oauth_"]
        sample.leftovers = {
            let icons = fixture.files.filter { $0.hasSuffix(".svg") }
            let entries = fixture.index?["icons"]?.object?.keys.sorted() ?? []
            return fixture.files.filter { $0.hasSuffix(".part") } + icons.filter { fixture.text($0) != SeedFixture.svg }
                + Set(icons).symmetricDifference(entries)
        }
        // Each sample has a folder of its own, and what an interrupted run had fetched is there already for the next.
        sample.isSameResult = { $0.added + $0.skipped == 12 && $1.added + $1.skipped == 12 && $0.errors == $1.errors }
        return sample
    }

    @Test(arguments: ProviderExpectation.allCases)
    func seedingIcons(_ expectation: ProviderExpectation) async throws {
        try await ProviderConformance.check(expectation) { Self.sample() }
    }
}
