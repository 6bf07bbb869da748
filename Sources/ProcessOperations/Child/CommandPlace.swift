#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import OperationTracking

/// Finds the file of a command's program, as a shell does, and says what is wrong where there is none.
enum CommandPlace {
    /// - Parameters:
    ///   - program: a path, or a name without `/` that is looked for in `PATH`.
    ///   - directory: where the command is to run, from which a relative path counts; `nil` for this process's own.
    ///   - path: the command's `PATH`.
    /// - Throws: `OperationFailure`: `not_found` or `permission_denied`.
    static func find(_ program: String, in directory: String?, path: String?) throws(OperationFailure) -> String {
        if let directory { try check(directory) }
        if program.utf8.contains(UInt8(ascii: "/")) {
            try check(program, at: absolute(program, in: directory))
            return program
        }
        // What POSIX calls the default path, where an environment has none.
        let folders = (path ?? "/usr/local/bin:/bin:/usr/bin").split(separator: ":", omittingEmptySubsequences: false)
        var refusal: OperationFailure?
        for folder in folders {
            let file = (folder.isEmpty ? "." : folder) + "/" + program
            do throws(OperationFailure) {
                try check(program, at: absolute(file, in: directory))
                return file
            } catch {
                // A file that may not be executed is worth telling only if no other folder has a better one.
                if error.code == .permissionDenied { refusal = refusal ?? error }
            }
        }
        throw refusal ?? .programNotFound(program, advice: "install it, or give its full path")
    }

    private static func absolute(_ path: String, in directory: String?) -> String {
        guard let directory, !path.hasPrefix("/") else { return path }
        return directory + "/" + path
    }

    private static func check(_ program: String, at path: String) throws(OperationFailure) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == EACCES { throw .notExecutable(program) }
            throw .programNotFound(program, advice: "check the path")
        }
        guard status.st_mode & S_IFMT == S_IFREG, access(path, X_OK) == 0 else { throw .notExecutable(program) }
    }

    private static func check(_ directory: String) throws(OperationFailure) {
        var status = stat()
        guard stat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw OperationFailure(
                .notFound,
                "There is no directory '\(directory.excerpt)' to run the command in: make it, or give another."
            )
        }
        guard access(directory, X_OK) == 0 else {
            throw OperationFailure(
                .permissionDenied,
                "The directory '\(directory.excerpt)' may not be entered: change its permissions, or give another."
            )
        }
    }
}
