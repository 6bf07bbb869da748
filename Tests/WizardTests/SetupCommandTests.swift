import Foundation
import OllamaStandIn
import Testing

struct SetupCommandTests {
    private let place = NSTemporaryDirectory() + "wizard-setup-\(UUID().uuidString)"

    private func standIn() throws -> OllamaStandIn {
        try OllamaStandIn(models: [ScriptedModel(name: "small", bytes: 100_000, registryLatency: .zero)])
    }

    private func arguments(_ ollama: OllamaStandIn) -> [String] {
        // A command that is there takes the place of the one that would be installed.
        ["setup", "--command", "true", "--ollama", ollama.url, "--models", "small,nobody", "--data", place]
    }

    @Test func itShowsTheWholeItsPartsAndTheSteps() async throws {
        let ollama = try standIn()
        defer { try? FileManager.default.removeItem(atPath: place) }
        let outcome = try await WizardProcess.run(arguments(ollama))
        #expect(outcome.code == 0, "\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.first == "Set up the gateway with small, nobody")
        #expect(lines.contains { $0.hasPrefix("  Pull small  ✓ completed") })
        #expect(lines.contains { $0.hasPrefix("  Pull nobody  ✗ failed") })
        #expect(lines.contains { $0.hasPrefix("✓ small was pulled") })
        #expect(lines.contains { $0.hasPrefix("! nobody could not be pulled") })
        #expect(FileManager.default.fileExists(atPath: place + "/ok_modes.json"))
    }

    @Test func forProgramsEveryLineIsAnOperation() async throws {
        let ollama = try standIn()
        defer { try? FileManager.default.removeItem(atPath: place) }
        let outcome = try await WizardProcess.run(arguments(ollama) + ["--json"])
        #expect(outcome.code == 0, "\(outcome.errors)")
        let objects = try outcome.objects
        let whole = try #require(objects.last)
        #expect(whole["operation_type"] as? String == "ok_setup" && whole["status"] as? String == "completed")
        let id = try #require(whole["operation_id"] as? String)
        let parts = objects.filter { $0["parent_id"] as? String == id && $0["finished_at"] is String }
        #expect(parts.map { $0["status"] as? String } == ["completed", "failed", "completed"])
    }

    @Test func optionsThatMakeNoSenseAreRefused() async throws {
        for arguments in [["setup", "x"], ["setup", "--models", ""], ["setup", "--ollama", "a b"]] {
            #expect(try await WizardProcess.run(arguments).code == 2)
        }
    }
}
