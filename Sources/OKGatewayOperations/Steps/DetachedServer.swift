import CProcess
import OperationTracking
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A process that was started to stay: in a session of its own, without a terminal, its output in a file.
final class DetachedServer: Sendable {
    let pid: Int32
    private let log: String
    /// Where the log ended before.
    private let logStart: Int64
    /// How it ended, in words; `nil` while it runs.
    private let state = Mutex<String?>(nil)

    /// - Throws: `OperationFailure` when it can't be started.
    init(program: String, arguments: [String], environment: [String: String], log: String) throws {
        let descriptor: Int32
        do throws(SystemCallError) {
            descriptor = try RegularFile.open(log, O_WRONLY | O_CREAT | O_APPEND)
        } catch {
            throw OperationFailure(
                .serverStartFailed,
                "The log '\(log.printable)' can't be written (\(error.reason)): remove it if it is no file, make its folder, or give another place."
            )
        }
        defer { close(descriptor) }
        // Before it starts: a program that dies at once has said its last words by the time that anybody looks.
        logStart = max(0, Int64(lseek(descriptor, 0, SEEK_END)))
        var pid: pid_t = 0
        let error = Self.withCStrings([program] + arguments) { arguments in
            Self.withCStrings(environment.map { "\($0.key)=\($0.value)" }) { environment in
                cprocess_spawn(&pid, program, arguments, environment, nil, descriptor)
            }
        }
        guard error == 0 else {
            throw OperationFailure(
                .serverStartFailed,
                "'\(program.printable)' can't be started (\(String(cString: strerror(error)))): check the file and its permissions."
            )
        }
        self.pid = pid
        self.log = log
        // It is this program's child as long as both live, and only its parent can take its ending. Without a thread for that
        // its end is not seen, and the time limit decides.
        _ = BlockingThread.run { [self] in reap() }
    }

    var ending: String? { state.withLock(\.self) }

    /// Asks its process group to end. Only while it has not been reaped is its number surely its own.
    func terminate() {
        state.withLock { ending in
            if ending == nil { kill(-pid, SIGTERM) }
        }
    }

    /// What it has written, its last five lines.
    var lastLines: String {
        guard let descriptor = try? RegularFile.open(log, O_RDONLY) else { return "" }
        defer { close(descriptor) }
        let end = Int64(lseek(descriptor, 0, SEEK_END))
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = pread(descriptor, &bytes, bytes.count, off_t(max(logStart, end - 4096)))
        let lines = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
            .split(whereSeparator: \.isNewline).suffix(5).map { String($0.prefix(200)).printable }
        return lines.isEmpty ? "It printed nothing." : "Its last lines: \(lines.joined(separator: " | "))."
    }

    private func reap() {
        var info = siginfo_t()
        // Looked at first and reaped under the lock, so that no signal is sent to a number that is free again.
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0 {
            guard errno == EINTR else { return end("how, something else in this program has taken") }
        }
        state.withLock { ending in
            var status: Int32 = 0
            waitpid(pid, &status, 0)
            let signal = status & 0x7F
            ending = signal == 0 ? "exit code \((status >> 8) & 0xFF)" : "signal \(signal)"
        }
    }

    private func end(_ how: String) { state.withLock { $0 = how } }

    private static func withCStrings<Result>(
        _ strings: [String],
        _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let pointers = strings.map { strdup($0) }
        defer { pointers.forEach { free($0) } }
        return body(pointers + [nil])
    }
}
