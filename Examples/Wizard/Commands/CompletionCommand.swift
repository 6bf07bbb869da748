struct CompletionCommand: Command {
    static let name = "completion"
    static let summary = "print what has a shell complete this program's commands and options"
    static let operands = "SHELL"
    static let subcommands = [
        Subcommand("bash", help: "in ~/.bashrc: eval \"$(wizard completion bash)\""),
        Subcommand("zsh", help: "in ~/.zshrc, behind compinit: eval \"$(wizard completion zsh)\""),
        Subcommand("fish", help: "wizard completion fish > ~/.config/fish/completions/wizard.fish"),
    ]
    static let options: [Option] = [.json]

    private let shell: String
    private let json: Bool

    init(_ options: ParsedOptions) throws {
        shell = try options.operand("SHELL")
        json = options.has("json")
        guard Self.subcommands.contains(where: { $0.name == shell }) else {
            throw UsageError("completion takes bash, zsh or fish, not '\(shell)'.")
        }
    }

    func run() async throws -> ExitCode {
        let script =
            switch shell {
            case "bash": BashCompletion.text(Wizard.commands)
            case "zsh": ZshCompletion.text(Wizard.commands)
            default: FishCompletion.text(Wizard.commands)
            }
        if json { try Console.encode(["script": script]) } else { Console.raw(script) }
        return .done
    }
}

extension Option {
    /// The words by which it is given.
    var words: [String] { ["--\(name)"] + (short.map { ["-\($0)"] } ?? []) }
    /// Whether its argument is something in the file system.
    var takesFile: Bool { argument == "FILE" }
    var takesFolder: Bool { argument == "DIR" }
}

extension Command {
    static var shownOptions: [Option] { options + [.help] }
}
