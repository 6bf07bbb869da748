import OperationTracking

/// Makes sense of the lines of a pull: a pure value, fed line by line.
///
/// What it relies on was seen in streams recorded from Ollama 0.32: layers come one after another, each with its own total;
/// a layer's last line is short of its total, and a quick layer has no line at all; `completed` falls when a chunk is
/// fetched again; only `success` is success. Other servers mix layers or leave out `status`; that is understood too.
struct PullProgress: Sendable {
    /// What a line meant.
    enum Meaning: Equatable {
        /// Something moved: an amount, a new layer, a phase.
        case moved
        /// Nothing new; a line by itself is no sign of life.
        case nothing
        case succeeded
        case failed(String)
    }

    /// The parts of a pull.
    enum Phase: String, Sendable {
        case manifest, downloading, verifying, writing, cleaning
    }

    private(set) var phase = Phase.manifest
    /// The sums over the layers seen so far. The total grows with each new layer, and is `nil` before the first.
    private(set) var completed: Int64 = 0
    private(set) var total: Int64?
    /// What was on the server's disk before: the amount in the first line of each layer.
    private(set) var present: Int64 = 0
    /// Lines and values that made no sense and were left out.
    private(set) var warnings = 0
    private(set) var layers: [String: Layer] = [:]
    /// Whether any line was one that Ollama sends.
    private(set) var hasSpoken = false

    private var current: String?
    /// Set once a layer goes on after another began: then no layer is taken to be whole because the next one begins.
    private var isInterleaved = false
    /// What has been reported on a presumption that turned out wrong; the sum doesn't fall below it for that.
    private var floor: Int64 = 0

    struct Layer: Sendable, Codable, Equatable {
        var total: Int64?
        var completed: Int64
        /// Taken to be whole, since the next layer has begun.
        var isPresumedWhole = false

        private enum CodingKeys: String, CodingKey { case total, completed }

        /// What is kept for the next try is what was counted.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encodeIfPresent(total, forKey: .total)
            try container.encode(counted, forKey: .completed)
        }

        init(total: Int64?, completed: Int64) {
            self.total = total
            self.completed = completed
        }

        var counted: Int64 { isPresumedWhole ? total ?? completed : completed }
    }

    /// More layers than this are not remembered, so that a mad server can't fill the memory.
    private static let mostLayers = 4096

    /// - Parameter layers: what an earlier try has seen, so that going on is neither a step back nor new work.
    init(resuming layers: [String: Layer] = [:]) {
        self.layers = layers
        sumUp()
    }

    mutating func take(_ bytes: [UInt8]) -> Meaning {
        guard let line = PullLine(bytes) else {
            warnings += 1
            return .nothing
        }
        warnings += line.absurdities
        hasSpoken = hasSpoken || line.status != nil || line.digest != nil || line.error != nil
        if let error = line.error { return .failed(error) }
        if let status = line.status, let error = status.dropping(prefix: "error:") { return .failed(error) }
        if line.status == "success" { return finish() }
        if let digest = line.digest { return takeLayer(digest, line) }
        return takeStatus(line.status)
    }

    private mutating func takeStatus(_ status: String?) -> Meaning {
        switch status {
        case "pulling manifest": enter(.manifest)
        case "verifying sha256 digest": enter(.verifying)
        case "writing manifest": enter(.writing)
        case "removing unused layers": enter(.cleaning)
        default: .nothing  // A word for people, such as "couldn't remove unused layers", which harms nothing.
        }
    }

    private mutating func enter(_ next: Phase) -> Meaning {
        if next != .manifest, next != .downloading { presumeAllWhole() }
        guard next != phase else { return .nothing }
        phase = next
        return .moved
    }

    private mutating func finish() -> Meaning {
        presumeAllWhole()
        return .succeeded
    }

    private mutating func takeLayer(_ digest: String, _ line: PullLine) -> Meaning {
        guard layers[digest] != nil || layers.count < Self.mostLayers else {
            warnings += 1
            return .nothing
        }
        let before = (phase, completed, total, current)
        phase = .downloading
        if let current, current != digest, !isInterleaved { layers[current]?.presumeWhole() }
        current = digest
        if var layer = layers[digest] {
            layer.total = line.total ?? layer.total
            // An absent amount is 0 where the size is known; one that makes no sense leaves what was known.
            let isUnknown = line.total == nil || line.isCompletedAbsurd
            let done = line.completed ?? (isUnknown ? layer.completed : 0)
            if layer.isPresumedWhole, done < layer.total ?? done { retractPresumptions() }
            layer.isPresumedWhole = false
            layer.completed = done
            layers[digest] = layer
        } else {
            layers[digest] = Layer(total: line.total, completed: line.completed ?? 0)
            present += line.completed ?? 0
        }
        sumUp()
        return before == (phase, completed, total, current) ? .nothing : .moved
    }

    private mutating func presumeAllWhole() {
        for digest in layers.keys { layers[digest]?.presumeWhole() }
        sumUp()
    }

    private mutating func retractPresumptions() {
        isInterleaved = true
        floor = completed
        for digest in layers.keys { layers[digest]?.isPresumedWhole = false }
    }

    private mutating func sumUp() {
        let sum = layers.values.reduce(0) { $0 + $1.counted }
        if sum >= floor { floor = 0 }
        completed = max(sum, floor)
        let totals = layers.values.compactMap(\.total)
        total = totals.isEmpty ? nil : max(totals.reduce(0, +), completed)
    }
}

extension PullProgress.Layer {
    fileprivate mutating func presumeWhole() {
        if total != nil { isPresumedWhole = true }
    }
}

extension String {
    fileprivate func dropping(prefix: String) -> String? {
        guard hasPrefix(prefix) else { return nil }
        return String(dropFirst(prefix.count).drop { $0 == " " })
    }
}
