/// The lines of one scripted pull, as Ollama 0.32.15 sends them.
///
/// Time is arithmetic here: each event carries the time at which it is due, and nothing waits.
struct PullStream: PullEventStream {
    /// What comes next.
    private enum State {
        case manifest
        /// The layer with this index begins: goes to `downloading`, or to the next one when it is whole already.
        case layer(Int)
        /// Goes to the next layer, or to `ended` by a fault.
        case downloading(Int, LayerDownload)
        case verifying
        case writing
        case success
        case ended
    }

    private let script: PullScript
    private let kept: [String: Int]
    private var faults: ArraySlice<Fault.Kind>
    private let mismatches: Bool
    private var state = State.manifest
    private var time: Nanoseconds = 0
    private var downloaded = 0
    private var bytesToHash = 0
    private(set) var arrived: [String: Int] = [:]
    private(set) var hasSucceeded = false

    /// A pull that finds `kept` bytes on disk, by digest, and in which `faults` happen.
    init(_ script: PullScript, kept: [String: Int] = [:], faults: [Fault.Kind] = []) {
        self.script = script
        self.kept = kept
        self.faults = faults.filter { $0.afterBytes != nil }.sorted { ($0.afterBytes ?? 0) < ($1.afterBytes ?? 0) }[...]
        mismatches = faults.contains { if case .digestMismatch = $0 { true } else { false } }
    }

    mutating func next(now: Nanoseconds) -> PullEvent? {
        while true {
            switch state {
            case .manifest:
                state = .layer(0)
                defer { time = script.registryLatency }
                return event(.status("pulling manifest"))
            case .layer(let index):
                if let event = begin(layer: index) { return event }
            case .downloading(let index, let download):
                if let event = advance(download, layer: index, now: now) { return event }
            case .verifying:
                state = .writing
                defer { time += script.hashingTime(of: bytesToHash) }
                return event(.status("verifying sha256 digest"))
            case .writing:
                if mismatches, let first = script.layers.first { return reject(first) }
                state = .success
                return event(.status("writing manifest"))
            case .success:
                state = .ended
                hasSucceeded = true
                return event(.status("success"))
            case .ended:
                return nil
            }
        }
    }

    private func event(_ line: PullLine) -> PullEvent {
        PullEvent(at: time, action: .send(line.encoded))
    }

    /// A whole layer has one line and takes no time; of any other the size is asked for first.
    private mutating func begin(layer index: Int) -> PullEvent? {
        guard index < script.layers.count else {
            state = .verifying
            return nil
        }
        let layer = script.layers[index]
        let present = arrived[layer.digest] ?? kept[layer.digest] ?? 0
        guard present < layer.bytes else {
            state = .layer(index + 1)
            return event(.progress(digest: layer.digest, total: layer.bytes, completed: layer.bytes))
        }
        time += script.registryLatency
        bytesToHash += layer.bytes
        let download = LayerDownload(
            total: layer.bytes,
            completed: present,
            sizeKnownAt: time,
            // The registry answers with a redirect to where the bytes are, which has to answer too.
            firstByteAt: time + 2 * script.registryLatency,
            link: script.link,
            lineInterval: script.lineInterval
        )
        state = .downloading(index, download)
        return nil
    }

    private mutating func advance(_ download: LayerDownload, layer index: Int, now: Nanoseconds) -> PullEvent? {
        let layer = script.layers[index]
        var download = download
        switch download.next(now: now, faults: &faults, downloaded: &downloaded) {
        case .line(let at, let completed):
            time = at
            arrived[layer.digest] = completed
            state = .downloading(index, download)
            return event(.progress(digest: layer.digest, total: layer.bytes, completed: completed))
        case .whole(let at):
            time = at
            arrived[layer.digest] = layer.bytes
            state = .layer(index + 1)
            return nil
        case .interrupted(let fault, let at):
            time = at
            arrived[layer.digest] = download.completed
            state = .ended
            if case .error(_, let message) = fault { return event(.error(message)) }
            return PullEvent(at: time, action: .cut)
        }
    }

    /// Ollama deletes a blob whose digest is wrong and keeps the good ones.
    private mutating func reject(_ layer: ScriptedModel.Layer) -> PullEvent {
        state = .ended
        arrived[layer.digest] = 0
        let other = "sha256:" + MadeUpDigest.hex(seed: layer.digest)
        return event(
            .error("digest mismatch, file must be downloaded again: want \(layer.digest), got \(other)")
        )
    }
}
