import OllamaOperations
import OperationTracking
import Testing

struct OllamaAddressTests {
    @Test(arguments: [
        ("", "http://127.0.0.1:11434"), ("localhost", "http://localhost:11434"),
        ("192.0.2.7", "http://192.0.2.7:11434"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"), (":8080", "http://127.0.0.1:8080"),
        ("http://ollama.example", "http://ollama.example:80"), ("https://ollama.example", "https://ollama.example:443"),
        ("https://ollama.example:11434/", "https://ollama.example:11434"),
        ("HTTPS://Example.org", "https://Example.org:443"),
        ("http://example.org/api/ollama/", "http://example.org:80/api/ollama"),
        ("example.org/ollama", "http://example.org:11434/ollama"),
        ("0.0.0.0", "http://127.0.0.1:11434"), ("0.0.0.0:9999", "http://127.0.0.1:9999"),
        ("[::]:9999", "http://[::1]:9999"),
        ("[::1]", "http://[::1]:11434"), ("::1", "http://[::1]:11434"), ("::", "http://[::1]:11434"),
        ("[fe80::1]:77", "http://[fe80::1]:77"),
        (" \"localhost:1\" ", "http://localhost:1"),
    ])
    func everyFormThatOllamaTakesIsTaken(_ text: String, _ url: String) throws {
        #expect(try OllamaAddress(text).url == url)
    }

    @Test(arguments: [
        "ftp://example.org", "host:0", "host:65536", "host:x", "host:+80", "a b", "host:1:2", "1:2:x", "[::1", "[]",
        "host\u{0}", "host\r\nX: y", "user:secret@host", "host?query", "http://host#x",
    ])
    func otherTextIsRefusedWithAnExample(_ text: String) throws {
        let failure = #expect(throws: OperationFailure.self) { try OllamaAddress(text) }
        #expect(failure?.code == .invalidRequest)
        #expect(failure?.message.contains("127.0.0.1:11434") == true)
    }

    @Test func theEnvironmentNamesTheServer() throws {
        #expect(try OllamaAddress(environment: ["OLLAMA_HOST": "10.0.0.1:1"]).url == "http://10.0.0.1:1")
        #expect(try OllamaAddress(environment: [:]) == .default)
    }
}
