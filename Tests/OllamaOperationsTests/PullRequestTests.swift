#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OllamaOperations
import Testing

@Suite struct PullRequestTests {
    @Test func aRequestThatSaysNothingOfItIsNotInsecure() throws {
        let request = try JSONDecoder().decode(PullModelProvider.Request.self, from: Data(#"{"model": "m"}"#.utf8))
        #expect(request == PullModelProvider.Request(model: "m"))
    }
}
