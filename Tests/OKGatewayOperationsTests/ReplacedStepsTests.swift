import Foundation
import OKGatewayOperations
import OllamaStandIn
import OperationTracking
import OperationTrackingTesting
import Synchronization
import TestSupport
import Testing

struct ReplacedStepsTests {
    private let models = [GatewayModel("a"), GatewayModel("b")]

    /// What was called, in its order.
    private final class Calls: Sendable {
        private let names = Mutex<[String]>([])
        var all: [String] { names.withLock(\.self) }
        func add(_ name: String) { names.withLock { $0.append(name) } }
    }

    private func steps(_ settings: GatewaySettings, _ calls: Calls) -> GatewaySetupSteps {
        var steps = GatewaySetupSteps(settings)
        steps.installVibe = { _ in
            calls.add("install")
            return SetupStep("install_vibe", .done, "")
        }
        steps.findOllama = { _ in
            calls.add("find")
            return (SetupStep("find_ollama", .done, ""), .program("/bin/ollama"))
        }
        steps.startOllama = { _, program in
            calls.add("start \(program)")
            return SetupStep("start_ollama", .done, "")
        }
        steps.pullModel = { stage, model in
            calls.add("pull \(model.name)")
            try await stage.handle.checkpoint()
            return (SetupStep("pull \(model.name)", .done, ""), model.name)
        }
        steps.mergeModes = { _, models in
            calls.add("merge " + models.map { $0.pulled ?? "-" }.joined(separator: " "))
            return [SetupStep("merge_modes", .done, "")]
        }
        return steps
    }

    @Test func stepsRunInOrder() async throws {
        let (calls, setups) = (Calls(), Setups())
        let settings = try Place().settings("127.0.0.1:1", models)
        let output = try await setups.start(settings, steps: steps(settings, calls)).output
        #expect(calls.all == ["install", "find", "start /bin/ollama", "pull a", "pull b", "merge a b"])
        #expect(output.steps.count == 6 && output.warnings.isEmpty)
    }

    @Test func aStepThatThrowsEndsTheSetUp() async throws {
        let (calls, setups) = (Calls(), Setups())
        let settings = try Place().settings("127.0.0.1:1", models)
        var steps = steps(settings, calls)
        steps.installVibe = { _ in throw OperationFailure(.notFound, "There is no Python: install it.") }
        let running = try await setups.start(settings, steps: steps)
        await #expect(throws: OperationFailure.self) { try await running.output }
        #expect(calls.all == [])
    }

    @Test func whatIsFinishedIsNotDoneAgainAfterARestart() async throws {
        let (calls, history) = (Calls(), RememberingHistory())
        let settings = try Place().settings("127.0.0.1:1", models)
        var steps = steps(settings, calls)
        let usual = steps.pullModel
        let tracker = OperationTracker(history: history)
        steps.pullModel = { stage, model in
            // Somebody pauses in the middle of the second pull.
            if model.name == "b" { try await tracker.pause(stage.handle.id) }
            return try await usual(stage, model)
        }
        let running = try await OperationRunner(tracker: tracker).submit(
            .init(),
            to: GatewaySetupProvider(settings, steps: steps)
        )
        while tracker.operation(running.id)?.status != .paused { await briefPause() }
        #expect(calls.all == ["install", "find", "start /bin/ollama", "pull a", "pull b"])
        let kept = try #require(try await history.record(running.id)?.resumeState)

        // The next service performs it with the state that was kept.
        let second = OperationTracker()
        let again = GatewaySetupProvider(settings, steps: self.steps(settings, calls))
        let output = try await second.withOperation(
            type: GatewaySetupProvider.operationType,
            description: "",
            unit: .fraction
        ) { handle in
            try handle.saveResumeState(kept)
            return try await again.perform(.init(), reporting: handle)
        }
        #expect(calls.all.dropFirst(5) == ["find", "start /bin/ollama", "pull b", "merge a b"])
        #expect(
            output.steps.map(\.name) == [
                "install_vibe", "find_ollama", "start_ollama", "pull a", "pull b", "merge_modes",
            ]
        )
        try await tracker.cancel(running.id)
    }

    /// Keeps the newest state of what is written.
    private typealias RememberingHistory = InMemoryHistoryStore
}

struct GatewaySetupConformanceTests {
    private static func sample() throws -> ProviderSample<GatewaySetupProvider> {
        let ollama = try OllamaStandIn(models: [
            ScriptedModel(name: "small", bytes: 100_000, registryLatency: .zero),
            ScriptedModel(name: "large", bytes: 6_000_000, link: .steady(6_000_000), registryLatency: .zero),
        ])
        let place = try Place()
        let settings = try place.settings(ollama.url)
        var steps = GatewaySetupSteps(settings)
        let usual = steps.pullModel
        steps.pullModel = { stage, model in
            if model.name == "broken" { throw OperationFailure(.storageError, "The disk is broken: replace it.") }
            return try await usual(stage, model)
        }
        let provider = GatewaySetupProvider(settings, steps: steps)
        var sample = ProviderSample(
            provider,
            succeeding: .init(models: ["small"]),
            failing: .init(models: ["broken"]),
            long: .init(models: ["large"])
        )
        sample.invalid = [.init(models: ["not a name"]), .init(models: ["a", "a"])]
        sample.leftovers = {
            try? await eventually { ollama.pullsInFlight == 0 }
            let files = place.configNames.filter { $0 != "ok_modes.json" }
            return ollama.pullsInFlight > 0 ? files + ["a pull at the server"] : files
        }
        sample.isSameResult = { $0.models == $1.models && $0.warnings == $1.warnings }
        return sample
    }

    @Test(arguments: ProviderExpectation.allCases.filter { $0 != .keepsSecrets })
    func settingUp(_ expectation: ProviderExpectation) async throws {
        try await ProviderConformance.check(expectation) { try Self.sample() }
    }
}
