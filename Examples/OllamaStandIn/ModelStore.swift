#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import Synchronization

/// What a stand-in's disk would hold: parts of layers, whole layers, and the models that were pulled.
final class ModelStore: Sendable {
    private struct Contents {
        /// Bytes by digest. Two pulls of one layer at the same time both write here, and the last one counts.
        var kept: [String: Int] = [:]
        var pulledAt: [ModelName: Date] = [:]
        var pullsBegun: [ModelName: Int] = [:]
    }

    private let models: [ModelName: ScriptedModel]
    private let contents = Mutex(Contents())

    init(_ models: [ModelName: ScriptedModel]) {
        self.models = models
    }

    /// Begins a pull. The number it has among the requests for its model decides which faults it meets.
    func beginPull(of name: ModelName) -> PullOpening {
        guard let model = models[name] else { return .events(FixedEvents.unknownModel) }
        return contents.withLock { contents in
            let number = contents.pullsBegun[name, default: 0]
            contents.pullsBegun[name] = number + 1
            let faults = model.faults.filter { $0.applies(toRequest: number) }.map(\.kind)
            if let replacement = faults.lazy.compactMap(\.wholeAnswer).first { return replacement }
            return switch model.course {
            case .replay(let events): .events(FixedEvents(events))
            case .script(let script): .events(PullStream(script, kept: contents.kept, faults: faults))
            }
        }
    }

    /// Takes over what a pull has brought by now.
    func record(_ events: any PullEventStream, of name: ModelName) {
        contents.withLock { contents in
            contents.kept.merge(events.arrived) { _, new in new }
            if events.hasSucceeded { contents.pulledAt[name] = Date() }
        }
    }

    /// The body of `GET /api/tags`, the newest model first.
    var tags: String {
        let pulled = contents.withLock { $0.pulledAt }
            .map { (name: $0.key, date: $0.value) }
            .sorted { ($1.date, $0.name.description) < ($0.date, $1.name.description) }
        return #"{"models":[\#(pulled.map { tag(of: $0.name, pulledAt: $0.date) }.joined(separator: ","))]}"#
    }

    private func tag(of name: ModelName, pulledAt: Date) -> String {
        let size = models[name]?.layers.reduce(0) { $0 + $1.bytes } ?? 0
        let time = pulledAt.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        let shown = name.description.goJSON
        return #"{"name":\#(shown),"model":\#(shown),"modified_at":"\#(time)","size":\#(size),"#
            + #""digest":"\#(MadeUpDigest.hex(seed: name.description))","details":{"parent_model":"","format":"gguf","#
            + #""family":"llama","families":["llama"],"parameter_size":"8.0B","quantization_level":"Q4_0"}}"#
    }
}
