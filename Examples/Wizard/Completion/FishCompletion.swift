/// Completion for fish.
enum FishCompletion {
    static func text(_ commands: [any Command.Type]) -> String {
        """
        # Completion of wizard for fish. Made by: wizard completion fish
        function __wizard_command
            set -l words (commandline -opc)
            if test (count $argv) -eq 0
                test (count $words) -eq 1
            else
                test (count $words) -ge 2; and test $words[2] = $argv[1]
            end
        end
        function __wizard_kind
            set -l words (commandline -opc)
            test (count $words) -eq 2; and test $words[2] = $argv[1]
        end
        complete -c wizard -f
        complete -c wizard -n __wizard_command -l help -d 'show help'
        \(commands.map(entry).joined(separator: "\n"))

        """
    }

    private static func entry(_ command: any Command.Type) -> String {
        let name = command.name
        var lines = ["complete -c wizard -n __wizard_command -a \(name) -d \(quoted(command.summary))"]
        lines += command.subcommands.map {
            "complete -c wizard -n '__wizard_kind \(name)' -a \($0.name) -d \(quoted($0.help))"
        }
        lines += command.shownOptions.map { option in
            var words = "complete -c wizard -n '__wizard_command \(name)' -l \(option.name)"
            if let short = option.short { words += " -s \(short)" }
            if option.argument != nil { words += option.takesFile || option.takesFolder ? " -r -F" : " -x" }
            return words + " -d \(quoted(option.help))"
        }
        return lines.joined(separator: "\n")
    }

    /// In single quotes fish reads `\'` and `\\`.
    private static func quoted(_ text: String) -> String {
        "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
    }
}
