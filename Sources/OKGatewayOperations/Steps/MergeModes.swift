#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OllamaOperations
import OperationTracking

/// Merges models into the file of modes.
struct MergeModes {
    let file: String
    let ollama: OllamaClient
    private static let name = "merge_modes"
    private static let limit = 16 << 20

    func run(_ stage: SetupStage, _ models: [PulledModel]) async throws -> [SetupStep] {
        try await stage.part(.mergeModes, "Merge models into \(file.split(separator: "/").last ?? "")") { part in
            try await part.checkpoint()
            // That a model is gone is known only from a list without it, and not from a server that doesn't answer.
            let listed = try? await ollama.models().map(\.name)
            try Task.checkCancellation()
            let folder = URL(filePath: file).deletingLastPathComponent()
            // Where that is not possible, locking says why.
            try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let place = AtomicFile(file)
            // What another set-up writes between reading and writing would be lost.
            return try await place.lock().hold {
                try merge(models, listed: listed.map(Set.init), place, at: part.clock.wallMilliseconds / 1000)
            }
        }
    }

    private func merge(
        _ models: [PulledModel],
        listed: Set<String>?,
        _ place: AtomicFile,
        at seconds: Int64
    ) throws -> [SetupStep] {
        let bytes = try place.read(upTo: Self.limit)
        var steps: [SetupStep] = []
        let known = bytes.map { GatewayModes($0) } ?? GatewayModes()
        if known == nil {
            let kept = try place.setAside(at: seconds)
            steps.append(
                SetupStep(
                    "keep_invalid_modes",
                    .warning,
                    "\(file) was no file of modes; it is kept as \(kept), and a new one begun."
                )
            )
        }
        var modes = known ?? GatewayModes()
        let before = modes.document
        modes.merge(models, listed: listed)
        if bytes != nil, known != nil, modes.document == before {
            steps.append(SetupStep(Self.name, .skipped, "\(file) says all of it already."))
        } else {
            try place.replace(with: modes.document.bytes)
            steps.append(SetupStep(Self.name, .done, "\(file) is up to date."))
        }
        if !modes.profilesWithoutModel.isEmpty {
            let profiles = modes.profilesWithoutModel.joined(separator: ", ")
            steps.append(
                SetupStep(
                    "default_models",
                    .warning,
                    "There is no model to be the default for \(profiles): set up again when one can be pulled."
                )
            )
        }
        return steps
    }
}
