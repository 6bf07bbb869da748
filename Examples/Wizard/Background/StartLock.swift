#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import OperationTracking

/// `server.lock` in the data directory: held while a command starts a server, or stops one to start another, so that two don't do so
/// at once and no server that waits takes the place of the one that is coming.
struct StartLock: ~Copyable {
    private let descriptor: Int32

    /// Takes the lock for a command, making the data directory where there is none.
    ///
    /// - Throws: ``ServerProblem`` where another command has it, `CancellationError`.
    init(in data: String) async throws {
        try DataDirectory.requireAccess(to: data)
        // As the history does, which the server opens there.
        do {
            try FileManager.default.createDirectory(
                atPath: data,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw ServerProblem(
                "The data directory \(data) can't be made, or is none: check the path, its permissions and the room on the disk, or choose another by --data."
            )
        }
        let opened = try Self.open(in: data)
        guard try await Self.lock(opened) else {
            close(opened)
            throw ServerProblem("A server is being started on \(data) already: see `wizard status` in a moment.")
        }
        descriptor = opened
    }

    /// Takes the lock for a server that waits, if no command has it.
    init?(ifFreeIn data: String) throws {
        let opened = try Self.open(in: data)
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            close(opened)
            return nil
        }
        descriptor = opened
    }

    func release() {
        closeUnlocking(descriptor)
    }

    /// A server that waits has it for a moment now and then, a command that starts one for a second or two, and a busy machine makes
    /// much more of either: it is tried for ten seconds.
    private static func lock(_ descriptor: Int32) async throws -> Bool {
        for _ in 0..<1000 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
            do {
                try await Task.sleep(for: .milliseconds(10))
            } catch {
                close(descriptor)
                throw error
            }
        }
        return false
    }

    private static func open(in data: String) throws -> Int32 {
        let path = data + "/server.lock"
        let descriptor = systemOpen(path)
        guard descriptor >= 0 else {
            throw ServerProblem(
                "\(path) could not be opened: \(String(cString: strerror(errno))). Check its permissions and the room on the disk."
            )
        }
        return descriptor
    }
}

private func systemOpen(_ path: String) -> Int32 { open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600) }
