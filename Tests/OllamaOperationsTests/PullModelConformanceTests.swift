import OllamaOperations
import OllamaStandIn
import OperationTracking
import OperationTrackingTesting
import OperationTransfer
import TestSupport
import Testing

struct PullModelConformanceTests {
    private static func sample() throws -> ProviderSample<PullModelProvider> {
        let ollama = try OllamaStandIn(models: [
            ScriptedModel(name: "small", bytes: 100_000, registryLatency: .zero),
            ScriptedModel(name: "large", bytes: 6_000_000, link: .steady(6_000_000), registryLatency: .zero),
        ])
        let client = OllamaClient(
            address: try OllamaAddress(ollama.url),
            apiKey: "s3cret-key",
            transport: CurlTransport()
        )
        var sample = ProviderSample(
            PullModelProvider(client: client),
            succeeding: .init(model: "small"),
            failing: .init(model: "nobody"),
            long: .init(model: "large")
        )
        sample.invalid = [.init(model: ""), .init(model: "two words")]
        sample.secrets = ["s3cret-key"]
        // A pull that is not wanted any more is not to go on at the server, which sees it some milliseconds later.
        sample.leftovers = {
            try? await eventually { ollama.pullsInFlight == 0 }
            return ollama.pullsInFlight > 0 ? ["a pull at the server"] : []
        }
        // Which of the small layers are seen is a matter of moments.
        sample.isSameResult = { $0.model == $1.model && $0.bytes >= 6_000_000 && $1.bytes >= 6_000_000 }
        return sample
    }

    @Test(arguments: ProviderExpectation.allCases)
    func pullingAModel(_ expectation: ProviderExpectation) async throws {
        try await ProviderConformance.check(expectation) { try Self.sample() }
    }
}
