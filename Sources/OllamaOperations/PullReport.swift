#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking
import Synchronization

/// Carries what the lines of a pull mean to its operation, and watches that something moves.
final class PullReport: Sendable {
    private struct State {
        var progress: PullProgress
        var savedLayers = 0
        var shownPhase: PullProgress.Phase?
        var lastMove: Int64
        var isMessageShown = false
    }

    private let handle: OperationHandle
    private let stallLimit: Duration
    private let state: Mutex<State>

    /// How long nothing may move before people are told.
    private static let silenceWorthTelling = Duration.seconds(10)

    init(handle: OperationHandle, stallLimit: Duration) {
        self.handle = handle
        self.stallLimit = stallLimit
        let seen = handle.resumeState.flatMap {
            try? JSONDecoder().decode([String: PullProgress.Layer].self, from: Data($0))
        }
        let progress = PullProgress(resuming: seen ?? [:])
        state = Mutex(State(progress: progress, lastMove: handle.clock.monotonicNanoseconds))
    }

    /// Takes a line.
    ///
    /// - Returns: whether the pull has succeeded.
    /// - Throws: `OperationFailure` when the line says that it has failed.
    func take(_ line: [UInt8]) throws -> Bool {
        let now = handle.clock.monotonicNanoseconds
        let (meaning, progress, entersPhase, endsSilence, hasNewLayer) = state.withLock { state in
            let meaning = state.progress.take(line)
            let entersPhase = state.shownPhase != state.progress.phase
            state.shownPhase = state.progress.phase
            let endsSilence = meaning == .moved && state.isMessageShown
            if meaning == .moved {
                state.lastMove = now
                state.isMessageShown = false
            }
            // A few layers are worth keeping for the case of a crash; thousands are a mad server's.
            let count = state.progress.layers.count
            let hasNewLayer = count > state.savedLayers && count <= 100
            state.savedLayers = count
            return (meaning, state.progress, entersPhase, endsSilence, hasNewLayer)
        }
        if hasNewLayer { saveLayers() }
        if case .failed(let text) = meaning { throw PullFailure.failure(text: text) }
        if meaning != .nothing { show(progress) }
        if entersPhase {
            handle.setPhase(progress.phase.rawValue)
        } else if endsSilence {
            handle.setMessage(nil)
        }
        return meaning == .succeeded
    }

    private func show(_ progress: PullProgress) {
        let known = handle.operation.progress
        if handle.attempt == 1, progress.present != known.presentUnits { handle.setPresent(progress.present) }
        if progress.total != known.totalUnits { handle.setTotal(progress.total) }
        handle.update(completed: progress.completed)
    }

    /// Keeps the layers seen so far, so that the next try neither counts them as new nor steps back.
    func saveLayers() {
        let layers = state.withLock { $0.progress.layers }
        guard !layers.isEmpty, let json = try? JSONEncoder().encode(layers) else { return }
        // Too many layers to keep only means that the next try shows some steps back.
        try? handle.saveResumeState(Array(json))
    }

    /// What it means that the answer ended without a word of how the pull did.
    var failureOfEnd: OperationFailure {
        let (hasSpoken, warnings) = state.withLock { ($0.progress.hasSpoken, $0.progress.warnings) }
        return !hasSpoken && warnings > 0 ? PullFailure.foreign : PullFailure.cut
    }

    func output(model: String) -> PullModelProvider.Output {
        let progress = state.withLock { $0.progress }
        return PullModelProvider.Output(
            model: model,
            bytes: progress.completed,
            layers: progress.layers.count,
            warnings: progress.warnings
        )
    }

    /// Looks every second whether anything moved; tells people when nothing does, and gives up when nothing has for too long.
    func watch() async throws {
        while true {
            try await handle.clock.sleep(for: .seconds(1))
            let now = handle.clock.monotonicNanoseconds
            let (silence, phase, isMessageShown) = state.withLock { state in
                (Duration.nanoseconds(now - state.lastMove), state.progress.phase, state.isMessageShown)
            }
            let limit = phase == .verifying ? stallLimit * 10 : stallLimit
            let seconds = Int(silence.components.seconds)
            if silence >= limit { throw PullFailure.stalled(seconds, phase: phase) }
            if silence >= Self.silenceWorthTelling, phase != .verifying {
                handle.setMessage("Nothing has moved for \(seconds) s; Ollama tries again by itself.")
                if !isMessageShown { state.withLock { $0.isMessageShown = true } }
            }
        }
    }
}
