/// A model's name in the form Ollama shows it: with a tag, and without the parts that are the default.
///
/// A name is `host/namespace/model:tag`; the defaults are `registry.ollama.ai`, `library` and `latest`.
struct ModelName: Sendable, Hashable, CustomStringConvertible {
    let description: String

    /// `nil` for what Ollama refuses as an invalid model name.
    init?(_ text: String) {
        let withoutScheme = ["https://", "http://"].first(where: text.hasPrefix).map { text.dropFirst($0.count) }
        var parts = (withoutScheme ?? text[...]).split(separator: "/", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count) else { return nil }

        let named = parts.removeLast().split(separator: ":", omittingEmptySubsequences: false)
        guard named.count <= 2, let model = named.first else { return nil }
        let tag = named.count == 2 ? named[1] : "latest"
        let namespace = parts.popLast() ?? "library"
        let host = parts.popLast() ?? "registry.ollama.ai"

        guard [model, tag, namespace].allSatisfy({ Self.isPart($0, alsoAllowing: "_-.", longest: 80) }),
            Self.isPart(host, alsoAllowing: "_-.:", longest: 350)
        else { return nil }

        description =
            if host != "registry.ollama.ai" {
                "\(host)/\(namespace)/\(model):\(tag)"
            } else {
                namespace == "library" ? "\(model):\(tag)" : "\(namespace)/\(model):\(tag)"
            }
    }

    private static func isPart(_ text: Substring, alsoAllowing extra: String, longest: Int) -> Bool {
        func isAlphanumeric(_ character: Character) -> Bool {
            character.isASCII && (character.isLetter || character.isNumber)
        }
        guard let first = text.first, text.count <= longest else { return false }
        return (isAlphanumeric(first) || first == "_") && text.allSatisfy { isAlphanumeric($0) || extra.contains($0) }
    }
}
