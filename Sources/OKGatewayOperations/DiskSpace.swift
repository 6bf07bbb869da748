#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How much room there is.
enum DiskSpace {
    /// The bytes that this user may still write where a folder is, or would be: the nearest folder above it that exists counts.
    static func freeBytes(at folder: String) -> Int64? {
        var path = folder.isEmpty ? "." : folder
        while true {
            var found = statvfs()
            if statvfs(path, &found) == 0 {
                // Two names for numbers of different widths on different systems.
                return Int64(clamping: UInt64(found.f_bavail).multipliedReportingOverflow(by: UInt64(found.f_frsize)).0)
            }
            guard errno == ENOENT, let slash = path.lastIndex(of: "/"), path != "/" else { return nil }
            path = slash == path.startIndex ? "/" : String(path[..<slash])
        }
    }
}

/// Files as a shell looks for them.
enum Programs {
    /// The first of `folders` that has a program called so.
    static func find(_ name: String, in folders: [String]) -> String? {
        folders.lazy.map { "\($0.isEmpty ? "." : $0)/\(name)" }.first(where: isProgram)
    }

    static func isProgram(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }

    /// The folders of `PATH`.
    static func path(in environment: [String: String]) -> [String] {
        (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")
            .split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    }
}
