public import OperationTracking

extension OperationFailure.Code {
    /// Ollama could not reach the registry that it pulls from.
    public static let registryUnreachable = Self(rawValue: "registry_unreachable")
    /// This Ollama, or this machine, can't run the model.
    public static let unsupportedModel = Self(rawValue: "unsupported_model")
    /// Ollama gave an error that is not known here.
    public static let pullFailed = Self(rawValue: "pull_failed")
}

/// Turns Ollama's error texts into failures with a code and a sentence that says what to do.
///
/// Ollama has no codes: every failure of a pull is an error line with a text. The texts were seen in recorded streams.
enum PullFailure {
    private typealias Code = OperationFailure.Code

    /// The first rule any of whose marks is in the text decides, so the narrower ones stand first. A registry's HTTP status
    /// stands at the text's beginning or after a colon.
    private static let rules: [(marks: [String], code: Code, advice: String)] = [
        (
            ["manifest: file does not exist"], .notFound,
            "The registry has no such model or tag: check the name at https://ollama.com/library."
        ),
        (
            ["no space left on device", "not enough space"], .diskFull,
            "Free some room on the disk with Ollama's models folder (OLLAMA_MODELS), then pull again; what has arrived is kept."
        ),
        (
            ["read-only file system", "permission denied"], .storageError,
            "Make Ollama's models folder (OLLAMA_MODELS) writable for the user that runs Ollama."
        ),
        (
            ["digest mismatch"], .integrityError,
            "What arrived is not what the registry promised, and Ollama has thrown it away. Pull again; if it happens again, suspect a proxy or the registry."
        ),
        (
            ["unauthorized", "access denied", ": 401:", ": 403:", "realm host"], .unauthorized,
            "The registry refuses access: sign in (`ollama signin`), or check that the model is public."
        ),
        (["invalid model name"], .invalidRequest, "Give a name such as `llama3.2` or `host/namespace/model:tag`."),
        (
            ["requires a newer version", "MLX", "not supported"], .unsupportedModel,
            "Update Ollama, or choose another variant of the model."
        ),
        (
            [": 500:", ": 502:", ": 503:", ": 504:"], .serverError,
            "The registry has a fault of its own: try again later."
        ),
        (
            [": 429:", "too many requests"], .rateLimited,
            "The registry asks to be called less often: try again later."
        ),
        (
            ["invalid character"], .protocolError,
            "What answers in the registry's place is no registry: check the host in the model's name, and the proxy."
        ),
        (
            [
                "dial tcp", "lookup ", "tls:", "max retries exceeded", "EOF", "connection re", "i/o timeout",
                "no Location header",
            ],
            .registryUnreachable,
            "Ollama can't reach its registry: check the network, the proxy, and for a registry of your own --insecure."
        ),
        (
            ["file does not exist", ": 404:"], .notFound,
            "The registry lacks a part of this model: try another tag, or tell the model's publisher."
        ),
    ]

    static func failure(text: String) -> OperationFailure {
        known(text)
            ?? OperationFailure(
                .pullFailed,
                "Ollama says: \(redacted(text)). Look into Ollama's log for more, then try again."
            )
    }

    private static func known(_ text: String) -> OperationFailure? {
        let marked = ": " + text
        guard let rule = rules.first(where: { $0.marks.contains { marked.contains($0) } }) else { return nil }
        return OperationFailure(rule.code, "Ollama says: \(redacted(text)). \(rule.advice)")
    }

    static func failure(status: Int, text: String?, retryAfter: Duration?) -> OperationFailure {
        let said = text.map { ": \(redacted($0))" } ?? ""
        return switch status {
        case 400: failure(text: text ?? "invalid model name").coded(.invalidRequest)
        case 401, 403:
            OperationFailure(
                .unauthorized,
                "The Ollama server refuses access (HTTP \(status)\(said)). Check OLLAMA_API_KEY and OLLAMA_ORIGINS."
            )
        case 404, 405:
            OperationFailure(
                .notFound,
                "There is no Ollama pull API at this address (HTTP \(status)\(said)). Check the address (--ollama or OLLAMA_HOST)."
            )
        case 300...399:
            OperationFailure(
                .protocolError,
                "The server sends us elsewhere (HTTP \(status)), which Ollama never does. Give the address of Ollama itself (--ollama or OLLAMA_HOST)."
            )
        case 429:
            OperationFailure(
                .rateLimited,
                "The Ollama server asks to be called less often (HTTP 429\(said)). Try again later.",
                retryAfter: retryAfter
            )
        case 500...599:
            text.flatMap(known)
                ?? OperationFailure(
                    .serverError,
                    "The Ollama server has a fault of its own (HTTP \(status)\(said)). Try again, and look into its log if it stays.",
                    retryAfter: retryAfter
                )
        default:
            OperationFailure(
                .protocolError,
                "The server answered HTTP \(status)\(said), which Ollama's pull never does. Check the address (--ollama or OLLAMA_HOST)."
            )
        }
    }

    static let cut = OperationFailure(
        .connectionLost,
        "The connection to Ollama ended before the pull did: the server was stopped or has crashed. Pull again; what has arrived is kept."
    )

    static let foreign = OperationFailure(
        .protocolError,
        "What answered is not Ollama: its answer has no line of a pull. Check the address (--ollama or OLLAMA_HOST), and whether a proxy or a sign-in page stands before it."
    )

    static func stalled(_ seconds: Int, phase: PullProgress.Phase) -> OperationFailure {
        OperationFailure(
            .stalled,
            "Nothing has moved for \(seconds) s (\(phase.rawValue)). Check Ollama's network, or restart Ollama; what has arrived is kept."
        )
    }

    /// A text from outside as it may be kept and shown.
    static func redacted(_ text: String) -> String {
        guard text.contains(where: { !$0.isWhitespace }) else { return "nothing of why" }
        let shown = text.bounded(toBytes: 500).withoutURLSecrets + (text.utf8.count > 500 ? "…" : "")
        return shown.hasSuffix(".") ? String(shown.dropLast()) : shown
    }
}

extension OperationFailure {
    fileprivate func coded(_ code: Code) -> OperationFailure {
        OperationFailure(code, message, retryAfter: retryAfter)
    }
}
