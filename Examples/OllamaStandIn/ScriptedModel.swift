/// A model that the stand-in can be asked to pull, with the course its pull takes.
public struct ScriptedModel: Sendable {
    /// One layer of a model.
    public struct Layer: Sendable, Equatable {
        /// `sha256:` and 64 hexadecimal digits. Models that name the same digest share the layer.
        public let digest: String
        /// The layer's size, 0 or more.
        public let bytes: Int

        /// A layer with a digest of one's own choice.
        public init(digest: String, bytes: Int) {
            precondition(
                digest.hasPrefix("sha256:") && digest.utf8.count == 71,
                "a digest is sha256: and 64 hex digits"
            )
            precondition(bytes >= 0, "a layer has no negative size")
            self.digest = digest
            self.bytes = bytes
        }

        /// A layer with a made-up digest, always the same one for the same seed.
        public init(seed: String, bytes: Int) {
            self.init(digest: "sha256:" + MadeUpDigest.hex(seed: seed), bytes: bytes)
        }
    }

    /// The way lines come about.
    enum Course: Sendable {
        case script(PullScript)
        case replay([PullEvent])
    }

    /// The name as a client gives it: `demo`, `demo:7b`, `user/demo`, `127.0.0.1:21500/library/demo`.
    public let name: String
    let course: Course
    let faults: [Fault]

    /// A model whose pull is computed from a script.
    ///
    /// - Parameters:
    ///   - layers: In the order of the manifest, the config last.
    ///   - link: The rate of the download.
    ///   - registryLatency: How long the registry and the host of the layers take for each answer. One answer passes
    ///     before the first layer is known, one before a layer's size is known, two more before its first byte.
    ///   - hashingRate: Bytes a second, above 0, of the silence after `verifying sha256 digest`.
    ///   - lineInterval: Time between the lines of a layer, above 0. Ollama's is 60 ms.
    ///   - faults: What goes wrong. Of several at the same byte, the first one comes first.
    public init(
        name: String,
        layers: [Layer],
        link: LinkSchedule = .steady(30_000_000),
        registryLatency: Duration = .milliseconds(70),
        hashingRate: Int = 1_500_000_000,
        lineInterval: Duration = .milliseconds(60),
        faults: [Fault] = []
    ) {
        precondition(registryLatency >= .zero && lineInterval > .zero && hashingRate > 0, "time does not run backwards")
        self.name = name
        course = .script(
            PullScript(
                layers: layers,
                link: link,
                registryLatency: registryLatency.nanoseconds,
                hashingRate: hashingRate,
                lineInterval: lineInterval.nanoseconds
            )
        )
        self.faults = faults
    }

    /// A model of `bytes` with the four small layers a usual one has: template, licence, parameters and config.
    public init(
        name: String,
        bytes: Int,
        link: LinkSchedule = .steady(30_000_000),
        registryLatency: Duration = .milliseconds(70),
        faults: [Fault] = []
    ) {
        self.init(
            name: name,
            layers: [
                Layer(seed: "\(name) model", bytes: bytes),
                Layer(seed: "template", bytes: 980),
                Layer(seed: "license", bytes: 12_288),
                Layer(seed: "params", bytes: 95),
                Layer(seed: "\(name) config", bytes: 516),
            ],
            link: link,
            registryLatency: registryLatency,
            faults: faults
        )
    }

    /// A model whose pull sends recorded lines at their own pace, then ends in an orderly way.
    ///
    /// - Parameters:
    ///   - lines: Seconds since the request, never falling, and the line without its newline.
    ///   - speed: Above 0; 2 is twice as fast as recorded.
    ///   - faults: Only the kinds that replace the whole answer have an effect.
    public init(
        name: String,
        replaying lines: [(at: Double, line: String)],
        speed: Double = 1,
        faults: [Fault] = []
    ) {
        precondition(speed > 0, "a recording is not played backwards")
        self.name = name
        course = .replay(
            lines.map { PullEvent(at: Nanoseconds($0.at / speed * 1e9), action: .send(Array("\($0.line)\n".utf8))) }
        )
        self.faults = faults
    }

    var layers: [Layer] {
        if case .script(let script) = course { script.layers } else { [] }
    }
}
