#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
public import OperationTracking

extension OperationFailure.Code {
    /// The command ended with an exit code other than 0.
    public static let exitNonzero = Self(rawValue: "exit_nonzero")
    /// A signal ended the command.
    public static let signalled = Self(rawValue: "signalled")
    /// The command ended, and something else in this program has taken how.
    public static let exitUnknown = Self(rawValue: "exit_unknown")
    /// The system doesn't allow it.
    public static let permissionDenied = Self(rawValue: "permission_denied")
}

extension OperationFailure {
    static func programNotFound(_ program: String, advice: String) -> OperationFailure {
        OperationFailure(.notFound, "There is no program '\(program.excerpt)': \(advice).")
    }

    static func notExecutable(_ program: String) -> OperationFailure {
        OperationFailure(
            .permissionDenied,
            "'\(program.excerpt)' may not be executed: check that it is a program, and its permissions."
        )
    }

    /// What an errno of the start means. Where the program is has been checked before.
    static func notStarted(_ program: String, errno: Int32) -> OperationFailure {
        switch errno {
        case ENOENT: programNotFound(program, advice: "check it, and the interpreter that its first line names")
        case EACCES, EPERM: notExecutable(program)
        case ENOEXEC:
            OperationFailure(
                .invalidRequest,
                "'\(program.excerpt)' is no program of this system: a script's first line has to name its interpreter, such as `#!/bin/sh`."
            )
        case E2BIG:
            OperationFailure(
                .invalidRequest,
                "The command's arguments and environment are longer than the system allows: pass less, or a file."
            )
        case ETXTBSY:
            OperationFailure(
                .providerError,
                "'\(program.excerpt)' is open for writing in another process: try again when it is written."
            )
        default:
            OperationFailure(
                .providerError,
                "'\(program.excerpt)' could not be started: \(String(cString: strerror(errno))). Free some of the system's resources, then try again."
            )
        }
    }

    /// What an ending other than success means; `nil` for success.
    init?(_ ending: ProcessEnding, lastLines: [String]) {
        let said = lastLines.isEmpty ? "It printed nothing." : "Its last lines: \(Self.bounded(lastLines))"
        switch ending {
        case .exited(0): return nil
        case .exited(let code): self.init(.exitNonzero, "The command ended with exit code \(code). \(said)")
        case .signalled(let number):
            self.init(.signalled, "The command was ended by \(Self.signalName(number)). \(said)")
        case .unknown:
            self.init(
                .exitUnknown,
                "The command ended, but how was taken by another part of this program, which ignores SIGCHLD or waits for every child. \(said)"
            )
        }
    }

    /// One line of at most 900 characters. The end of it matters most: that is where commands say why.
    private static func bounded(_ lines: [String]) -> String {
        let text = lines.map { $0.trimmed }.joined(separator: " | ")
        return text.count <= 900 ? text : "…" + text.suffix(899)
    }

    private static func signalName(_ number: Int32) -> String {
        signalNames[number] ?? "signal \(number)"
    }

    private static let signalNames: [Int32: String] = [
        SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL (illegal instruction)",
        SIGTRAP: "SIGTRAP", SIGABRT: "SIGABRT (it gave up by itself)", SIGBUS: "SIGBUS",
        SIGFPE: "SIGFPE (arithmetic error)", SIGKILL: "SIGKILL (someone, or the system for lack of memory)",
        SIGUSR1: "SIGUSR1", SIGSEGV: "SIGSEGV (invalid memory access)", SIGUSR2: "SIGUSR2", SIGPIPE: "SIGPIPE",
        SIGALRM: "SIGALRM", SIGTERM: "SIGTERM", SIGXCPU: "SIGXCPU (its CPU time is used up)",
        SIGXFSZ: "SIGXFSZ (its file became too large)", SIGSYS: "SIGSYS",
    ]
}

extension String {
    /// At most 200 characters, all of them printable.
    var excerpt: String {
        let text = String(prefix(201)).printable
        return text.count <= 200 ? text : text.prefix(199) + "…"
    }

    /// Without white space at both ends.
    fileprivate var trimmed: Substring {
        let start = drop(while: \.isWhitespace)
        return start[..<(start.lastIndex { !$0.isWhitespace }.map(start.index(after:)) ?? start.startIndex)]
    }
}
