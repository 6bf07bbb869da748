#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import Foundation
import Synchronization

/// A process in a group, or a session, of its own, which is killed with this value.
///
/// Not `Foundation.Process`: started from a pool thread, its child inherits that thread's signal mask, and never gets SIGTERM.
final class ChildProcess: Sendable {
    let pid: pid_t
    private let ending = Mutex<Int32?>(nil)

    /// - Parameters:
    ///   - leadsSession: whether it leads a session, and not a group only.
    ///   - output: the file that standard output goes to; `nil` for this process's own.
    init(_ executable: String, _ arguments: [String], leadsSession: Bool = false, output: String? = nil) throws {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var nothing = sigset_t()
        sigemptyset(&nothing)
        posix_spawnattr_setsigmask(&attributes, &nothing)
        posix_spawnattr_setpgroup(&attributes, 0)
        // The C library hides its flag for a session from Swift; the value is that of its <spawn.h>.
        let place = leadsSession ? 0x80 : POSIX_SPAWN_SETPGROUP
        posix_spawnattr_setflags(&attributes, Int16(place) | Int16(POSIX_SPAWN_SETSIGMASK))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let output { posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600) }
        var words: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var child = pid_t()
        let code = posix_spawn(&child, executable, &actions, &attributes, words, environ)
        guard code == 0 else { throw Unexpected(what: "can't start \(executable): \(String(cString: strerror(code)))") }
        pid = child
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
