/// Completion for zsh, sourced or as a file `_wizard` in a folder of `$fpath`.
enum ZshCompletion {
    static func text(_ commands: [any Command.Type]) -> String {
        """
        #compdef wizard
        # Completion of wizard for zsh. Made by: wizard completion zsh
        _wizard() {
            local -a commands kinds
            commands=(
        \(commands.map { "        " + described($0.name, $0.summary) }.joined(separator: "\n"))
            )
            if ((CURRENT == 2)); then
                _describe command commands
                return
            fi
            local command=$words[2]
            shift words
            ((CURRENT--))
            case $command in
        \(commands.map(entry).joined(separator: "\n"))
            esac
        }
        if [[ $funcstack[1] == _wizard ]]; then _wizard "$@"; else compdef _wizard wizard; fi

        """
    }

    private static func entry(_ command: any Command.Type) -> String {
        var lines = ["        \(command.name))"]
        if !command.subcommands.isEmpty {
            let kinds = command.subcommands.map { described($0.name, $0.help) }.joined(separator: " ")
            lines.append("            kinds=(\(kinds))")
        }
        var words = command.shownOptions.flatMap { option in option.words.map { spec($0, option) } }
        // With two colons it is what stands behind the first operand alone, and no options of this command, that is completed.
        let operands = command.operandsEndOptions ? "'*::operand:_default'" : "'*:operand:_default'"
        words.append(command.subcommands.isEmpty ? operands : "'1:what:{_describe what kinds}' \(operands)")
        lines.append("            _arguments \(words.joined(separator: " "))")
        return (lines + ["            ;;"]).joined(separator: "\n")
    }

    private static func spec(_ word: String, _ option: Option) -> String {
        let help = option.help.map { "[]:\\".contains($0) ? "\\\($0)" : "\($0)" }.joined()
        let argument = option.argument.map { name in
            ":\(name):" + (option.takesFile ? "_files" : option.takesFolder ? "_files -/" : " ")
        }
        return "\(word)[\(help)]\(argument ?? "")".singleQuoted
    }

    private static func described(_ name: String, _ help: String) -> String {
        "\(name):\(help)".singleQuoted
    }
}

extension String {
    /// As a word that no shell looks into.
    var singleQuoted: String { "'" + replacing("'", with: "'\\''") + "'" }
}
