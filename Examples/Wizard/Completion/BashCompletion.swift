/// Completion for bash 4 or newer, without the bash-completion package.
enum BashCompletion {
    static func text(_ commands: [any Command.Type]) -> String {
        """
        # Completion of wizard for bash. Made by: wizard completion bash
        _wizard() {
            local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=
            COMPREPLY=()
            if ((COMP_CWORD == 1)); then
                COMPREPLY=($(compgen -W "\(commands.map { $0.name }.joined(separator: " ")) --help" -- "$current"))
                return
            fi
            case ${COMP_WORDS[1]} in
        \(commands.map(entry).joined(separator: "\n"))
            esac
            COMPREPLY=($(compgen -W "$words" -- "$current"))
        }
        complete -o default -F _wizard wizard

        """
    }

    private static func entry(_ command: any Command.Type) -> String {
        var lines = ["        \(command.name))"]
        let options = command.shownOptions
        let files = options.filter(\.takesFile).flatMap(\.words)
        let folders = options.filter(\.takesFolder).flatMap(\.words)
        let others = options.filter { $0.argument != nil && !$0.takesFile && !$0.takesFolder }.flatMap(\.words)
        let cases = [
            (files, "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$current\")); return"),
            (folders, "compopt -o filenames; COMPREPLY=($(compgen -d -- \"$current\")); return"),
            (others, "return"),
        ].filter { !$0.0.isEmpty }
        if !cases.isEmpty {
            lines.append("            case $previous in")
            lines += cases.map { "                \($0.joined(separator: "|"))) \($1) ;;" }
            lines.append("            esac")
        }
        lines.append("            words=\"\(options.flatMap(\.words).joined(separator: " "))\"")
        if !command.subcommands.isEmpty {
            let names = command.subcommands.map(\.name).joined(separator: " ")
            lines.append("            ((COMP_CWORD == 2)) && words=\"\(names) $words\"")
        }
        return (lines + ["            ;;"]).joined(separator: "\n")
    }
}
