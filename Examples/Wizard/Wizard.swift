#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The reference service: the library as a command-line program.
@main
struct Wizard {
    static var commands: [any Command.Type] {
        [
            PullCommand.self, DownloadCommand.self, SeedCommand.self, SetupCommand.self, RunCommand.self,
            HistoryCommand.self, ShowCommand.self, ServeCommand.self, DemoCommand.self,
        ]
    }

    static func main() async {
        // A reader that goes away, such as `head`, is no reason to die in the middle of an operation.
        signal(SIGPIPE, SIG_IGN)
        let code = await run(Array(CommandLine.arguments.dropFirst()))
        // Everything is written and closed. Not `exit`: it would clean up OpenSSL under threads that still leave through it.
        _exit(Console.hasFailed ? ExitCode.failed.rawValue : code.rawValue)
    }

    static func run(_ arguments: [String]) async -> ExitCode {
        guard let name = arguments.first else {
            Console.error(help)
            return .usage
        }
        if name == "--help" || name == "-h" || name == "help" {
            Console.line(help)
            return .done
        }
        guard let command = commands.first(where: { $0.name == name }) else {
            Console.error("wizard: there is no command '\(name.printable)'. `wizard --help` lists them.")
            return .usage
        }
        do {
            let options = try ParsedOptions(
                Array(arguments.dropFirst()),
                allowed: command.options + [.help],
                operandsEndOptions: command.operandsEndOptions
            )
            if options.has("help") {
                Console.line(command.helpText)
                return .done
            }
            return try await command.init(options).run()
        } catch let error as UsageError {
            // A message may be a list.
            let lines = error.message.split(separator: "\n").map { String($0).printable }.joined(separator: "\n")
            Console.error("wizard \(name): \(lines)\nTry `wizard \(name) --help`.")
            return .usage
        } catch {
            Console.error("wizard \(name): \("\(error)".printable)")
            return .failed
        }
    }

    static var help: String {
        let width = commands.map { $0.name.count }.max() ?? 0
        let list = commands.map { command in
            "  " + command.name.padded(to: width) + "  " + command.summary
        }
        return """
            wizard: makes long-running work visible and keeps it under control.

            usage: wizard COMMAND [OPTION …]

            \(list.joined(separator: "\n"))

            `wizard COMMAND --help` tells more. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 cancelled.
            """
    }
}

/// What the program's exit says.
enum ExitCode: Int32 {
    case done = 0
    case failed = 1
    case usage = 2
    /// As a shell reports a program that Ctrl-C has ended.
    case cancelled = 130
}

/// One command of the program.
protocol Command {
    static var name: String { get }
    static var summary: String { get }
    /// What stands after the command's name, such as `MODEL`.
    static var operands: String { get }
    /// Whether everything from the first operand on is operands, as where a command takes another one with its options.
    static var operandsEndOptions: Bool { get }
    static var options: [Option] { get }

    /// - Throws: ``UsageError`` when what was given makes no sense.
    init(_ options: ParsedOptions) throws
    func run() async throws -> ExitCode
}

extension Command {
    static var operandsEndOptions: Bool { false }

    static var helpText: String {
        let shown = options + [.help]
        let width = shown.map { $0.spelling.count }.max() ?? 0
        let list = shown.map { "  " + $0.spelling.padded(to: width) + "  " + $0.help }
        let operands = operands.isEmpty ? "" : " " + operands
        return """
            wizard \(name): \(summary)

            usage: wizard \(name)\(operandsEndOptions ? " [OPTION …]" + operands : operands + " [OPTION …]")

            \(list.joined(separator: "\n"))
            """
    }
}
