import CProcess
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
package import OperationTracking

/// What is to be started, ready for the system.
package struct Launch: Sendable {
    package var program: String
    package var arguments: [String]
    package var directory: String?
    package var environment: [String: String]

    package init(program: String, arguments: [String], directory: String? = nil, environment: [String: String]) {
        self.program = program
        self.arguments = arguments
        self.directory = directory
        self.environment = environment
    }

    /// Looks whether there is such a program.
    ///
    /// - Throws: `OperationFailure`: `not_found`, `permission_denied`.
    package func check() throws(OperationFailure) { _ = try file() }

    fileprivate func file() throws(OperationFailure) -> String {
        try CommandPlace.find(program, in: directory, path: environment["PATH"])
    }
}

/// How a process ended.
package enum ProcessEnding: Sendable, Hashable {
    case exited(Int32)
    case signalled(Int32)
    /// Something else in this program has reaped it.
    case unknown
}

/// A child of this process that has not been reaped, and leads a session and a process group of its own.
///
/// Whoever has this value may signal the group: a group's number is its leader's process id, the system gives no id away
/// while a process has it, and a process that has ended has it until it is reaped (POSIX, "process lifetime"). ``reap()``
/// consumes the value, so that no signal can follow it. The one thing that breaks this proof is another part of this program
/// that reaps children it didn't start; ``leader`` finds that out before each signal. A session has its leader's number too, so
/// what is said of the group holds for the session.
package struct SpawnedProcess: ~Copyable {
    package enum Leader {
        case running, stopped, ended
        /// Reaped by someone else.
        case gone
    }

    package let pid: Int32

    /// - Parameters:
    ///   - launch: what to start.
    ///   - output: the descriptor that becomes its standard output and error.
    /// - Throws: `OperationFailure` when it could not be started; then there is no process.
    package init(_ launch: Launch, output: Int32) throws(OperationFailure) {
        let file = try launch.file()
        var pid: pid_t = 0
        var error = Self.spawn(launch, file, output, &pid)
        // Another thread that starts a process in this moment holds, up to its exec, a copy of the descriptor by which this
        // program has just written the file.
        for _ in 0..<Self.busyTries where error == ETXTBSY {
            usleep(10_000)
            error = Self.spawn(launch, file, output, &pid)
        }
        guard error == 0 else { throw .notStarted(launch.program, errno: error) }
        self.pid = pid
    }

    /// Two seconds: a busy machine may leave a child alone before its exec.
    private static let busyTries = 200

    private static func spawn(_ launch: Launch, _ file: String, _ output: Int32, _ pid: inout pid_t) -> Int32 {
        withCStrings([launch.program] + launch.arguments) { arguments in
            withCStrings(launch.environment.map { "\($0.key)=\($0.value)" }) { environment in
                cprocess_spawn(&pid, file, arguments, environment, launch.directory, output)
            }
        }
    }

    /// How the process itself is. It stays to be reaped.
    package var leader: Leader {
        var info = siginfo_t()
        guard waitid(P_PID, id_t(pid), &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == 0 else { return .gone }
        guard info.si_signo == SIGCHLD else { return .running }
        return info.si_code == CLD_STOPPED ? .stopped : .ended
    }

    /// Whether the session has another process that runs.
    package var hasOthers: Bool { ProcessSession(id: pid).members.contains { $0.pid != pid } }

    /// Signals every process of the group, and those of the session that have made groups of their own, as `timeout` and
    /// shells with job control do.
    package func signalAll(_ number: Int32) {
        guard leader != .gone else { return }
        kill(-pid, number)
        let session = ProcessSession(id: pid)
        for other in session.members where getpgid(other.pid) != pid { session.signal(other, number) }
    }

    /// Takes the ending of a process that has ended.
    package consuming func reap() -> ProcessEnding {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { return .unknown }
        }
        // The status word of wait(2): the signal in the lower seven bits, else the exit code in the next byte.
        let signal = status & 0x7F
        return signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
    }
}

/// Lends the strings as C has them in `argv` and `environ`.
private func withCStrings<Result>(
    _ strings: [String],
    _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
    let pointers = strings.map { strdup($0) }
    defer { pointers.forEach { free($0) } }
    return body(pointers + [nil])
}
