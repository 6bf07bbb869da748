#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import Foundation
import OperationTracking
import Synchronization
import TestSupport

/// A process that leads a group, or a session, which is killed with this value.
final class ChildProcess: Sendable {
    let pid: pid_t
    private let ending = Mutex<Int32?>(nil)

    /// - Parameters:
    ///   - leading: whether it leads a session, or a group only.
    ///   - output: the file that standard output goes to; `nil` for this process's own.
    ///   - passesOn: whether it has whatever else is open here without close-on-exec.
    init(
        _ executable: String,
        _ arguments: [String],
        leading: Leadership = .group,
        output: String? = nil,
        passesOn: Bool = false
    ) throws {
        let file = output.map { open($0, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600) }
        defer { if let file { close(file) } }
        pid = try spawn([executable] + arguments, output: file, leading: leading, passesOn: passesOn)
    }

    /// The tool that is built beside the tests.
    static func writer(_ arguments: [String], output: String) throws -> ChildProcess {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let folder = URL(filePath: tests).deletingLastPathComponent()
        return try ChildProcess(folder.appending(path: "HistoryWriterTool").path, arguments, output: output)
    }

    deinit {
        guard ending.withLock({ $0 }) == nil else { return }
        kill(-pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    /// Ends it at once and without warning, with its group, and waits until it has ended.
    func end() {
        ending.withLock { ending in
            // The number is its own until it has been waited for.
            guard ending == nil else { return }
            kill(-pid, SIGKILL)
            var status: Int32 = 0
            if waitpid(pid, &status, 0) == pid { ending = status }
        }
    }

    /// What `waitpid` gives when it has ended; `nil` while it runs.
    var status: Int32? {
        ending.withLock { ending in
            var status: Int32 = 0
            if ending == nil, waitpid(pid, &status, WNOHANG) == pid { ending = status }
            return ending
        }
    }

    /// The signal that ended it; `nil` when it ended by itself, or hasn't.
    var endingSignal: Int32? {
        status.flatMap { $0 & 0x7f == 0 ? nil : $0 & 0x7f }
    }
}
