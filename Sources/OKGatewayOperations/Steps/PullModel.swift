import OllamaOperations
import OperationTracking

/// Pulls a model by the first of its names that works.
struct PullModel {
    let settings: GatewaySettings
    let model: GatewayModel

    private var stepName: String { "pull \(model.name)" }

    func run(_ stage: SetupStage) async throws -> (step: SetupStep, pulled: String?) {
        let there = Set((try? await settings.ollama.models())?.map(\.name) ?? [])
        try Task.checkCancellation()
        if let name = model.sources.first(where: { there.hasModel($0) }) {
            return (SetupStep(stepName, .skipped, "\(name) is there already."), name)
        }
        if let refusal = lackOfRoom { return (SetupStep(stepName, .warning, refusal), nil) }
        var failures: [String] = []
        for name in model.sources {
            do {
                try await pull(name, stage)
                return (SetupStep(stepName, .done, "\(name) was pulled."), name)
            } catch let failure as OperationFailure {
                failures.append("\(name): \(failure.message)")
                // By another name it would fail the same way.
                if Self.isAboutMachine(failure.code) { break }
            }
        }
        return (
            SetupStep(stepName, .warning, "\(model.name) could not be pulled. \(failures.joined(separator: " "))"), nil
        )
    }

    /// One name is one child operation; passing failures are tried again within it. Paused, it lets go of Ollama, which goes on
    /// from what has arrived when it is asked again.
    private func pull(_ name: String, _ stage: SetupStage) async throws {
        let provider = PullModelProvider(client: settings.ollama)
        let request = PullModelProvider.Request(model: name)
        let retry = RetryLoop(policy: settings.retry)
        try await stage.part(.pullModel, provider.description(of: request), unit: .bytes, pausing: .byRestart) { part in
            try await retry.run(reporting: part) {
                _ = try await provider.perform(request, reporting: part)
            }
        }
    }

    /// What to do about a disk that is too full; `nil` where there is room, or no way to tell.
    private var lackOfRoom: String? {
        guard settings.isServerLocal, let needed = model.approximateBytes,
            let free = settings.freeBytes(settings.modelsFolder), free < needed
        else { return nil }
        return
            "\(model.name) needs about \(Self.gigabytes(needed)), and \(Self.gigabytes(free)) are free at \(settings.modelsFolder): free some, then set up again."
    }

    private static func gigabytes(_ bytes: Int64) -> String {
        let tenths = bytes / 100_000_000
        return "\(tenths / 10).\(tenths % 10) GB"
    }

    private static func isAboutMachine(_ code: OperationFailure.Code) -> Bool {
        [.diskFull, .storageError, .connectionRefused, .hostNotFound, .registryUnreachable, .stalled].contains(code)
    }
}

extension Set<String> {
    /// Whether a list of Ollama's has a model, which it lists with its tag.
    func hasModel(_ name: String) -> Bool {
        let last = name.split(separator: "/").last ?? ""
        return contains(name) || (!last.contains(":") && contains(name + ":latest"))
    }
}
