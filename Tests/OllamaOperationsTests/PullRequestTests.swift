#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OllamaOperations
import OperationTransfer
import Testing

@Suite struct PullRequestTests {
    @Test func aRequestThatSaysNothingOfItIsNotInsecure() throws {
        let request = try JSONDecoder().decode(PullModelProvider.Request.self, from: Data(#"{"model": "m"}"#.utf8))
        #expect(request == PullModelProvider.Request(model: "m"))
    }

    @Test func estimatesDependOnTheRegistry() {
        let provider = PullModelProvider(client: OllamaClient(transport: CurlTransport()))
        func feature(_ model: String) -> String { provider.estimateFeature(of: .init(model: model)) }
        #expect(feature("llama3.2") == "registry.ollama.ai")
        #expect(feature("library/llama3.2:1b") == "registry.ollama.ai")
        #expect(feature("HF.co/someone/model:Q4") == "hf.co")
        #expect(feature("https://user:secret@localhost:5000/a/b") == "localhost:5000")
    }
}
