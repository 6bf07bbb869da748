#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A lock file that processes hold for the time of a small read and write, by `flock`: the system lets go of it when a process ends.
package final class BriefLock: Sendable {
    private let descriptor: Int32
    private let path: String

    /// Opens the file, making it when it isn't there.
    ///
    /// - Parameters:
    ///   - name: the file's name.
    ///   - folder: the descriptor of the folder that `name` is in; `nil` where `name` is a whole path.
    ///   - path: the whole path, for people.
    package init(_ name: String, in folder: Int32? = nil, path: String) throws(SystemCallError) {
        descriptor = openat(folder ?? AT_FDCWD, name, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SystemCallError() }
        self.path = path
    }

    deinit {
        close(descriptor)
    }

    /// Runs `body` while no one else holds the lock.
    ///
    /// - Parameter patience: how long others may hold it, one after the other; whoever waits in vain for longer waits for a process
    ///   that stands still, and not for a slow disk.
    package func hold<Result>(
        patience: Duration = .seconds(30),
        _ body: () throws -> Result
    ) async throws -> Result {
        let deadline = ContinuousClock.now + patience
        while true {
            if let result = try attempt(body) { return result }
            guard ContinuousClock.now < deadline else { throw isHeld }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// The same for a caller that can't but keep its thread waiting meanwhile.
    package func holdBlocking<Result>(
        patience: Duration,
        _ body: () throws -> Result
    ) throws -> Result {
        let deadline = ContinuousClock.now + patience
        while true {
            if let result = try attempt(body) { return result }
            guard ContinuousClock.now < deadline else { throw isHeld }
            usleep(5000)
        }
    }

    private func attempt<Result>(_ body: () throws -> Result) rethrows -> Result? {
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return nil }
        defer { _ = flock(descriptor, LOCK_UN) }
        return try body()
    }

    private var isHeld: OperationFailure {
        OperationFailure(
            .storageError,
            "Another process holds \(path) and doesn't let go: end the one that stands still, then start this again."
        )
    }
}
