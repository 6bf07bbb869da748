import OperationTracking

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
            OperationsCommand.self, PauseCommand.self, ResumeCommand.self, CancelCommand.self,
            HistoryCommand.self, ShowCommand.self, StatsCommand.self, EventsCommand.self, OverloadCommand.self,
            StartCommand.self, StopCommand.self, KillCommand.self, RestartCommand.self, StatusCommand.self,
            ServeCommand.self, PortsCommand.self, DemoCommand.self, CompletionCommand.self,
        ]
    }

    static func main() async {
        openStandardFiles()
        // A reader that goes away, such as `head`, is no reason to die in the middle of an operation.
        signal(SIGPIPE, SIG_IGN)
        let code = await run(Array(CommandLine.arguments.dropFirst()))
        Console.sayFailure()
        // Everything is written and closed. Not `exit`: it would clean up OpenSSL under threads that still leave through it.
        _exit(Console.hasFailed ? ExitCode.failed.rawValue : code.rawValue)
    }

    /// Whoever closes one of them, as `>&-` does, wants to hear nothing. The next file that is opened would take its place, and be
    /// written to.
    private static func openStandardFiles() {
        var descriptor: Int32
        repeat { descriptor = open("/dev/null", O_RDWR) } while (0...2).contains(descriptor)
        close(descriptor)
    }

    static func run(_ arguments: [String]) async -> ExitCode {
        // As far as can be told before the options are read.
        Console.speakJSON(arguments.prefix { $0 != "--" }.contains("--json"))
        guard let name = arguments.first else {
            Console.error(CommandHelp.all(commands))
            return .usage
        }
        if name == "--help" || name == "-h" || name == "help" {
            Console.line(CommandHelp.all(commands))
            return .done
        }
        guard let command = commands.first(where: { $0.name == name }) else {
            let text = "there is no command '\(name.printable)'. `wizard --help` lists them."
            return Console.failure(text, of: nil, code: "usage", exitCode: .usage)
        }
        do {
            let options = try ParsedOptions(
                Array(arguments.dropFirst()),
                allowed: command.options + [.help],
                operandsEndOptions: command.operandsEndOptions
            )
            Console.speakJSON(options.has("json"))
            if options.has("help") {
                Console.line(CommandHelp.text(of: command))
                return .done
            }
            try requireFolder()
            return try await command.init(options).run()
        } catch let error as UsageError {
            // A message may be a list.
            let hint = "Try `wizard \(name) --help`."
            return Console.failure(printable(error.message), of: name, hint: hint, code: "usage", exitCode: .usage)
        } catch is CancellationError {
            return .cancelled
        } catch {
            return Console.failure(printable("\(error)"), of: name, code: code(of: error), exitCode: .failed)
        }
    }

    /// Without a folder to count from, relative paths would be others.
    private static func requireFolder() throws {
        guard let folder = getcwd(nil, 0) else {
            throw UsageError("this folder is gone, or can't be told: go to one that is there, as by `cd`.")
        }
        free(folder)
    }

    private static func printable(_ message: String) -> String {
        message.split(separator: "\n").map { String($0).printable }.joined(separator: "\n")
    }

    private static func code(of error: any Error) -> String {
        switch error {
        case let error as ServerProblem: error.code ?? "failed"
        case let error as OperationError: error.code.rawValue
        case let error as HistoryError: error.code.rawValue
        case let error as any OperationFailureConvertible: error.operationFailure.code.rawValue
        default: "failed"
        }
    }
}

/// What the program's exit says.
enum ExitCode: Int32 {
    case done = 0
    case failed = 1
    case usage = 2
    /// A question about something that runs, which doesn't.
    case notRunning = 3
    /// A question about a server whose process is there, and which doesn't answer.
    case notAnswering = 4
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
    /// What the first operand may be; empty where that is anything.
    static var subcommands: [Subcommand] { get }
    /// What else its help is to say; empty for nothing.
    static var note: String { get }

    /// - Throws: ``UsageError`` when what was given makes no sense.
    init(_ options: ParsedOptions) throws
    func run() async throws -> ExitCode
}

extension Command {
    static var operandsEndOptions: Bool { false }
    static var subcommands: [Subcommand] { [] }
    static var note: String { "" }
}
