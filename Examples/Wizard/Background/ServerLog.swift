import OperationTracking
import ServiceControl

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What a server in the background prints: `server.log` in the data directory, and the one before it.
enum ServerLog {
    /// How many bytes the file may have before it is begun anew.
    static let limit = 10 << 20
    private static let interval: Duration = .seconds(10)

    static func file(in data: String) -> ServiceLog {
        ServiceLog(path: data.absolutePath + "/server.log", limit: limit)
    }

    /// Has this program print into a file from here on, and keeps that within its limit.
    ///
    /// - Returns: what does the keeping, until it is cancelled.
    /// - Throws: `ServiceError` when the file can't be opened.
    static func begin(_ path: String) throws -> Task<Void, Never> {
        let log = ServiceLog(path: path, limit: limit)
        let (descriptor, _) = try log.open()
        dup2(descriptor, STDOUT_FILENO)
        dup2(descriptor, STDERR_FILENO)
        close(descriptor)
        return Task {
            while (try? await Task.sleep(for: interval)) != nil { log.trim() }
        }
    }
}
