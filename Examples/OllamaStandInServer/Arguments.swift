import OllamaStandIn

/// What the command line asks for.
struct Arguments {
    static let usage = """
        usage: ollama-stand-in [--port N] [--model NAME=MB]... [--cut NAME=BYTES]... [--error NAME=BYTES]...

        Answers POST /api/pull on 127.0.0.1 as Ollama does, without downloading anything. MB are 10^6 bytes.
        --cut closes the connection of each pull of NAME after BYTES, --error ends it with an error line.
        """

    struct UsageError: Error {
        let message: String
    }

    private(set) var port: UInt16 = 0
    private(set) var models: [ScriptedModel] = []

    init(_ arguments: [String]) throws(UsageError) {
        var sizes: [(name: String, bytes: Int)] = []
        var faults: [String: [Fault]] = [:]
        var rest = arguments[...]
        while let option = rest.popFirst() {
            guard let value = rest.popFirst() else {
                throw UsageError(message: "\(option) needs a value, or is unknown")
            }
            switch option {
            case "--port":
                guard let port = UInt16(value) else { throw UsageError(message: "\(value) is no port") }
                self.port = port
            case "--model":
                let (name, megabytes) = try Self.pair(value)
                guard megabytes <= 1_000_000_000 else { throw UsageError(message: "\(value): too large") }
                sizes.append((name, megabytes * 1_000_000))
            case "--cut":
                let (name, bytes) = try Self.pair(value)
                faults[name, default: []].append(Fault(.cut(afterBytes: bytes)))
            case "--error":
                let (name, bytes) = try Self.pair(value)
                faults[name, default: []].append(Fault(.error(afterBytes: bytes, message: "unexpected EOF")))
            default:
                throw UsageError(message: "unknown option \(option)")
            }
        }
        for name in faults.keys where !sizes.contains(where: { $0.name == name }) {
            throw UsageError(message: "there is no --model \(name)=MB for its fault")
        }
        models = sizes.map { ScriptedModel(name: $0.name, bytes: $0.bytes, faults: faults[$0.name] ?? []) }
    }

    private static func pair(_ text: String) throws(UsageError) -> (name: String, number: Int) {
        let parts = text.split(separator: "=")
        guard parts.count == 2, let number = Int(parts[1]), number >= 0 else {
            throw UsageError(message: "\(text) is not NAME=NUMBER")
        }
        return (String(parts[0]), number)
    }
}
