import CProcess
import Foundation

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import Testing

/// The program itself, run as a user would, on a history of its own.
///
/// Waiting for it blocks, so that is done on threads of its own: the tests' pool has one for each core, and a few tests that
/// stood still in it would hold up all others.
final class WizardProcess: Sendable {
    struct Outcome: Sendable {
        let code: Int32
        let wasKilled: Bool
        let output: String
        let errors: String

        /// The objects of an output that has one a line.
        var objects: [[String: Any]] {
            get throws {
                try output.split(separator: "\n").map { line in
                    try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
                }
            }
        }
    }

    let pid: Int32
    private let output: Int32
    private let errors: Int32

    /// By `posix_spawn`, since several threads do this at a time, which Foundation's `Process` doesn't always survive.
    ///
    /// - Parameter launcher: a program that starts this one, such as `timeout`, with its own arguments.
    init(_ arguments: [String], environment: [String: String] = [:], launcher: [String] = []) throws {
        let command = launcher + [Self.program.path] + arguments
        // Nobody can have a file under this one, not even root.
        let variables = ["HOME": "/dev/null", "PATH": "/usr/bin:/bin"].merging(environment) { $1 }
        let (outputEnds, errorEnds) = (try Self.pipe(), try Self.pipe())
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
            close(outputEnds.write)
            close(errorEnds.write)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, outputEnds.write, 1)
        posix_spawn_file_actions_adddup2(&actions, errorEnds.write, 2)
        #if canImport(Glibc)
        // Foundation opens a file that it writes without close-on-exec: a server that is started in this moment would hold it
        // as long as it lives, and what is written as a program could not be executed ("Text file busy").
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        #endif
        // A child has the signal mask of the thread that starts it, and those of the pool block signals.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var argv: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, command[0], &actions, &attributes, &argv, &envp)
        guard code == 0 else {
            close(outputEnds.read)
            close(errorEnds.read)
            throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EIO)
        }
        pid = child
        output = outputEnds.read
        errors = errorEnds.read
    }

    deinit {
        close(output)
        close(errors)
    }

    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        guard cprocess_pipe(&ends) == 0 else { throw POSIXError(.EMFILE) }
        return (ends[0], ends[1])
    }

    /// Runs the program to its end.
    static func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> Outcome {
        try await WizardProcess(arguments, environment: environment).outcome()
    }

    /// The first line of the output that `matches`, as soon as it is there; `nil` when the output ends before.
    func firstLine(where matches: @escaping @Sendable (String) -> Bool) async -> String? {
        await Self.firstLine(of: output, where: matches)
    }

    /// The same for what it complains about.
    func firstErrorLine(where matches: @escaping @Sendable (String) -> Bool) async -> String? {
        await Self.firstLine(of: errors, where: matches)
    }

    private static func firstLine(
        of pipe: Int32,
        where matches: @escaping @Sendable (String) -> Bool
    ) async -> String? {
        await onAThread {
            var buffer: [UInt8] = []
            while let chunk = read(pipe) {
                buffer += chunk
                while let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = String(decoding: buffer[..<end], as: UTF8.self)
                    buffer.removeFirst(end + 1)
                    if matches(line) { return line }
                }
            }
            return nil
        }
    }

    /// What there is, as soon as there is something; `nil` at the end.
    private static func read(_ pipe: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = systemRead(pipe, &buffer, buffer.count)
            if count > 0 { return Array(buffer[..<count]) }
            if count == 0 || errno != EINTR { return nil }
        }
    }

    private static func readAll(_ pipe: Int32) -> String {
        var bytes: [UInt8] = []
        while let chunk = read(pipe) { bytes += chunk }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func onAThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: work()) }
        }
    }

    /// Whether it has a file open. Linux only.
    func hasOpen(_ path: String) -> Bool {
        let folder = "/proc/\(pid)/fd"
        let wanted = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).contains { descriptor in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(descriptor)")) == wanted
        }
    }

    func send(_ signal: Int32) {
        kill(pid, signal)
    }

    /// Whether it has ended. It stays to be waited for.
    var hasEnded: Bool {
        var info = siginfo_t()
        return waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_signo != 0
    }

    /// Waits for its end. To be called once.
    func outcome() async -> Outcome {
        await Self.onAThread { [self] in
            let said = Self.readAll(output)
            let complained = Self.readAll(errors)
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7F
            return Outcome(
                code: signal == 0 ? status >> 8 & 0xFF : signal,
                wasKilled: signal != 0,
                output: said,
                errors: complained
            )
        }
    }

    /// The program is built into the folder of the tests' own binary.
    private static var program: URL {
        let tests = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        var folder = tests.deletingLastPathComponent()
        while folder.path != "/" {
            let candidate = folder.appendingPathComponent("wizard")
            if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
            folder.deleteLastPathComponent()
        }
        return tests.deletingLastPathComponent().appendingPathComponent("wizard")
    }
}

/// A folder that is gone after the test.
final class TemporaryFolder {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "/wizard-tests-" + UUID().uuidString
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}
