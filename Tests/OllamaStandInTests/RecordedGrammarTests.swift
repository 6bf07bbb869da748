import Testing

@testable import OllamaStandIn

/// The stand-in against recordings of the real server: both obey one grammar, and a script of a recording's shape gives
/// its sequence of lines.
struct RecordedGrammarTests {
    /// A recording, and the script that has its shape.
    struct Shape: CustomTestStringConvertible {
        let recording: String
        var megabytesPerSecond = 30
        var latency = Duration.milliseconds(70)
        var everythingKept = false
        var faults: [Fault.Kind] = []
        /// The recording that names all layers, where this one has none for the small ones.
        var layersFrom: String?

        var testDescription: String { recording }

        func stream() throws -> PullStream {
            let layers = try Recording.lines(layersFrom ?? recording).reduce(into: [ScriptedModel.Layer]()) {
                let fields = try LineFields($1.line)
                guard let digest = fields.digest, let total = fields.total, $0.last?.digest != digest else { return }
                $0.append(ScriptedModel.Layer(digest: digest, bytes: total))
            }
            let script = PullScript(
                layers: layers,
                link: .steady(megabytesPerSecond * 1_000_000),
                registryLatency: latency.nanoseconds,
                hashingRate: 1_300_000_000,
                lineInterval: Duration.milliseconds(60).nanoseconds
            )
            let kept = everythingKept ? Dictionary(uniqueKeysWithValues: layers.map { ($0.digest, $0.bytes) }) : [:]
            return PullStream(script, kept: kept, faults: faults)
        }
    }

    static let shapes = [
        Shape(recording: "fresh_instant", megabytesPerSecond: 400, latency: .zero, layersFrom: "cached_full"),
        Shape(recording: "cached_full", everythingKept: true),
        Shape(recording: "two_big_layers"),
        Shape(recording: "update_first"),
        Shape(recording: "digest_mismatch", megabytesPerSecond: 20, faults: [.digestMismatch]),
    ]

    /// The server says 95 of 95 once there, in the 60 ms between a layer's last byte and its end: chance, not protocol.
    private static func withoutChance(_ lines: [TimedLine]) throws -> [TimedLine] {
        try lines.enumerated().filter { index, timed in
            let fields = try LineFields(timed.line)
            let isWhole = fields.completed != nil && fields.completed == fields.total
            return try !isWhole || LineFields(lines[index - 1].line).digest != fields.digest
        }.map(\.element)
    }

    @Test(arguments: shapes)
    func aScriptOfTheSameShapeGivesTheRecordedSequenceOfLines(shape: Shape) throws {
        let recorded = try Grammar(Self.withoutChance(Recording.lines(shape.recording)))
        var stream = try shape.stream()
        let scripted = try Grammar(events(of: &stream).compactMap(\.timedLine))
        #expect(scripted.sequence == recorded.sequence)
        #expect(abs(scripted.kinds.count - recorded.kinds.count) <= recorded.kinds.count / 10)
    }

    @Test(arguments: ["two_big_layers", "digest_mismatch", "update_first"])
    func linesOfALayerComeEverySixtyMilliseconds(recording: String) throws {
        let shape = try #require(Self.shapes.first { $0.recording == recording })
        var stream = try shape.stream()
        let scripted = try Grammar(events(of: &stream).compactMap(\.timedLine))
        let recorded = try Grammar(Self.withoutChance(Recording.lines(recording)))
        for interval in scripted.intervals { #expect(abs(interval - 0.060) < 1e-6) }
        let median = recorded.intervals.sorted()[recorded.intervals.count / 2]
        #expect(abs(median - 0.060) < 0.001)
    }

    @Test func onlyChanceMakesARecordedDownloadSayThatItIsWhole() throws {
        let lines = try Recording.lines("two_big_layers")
        #expect(try lines.count - Self.withoutChance(lines).count == 1)
    }

    @Test func anUnknownModelIsAnsweredAsRecorded() throws {
        var stream = FixedEvents.unknownModel
        #expect(
            events(of: &stream).compactMap(\.timedLine?.line) == (try Recording.lines("missing_manifest").map(\.line))
        )
    }

    @Test func aMismatchIsTheLastLineAndSaysWhatWasWanted() throws {
        let recorded = try #require(try Recording.lines("digest_mismatch").last?.line)
        let shape = try #require(Self.shapes.first { $0.recording == "digest_mismatch" })
        var stream = try shape.stream()
        let scripted = try #require(events(of: &stream).last?.timedLine?.line)
        let upToTheOther = try #require(recorded.firstRange(of: ", got sha256:")).upperBound
        #expect(scripted.hasPrefix(recorded[..<upToTheOther]))
        #expect(scripted.count == recorded.count)
    }

    @Test(arguments: [
        #"{"status":"success"}"#,
        #"{"status":"pulling manifest"}|{"status":"pulling aaaaaaaaaaaa","total":5,"digest":"sha256:aaaaaaaaaaaa"}|{"error":"x"}"#,
        #"{"status":"pulling manifest"}|{"status":"pulling b","digest":"sha256:aaaaaaaaaaaa","total":5}|{"error":"x"}"#,
        #"{"status":"pulling manifest"}|{"status":"writing manifest"}|{"status":"success"}"#,
        #"{"status":"pulling manifest"}|{"status":"verifying sha256 digest"}"#,
    ])
    func theGrammarRefusesWhatWasNeverRecorded(lines: String) {
        #expect(throws: Grammar.Violation.self) {
            try Grammar(lines.split(separator: "|").map { TimedLine(t: 0, line: String($0)) })
        }
    }
}
