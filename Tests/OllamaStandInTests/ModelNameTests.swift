import Testing

@testable import OllamaStandIn

struct ModelNameTests {
    @Test(arguments: [
        ("demo", "demo:latest"),
        ("demo:7b-q4_K.M", "demo:7b-q4_K.M"),
        ("library/demo", "demo:latest"),
        ("registry.ollama.ai/library/demo:7b", "demo:7b"),
        ("user/demo", "user/demo:latest"),
        ("127.0.0.1:21500/library/quick", "127.0.0.1:21500/library/quick:latest"),
        ("http://127.0.0.1:21500/library/quick", "127.0.0.1:21500/library/quick:latest"),
    ])
    func aNameIsShownWithItsTagAndWithoutDefaults(text: String, shown: String) {
        #expect(ModelName(text)?.description == shown)
    }

    @Test(arguments: [
        "", "bad name!!/x y", "a/b/c/d", "/demo", "demo/", "demo:", ":7b", "demo:7b:8b", "-demo", "../demo", "dé",
        String(repeating: "a", count: 81),
    ])
    func anInvalidNameIsNone(text: String) {
        #expect(ModelName(text) == nil)
    }
}
