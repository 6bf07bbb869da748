import Foundation
import Testing

@testable import Wizard

/// Commands that tell what the API tells, with a server and without.
struct AnswerCommandTests {
    private let folder = TemporaryFolder()

    private func run(_ arguments: String...) async throws -> WizardProcess.Outcome {
        try await WizardProcess.run(arguments + ["--data", folder.path])
    }

    @Test(arguments: [
        ["events", "--cursor", "junk"], ["history", "--cursor", "junk"],
        ["history", "--text", String(repeating: "x", count: 100_000)],
    ])
    func whatIsNoQuestionIsAMistakeOfItsUse(_ arguments: [String]) async throws {
        let outcome = try await WizardProcess.run(arguments + ["--data", folder.path])
        #expect(
            outcome.code == 2 && outcome.errors.contains("Try `wizard \(arguments[0]) --help`"),
            "\(outcome.errors)"
        )
    }

    @Test(arguments: [false, true])
    func theyAreTheSameWithAServerAndWithout(_ hasServer: Bool) async throws {
        for (program, code) in [("true", 0 as Int32), ("false", 1)] {
            #expect(try await WizardProcess.run(["run", "--data", folder.path, "--", program]).code == code)
        }
        let server = hasServer ? try await BackgroundServer.start(data: folder.path) : nil

        let stats = try await run("stats", "process", "--json")
        let figures = try #require(try stats.objects.first?["statistics"] as? [[String: Any]])
        #expect(figures.map { $0["count"] as? Int } == [2])
        #expect(try await run("stats").output.contains("50.0 %"))
        #expect(try await run("stats", "download", "--json").objects.first?["statistics"] as? [Int] == [])

        let events = try await run("events", "--limit", "2", "--json").objects.first
        let entries = try #require(events?["events"] as? [[String: Any]])
        #expect(entries.count == 2)
        let cursor = try #require(events?["next_cursor"] as? String)
        let rest = try await run("events", "--cursor", cursor, "--json").objects.first?["events"] as? [Any]
        #expect(rest?.isEmpty == false)
        #expect(try await run("events").output.contains("operation.failed"))

        let overload = try await run("overload", "--json")
        let verdict = try #require(try overload.objects.first)
        #expect((verdict["overloaded"] as? Bool) == (overload.code == 1))
        #expect(verdict["resource_summary"] is [String: Any])
        #expect(try await run("overload").output.contains("memory"))
        try await server?.stop()
    }

    @Test(arguments: [["operations"], ["history"], ["history", "--cursor", "none"], ["show", "op_x"], ["stats"]])
    func aLookLeavesNoOwnerBehind(_ arguments: [String]) async throws {
        #expect(try await WizardProcess.run(["run", "--data", folder.path, "--", "true"]).code == 0)
        let owners = { try FileManager.default.contentsOfDirectory(atPath: folder.path + "/owners").sorted() }
        let before = try owners()
        _ = try await WizardProcess.run(arguments + ["--data", folder.path])
        #expect(try owners() == before)
    }

    @Test(arguments: [
        ["stats", "A B"], ["events", "--limit", "0"], ["events", "--cursor", "a&b"], ["overload", "x"], ["completion"],
        ["completion", "csh"], ["operations", "x"], ["start", "--port", "x"], ["status", "x"],
    ])
    func wrongUsageIsSaid(_ arguments: [String]) async throws {
        let outcome = try await WizardProcess.run(arguments)
        #expect(outcome.code == 2 && outcome.output.isEmpty && !outcome.errors.isEmpty)
    }

    @Test func helpAndCompletionsKnowEveryCommandAndOption() async throws {
        let help = CommandHelp.all(Wizard.commands)
        let shells = [
            BashCompletion.text(Wizard.commands), ZshCompletion.text(Wizard.commands),
            FishCompletion.text(Wizard.commands),
        ]
        for command in Wizard.commands {
            #expect(help.contains("  \(command.name)  ") || help.contains("  \(command.name) "))
            for option in command.options {
                #expect(shells.allSatisfy { $0.contains(option.name) }, "\(command.name) --\(option.name)")
            }
            for kind in command.subcommands {
                #expect(CommandHelp.text(of: command).contains("  \(kind.spelling)"))
                #expect(shells.allSatisfy { $0.contains(kind.name) })
            }
        }
        for shell in ["bash", "zsh", "fish"] {
            let text = try await WizardProcess.run(["completion", shell])
            let json = try await WizardProcess.run(["completion", shell, "--json"]).objects.first
            #expect(text.code == 0 && !text.output.isEmpty && json?["script"] as? String == text.output)
        }
    }
}
