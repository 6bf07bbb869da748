/// What `--help` says, from the one table of commands, which completions are made from, too.
enum CommandHelp {
    static func all(_ commands: [any Command.Type]) -> String {
        """
        wizard: makes long-running work visible and keeps it under control.

        usage: wizard COMMAND [OPTION …]

        \(list(commands.map { ($0.name, $0.summary) }))

        `wizard COMMAND --help` tells more. Where a server runs on the data directory, work is handed to it and shown here.
        Exit codes: 0 done, 1 failed (or the answer is no), 2 wrong usage, 3 not running, 4 running and not answering,
        130 cancelled. With --json an error is one JSON object on standard error: {"error", "error_code", "exit_code"}.
        """
    }

    static func text(of command: any Command.Type) -> String {
        let operands = command.operands.isEmpty ? "" : " " + command.operands
        let usage = command.operandsEndOptions ? " [OPTION …]" + operands : operands + " [OPTION …]"
        let kinds = command.subcommands.map { ($0.spelling, $0.help) }
        let note = command.note.isEmpty ? "" : "\n\n" + command.note
        return """
            wizard \(command.name): \(command.summary)

            usage: wizard \(command.name)\(usage)

            \(kinds.isEmpty ? "" : list(kinds) + "\n\n")\(list((command.options + [.help]).map { ($0.spelling, $0.help) }))\(note)
            """
    }

    private static func list(_ entries: [(name: String, help: String)]) -> String {
        let width = entries.map(\.name.columns).max() ?? 0
        return entries.map { "  " + $0.name.padded(to: width) + "  " + $0.help }.joined(separator: "\n")
    }
}
