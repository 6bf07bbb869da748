import Foundation
import OllamaStandIn
import Testing

struct PullCommandTests {
    private let folder = TemporaryFolder()

    private func standIn(faults: [Fault] = []) throws -> OllamaStandIn {
        try OllamaStandIn(models: [
            ScriptedModel(
                name: "demo",
                bytes: 40_000_000,
                link: .steady(200_000_000),
                registryLatency: .zero,
                faults: faults
            )
        ])
    }

    /// What is pulled from it comes to no end by itself.
    private func endlessStandIn() throws -> OllamaStandIn { try standIn(faults: [Fault(.hang(afterBytes: 1_000_000))]) }

    private func history(_ arguments: String...) async throws -> [[String: Any]] {
        let outcome = try await WizardProcess.run(["history", "--data", folder.path, "--json"] + arguments)
        #expect(outcome.code == 0)
        return try #require(try outcome.objects.first?["operations"] as? [[String: Any]])
    }

    @Test func aPullIsWatchedToItsEndAndFoundAgain() async throws {
        let ollama = try standIn()
        let outcome = try await WizardProcess.run([
            "pull", "demo", "--ollama", ollama.url, "--data", folder.path, "--json",
        ])
        #expect(outcome.code == 0)
        let objects = try outcome.objects
        #expect(objects.count > 1)
        #expect(objects.dropLast().allSatisfy { ["pending", "in_progress"].contains($0["status"] as? String) })
        let last = try #require(objects.last)
        #expect(last["status"] as? String == "completed")
        #expect(last["progress"] as? Double == 100)

        let found = try #require(try await history().first)
        #expect(NSDictionary(dictionary: found) == NSDictionary(dictionary: last))
        let shown = try await WizardProcess.run([
            "show", try #require(found["operation_id"] as? String), "--data", folder.path, "--json",
        ])
        let record = try #require(try shown.objects.first)
        #expect((record["request"] as? [String: Any])?["model"] as? String == "demo")
        #expect((record["result"] as? [String: Any])?["layers"] as? Int ?? 0 >= 1)
        #expect(record["started_by"] as? String == "wizard pull")
    }

    @Test func withoutATerminalThereArePlainLines() async throws {
        let ollama = try standIn()
        let outcome = try await WizardProcess.run(["pull", "demo", "--ollama", ollama.url, "--data", folder.path])
        #expect(outcome.code == 0)
        #expect(!outcome.output.contains("\r") && !outcome.output.contains("\u{1B}"))
        #expect(outcome.output.hasPrefix("Pull demo\n"))
        #expect(outcome.output.contains("✓ completed"))
    }

    @Test func aFailureSaysWhatToDoAndIsKept() async throws {
        let ollama = try standIn()
        let outcome = try await WizardProcess.run(["pull", "nobody", "--ollama", ollama.url, "--data", folder.path])
        #expect(outcome.code == 1)
        #expect(outcome.output.contains("not_found: "))
        let found = try #require(try await history("--status", "failed").first)
        #expect(found["error_code"] as? String == "not_found")
    }

    @Test func controlCharactersOfAServerDoNotReachTheTerminal() async throws {
        let ollama = try standIn(faults: [Fault(.error(afterBytes: 1000, message: "\u{1B}]0;owned\u{7} gone"))])
        let outcome = try await WizardProcess.run(["pull", "demo", "--ollama", ollama.url, "--data", folder.path])
        #expect(outcome.code == 1)
        #expect(!outcome.output.contains("\u{1B}") && !outcome.output.contains("\u{7}"))
    }

    @Test func aCutPullIsTriedAgainAsOftenAsAllowed() async throws {
        let ollama = try standIn(faults: [Fault(.cut(afterBytes: 10_000_000), times: 1)])
        let outcome = try await WizardProcess.run([
            "pull", "demo", "--ollama", ollama.url, "--data", folder.path, "--retries", "0",
        ])
        #expect(outcome.code == 1)
        let again = try standIn(faults: [Fault(.cut(afterBytes: 10_000_000), times: 1)])
        #expect(try await WizardProcess.run(["pull", "demo", "--ollama", again.url, "--data", folder.path]).code == 0)
        #expect(try await history().first?["attempt"] as? Int == 2)
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func ctrlCCancelsAndIsRecordedAsCancelled(_ signal: Int32) async throws {
        let ollama = try endlessStandIn()
        let wizard = try WizardProcess(["pull", "demo", "--ollama", ollama.url, "--data", folder.path, "--json"])
        #expect(await wizard.firstLine { $0.contains("\"phase\":\"downloading\"") } != nil)
        wizard.send(signal)
        let outcome = await wizard.outcome()
        #expect(outcome.code == 130)
        #expect(!outcome.wasKilled)
        #expect(try await history().first?["status"] as? String == "cancelled")
        #expect(try await history().first?["error"] is NSNull)
    }

    @Test func aPullThatWasKilledIsInterruptedInTheNextHistory() async throws {
        let ollama = try endlessStandIn()
        let wizard = try WizardProcess(["pull", "demo", "--ollama", ollama.url, "--data", folder.path, "--json"])
        #expect(await wizard.firstLine { $0.contains("\"phase\":\"downloading\"") } != nil)
        wizard.send(SIGKILL)
        #expect(await wizard.outcome().wasKilled)
        let found = try #require(try await history().first)
        #expect(found["status"] as? String == "failed")
        #expect(found["error_code"] as? String == "interrupted")
        #expect(found["finished_at"] is String)
    }

    @Test func theServersNameComesFromTheEnvironment() async throws {
        let ollama = try standIn()
        let host = ollama.url.replacing("http://", with: "")
        let environment = ["OLLAMA_HOST": host, "OPERATION_TRACKING_DATA": folder.path]
        #expect(try await WizardProcess.run(["pull", "demo"], environment: environment).code == 0)
        #expect(try await history().count == 1)
    }

    @Test func aFolderThatCannotBeMadeIsSaidBeforeAnythingIsSent() async throws {
        let ollama = try standIn()
        let outcome = try await WizardProcess.run(["pull", "demo", "--ollama", ollama.url, "--data", "/dev/null/x"])
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("/dev/null"))
        #expect(ollama.requestsSeen.isEmpty)
    }
}
