import Foundation
import OKGatewayOperations
import OllamaOperations
import OllamaStandIn
import OperationTracking
import OperationTrackingTesting
import OperationTransfer
import Testing

/// A folder for one test, with settings that touch nothing outside it.
final class Place: Sendable {
    let path = NSTemporaryDirectory() + "setup-\(UUID().uuidString)"

    init() throws {
        try FileManager.default.createDirectory(atPath: path + "/bin", withIntermediateDirectories: true)
        try program("vibe", "exit 0")
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var modesFile: String { path + "/config/ok_modes.json" }

    func settings(_ url: String, _ models: [GatewayModel] = []) throws -> GatewaySettings {
        let client = OllamaClient(address: try OllamaAddress(url), transport: CurlTransport())
        var settings = GatewaySettings(
            ollama: client,
            modesFile: modesFile,
            serverLog: path + "/ollama.log",
            environment: ["PATH": path + "/bin:/usr/bin:/bin", "HOME": path]
        )
        settings.models = models
        settings.retry = .never
        return settings
    }

    /// Puts a script on the private `PATH`.
    func program(_ name: String, _ script: String) throws {
        let file = path + "/bin/" + name
        try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
    }

    var modes: String { get throws { try String(contentsOfFile: modesFile, encoding: .utf8) } }

    /// The files beside the modes, without their lock.
    var configNames: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path + "/config")) ?? []
        return names.filter { $0 != ".ok_modes.json.lock" }.sorted()
    }
}

/// Runs set-ups.
struct Setups {
    let history = InMemoryHistoryStore()
    let tracker: OperationTracker
    let runner: OperationRunner

    init(clock: any TrackingClock = .system) {
        tracker = OperationTracker(history: history, clock: clock)
        runner = OperationRunner(tracker: tracker)
    }

    func start(
        _ settings: GatewaySettings,
        steps: GatewaySetupSteps? = nil,
        models: [String]? = nil
    ) async throws -> SubmittedOperation<GatewaySetupProvider.Output> {
        try await runner.submit(.init(models: models), to: GatewaySetupProvider(settings, steps: steps))
    }

    /// The parts of an operation, oldest first.
    func parts(of id: OperationID) async throws -> [BackgroundOperation] {
        var query = HistoryQuery(limit: 100)
        query.parent = id
        return try await history.page(query).records.reversed().map(\.operation)
    }
}

extension GatewaySetupProvider.Output {
    func step(_ name: String) -> SetupStep? { steps.first { $0.name == name } }
}
