#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

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
