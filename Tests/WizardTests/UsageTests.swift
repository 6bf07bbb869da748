import Foundation
import Testing

struct UsageTests {
    @Test(arguments: [
        [], ["nonsense"], ["pull"], ["pull", "a", "b"], ["pull", "--retries", "x", "m"],
        ["pull", "--retries", "101", "m"],
        ["pull", "--retries"], ["pull", "--nonsense", "m"], ["pull", "--json=1", "m"],
        ["pull", "m", "--ollama", "ftp://x"],
        ["history", "--status", "done"], ["history", "--type", "Pull"], ["history", "--limit", "0"],
        ["history", "extra"],
        ["download"], ["download", "http://h/"], ["download", "http://h/x", "--limit", "0"],
        ["download", "http://h/x", "--limit", "2X"], ["download", "http://h/x", "--limit", "1e3"],
        ["download", "http://h/x", "--limit", "-1"], ["download", "-o", "", "http://h/x"], ["download", "-o"],
        ["show"], ["show", "../../etc/passwd"], ["demo", "extra"],
        ["demo", "--port", "80"], ["history", "--data", ""],
    ])
    func wrongUsageIsSaidAndEndsWithTwo(_ arguments: [String]) async throws {
        let outcome = try await WizardProcess.run(arguments)
        #expect(outcome.code == 2)
        #expect(outcome.output.isEmpty)
        #expect(!outcome.errors.isEmpty)
    }

    @Test(arguments: [
        ["--help"], ["pull", "--help"], ["download", "--help"], ["history", "-h"], ["show", "--help"],
        ["demo", "--help"],
    ])
    func helpIsGivenForAll(_ arguments: [String]) async throws {
        let outcome = try await WizardProcess.run(arguments)
        #expect(outcome.code == 0)
        #expect(outcome.output.contains("usage: wizard"))
        #expect(outcome.errors.isEmpty)
    }

    @Test(arguments: [
        (["history", "--json", "--limit", "0"], 2, "usage"), (["show", "op_nobody", "--json"], 1, "not_found"),
        (["nonsense", "--json"], 2, "usage"), (["pause", "op_x", "--json"], 1, "failed"),
        (["ports", "kill", "nobody", "--json"], 2, "usage"), (["history", "--json", "--nonsense"], 2, "usage"),
    ])
    func withJSONAnErrorIsOneObject(_ arguments: [String], _ code: Int, _ word: String) async throws {
        let folder = TemporaryFolder()
        let data = ["OPERATION_TRACKING_DATA": folder.path]
        let outcome = try await WizardProcess.run(arguments, environment: data)
        #expect(outcome.code == Int32(code) && outcome.output.isEmpty)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(outcome.errors.utf8)) as? [String: Any],
            "\(outcome.errors)"
        )
        #expect(object["error_code"] as? String == word && object["exit_code"] as? Int == code)
        #expect((object["error"] as? String)?.isEmpty == false)
    }

    @Test(arguments: [["download", "http://127.0.0.1:1/x"], ["run", "true"], ["status", "--data", "/dev/null"]])
    func aFolderThatIsGoneIsNotTheRoot(_ arguments: [String]) async throws {
        let folder = TemporaryFolder()
        let script = "mkdir \"$0\" && cd \"$0\" && rmdir \"$0\" && exec \"$@\""
        let launcher = ["/bin/sh", "-c", script, folder.path]
        let outcome = try await WizardProcess(arguments, launcher: launcher).outcome()
        #expect(outcome.code == 2 && outcome.errors.contains("this folder is gone"), "\(outcome)")
    }

    @Test(arguments: ["", "home"]) func aHomeThatIsNoneHoldsNoHistory(_ home: String) async throws {
        let outcome = try await WizardProcess.run(["history"], environment: ["HOME": home])
        #expect(outcome.code == 2 && outcome.errors.contains("HOME is no folder"), "\(outcome)")
    }

    @Test func anUnknownIdIsSaidToBeUnknown() async throws {
        let folder = TemporaryFolder()
        let outcome = try await WizardProcess.run(["show", "op_nobody", "--data", folder.path])
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("op_nobody"))
    }

    @Test func aCursorThatIsNoneIsWrongUsage() async throws {
        let folder = TemporaryFolder()
        #expect(try await WizardProcess.run(["history", "--data", folder.path, "--cursor", "x y"]).code == 2)
    }

    @Test func historyIsReadPageByPage() async throws {
        let folder = TemporaryFolder()
        for number in 1...3 {
            _ = try await WizardProcess.run([
                "pull", "m\(number)", "--ollama", "127.0.0.1:1", "--retries", "0", "--data", folder.path,
            ])
        }
        var seen: [String] = []
        var arguments = ["history", "--data", folder.path, "--json", "--limit", "2"]
        while true {
            let page = try #require(try await WizardProcess.run(arguments).objects.first)
            let operations = try #require(page["operations"] as? [[String: Any]])
            seen += operations.compactMap { $0["description"] as? String }
            guard let cursor = page["next_cursor"] as? String else { break }
            arguments = ["history", "--data", folder.path, "--json", "--limit", "2", "--cursor", cursor]
        }
        #expect(seen == ["Pull m3", "Pull m2", "Pull m1"])
    }
}
