import CProcess
import Foundation

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import OperationTracking
import Synchronization
import TestSupport
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
    private let isReaped = Atomic(false)

    /// - Parameters:
    ///   - launcher: a program that starts this one, such as `timeout`, with its own arguments.
    ///   - leading: what that leads.
    init(
        _ arguments: [String],
        environment: [String: String] = [:],
        launcher: [String] = [],
        leading: Leadership = .nothing
    ) throws {
        // Nobody can have a file under this one, not even root.
        let variables = ["HOME": "/dev/null", "PATH": "/usr/bin:/bin"].merging(environment) { $1 }
        let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
        let (outputEnds, errorEnds) = (try Self.pipe(), try Self.pipe())
        defer { for descriptor in [input, outputEnds.write, errorEnds.write] { close(descriptor) } }
        do {
            pid = try spawn(
                launcher + [Self.program.path] + arguments,
                environment: variables,
                input: input,
                output: outputEnds.write,
                errors: errorEnds.write,
                leading: leading
            )
        } catch {
            close(outputEnds.read)
            close(errorEnds.read)
            throw error
        }
        output = outputEnds.read
        errors = errorEnds.read
    }

    deinit {
        // Where a test went wrong nobody has waited for it.
        if !isReaped.load(ordering: .relaxed) {
            kill(pid, SIGTERM)
            waitpid(pid, nil, WNOHANG)
        }
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
    func hasOpen(_ path: String) -> Bool { SystemProcess.openCount(of: path, in: pid) > 0 }

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
            isReaped.store(true, ordering: .relaxed)
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

    /// Makes it the data directory of a server at a URL.
    ///
    /// - Parameter process: what stands for the server's; this program's own unless given.
    func recordServer(at url: String, _ process: Int32 = getpid()) throws {
        let identity = try #require(ProcessIdentity(running: process))
        let record = #"{"url": "\#(url)", "pid": \#(process), "process_start_time": \#(identity.startTime)}"#
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let isMade = FileManager.default.createFile(
            atPath: path + "/server.json",
            contents: Data(record.utf8),
            attributes: [.posixPermissions: 0o600]
        )
        try #require(isMade)
    }
}

private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}
