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

/// Where the program keeps what it knows.
enum DataDirectory {
    /// `--data`, else `OPERATION_TRACKING_DATA`, else the place that the system has for such things.
    static func path(_ options: ParsedOptions) throws -> String {
        if let given = options.text("data") {
            guard !given.isEmpty else { throw UsageError("--data takes a folder.") }
            return given
        }
        guard let path = standard(ProcessInfo.processInfo.environment) else {
            throw UsageError("HOME is no folder, so say where the history is: --data DIR, or OPERATION_TRACKING_DATA.")
        }
        return path
    }

    /// The user to whom a folder belongs that this one can't write to; `nil` where it can, or it is its own, or isn't there.
    static func otherOwner(of path: String) -> String? {
        guard access(path, W_OK) != 0 else { return nil }
        return owner(of: path)
    }

    /// The user to whom a file belongs; `nil` where that is this one, or it isn't there.
    static func owner(of path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_uid != geteuid() else { return nil }
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return attributes?[.ownerAccountName] as? String ?? "#\(status.st_uid)"
    }

    /// Makes sure that this user would see a server that runs on a data directory: what another user has written there isn't taken for
    /// true, and neither is it nothing.
    ///
    /// - Throws: ``ServerProblem`` (`not_permitted`) that says whose the directory is.
    static func requireSight(of data: String) throws {
        let record = data + "/server.json"
        if let owner = owner(of: record) {
            throw ServerProblem(
                "\(record) is \(owner)'s, and tells of a server of that user: say `sudo -u \(owner) wizard …`.",
                "not_permitted"
            )
        }
        guard access(record, F_OK) != 0, errno == EACCES else { return }
        let advice = owner(of: data).map { "it is \($0)'s: say `sudo -u \($0) wizard …`" } ?? "do this as its owner"
        throw ServerProblem("This user can't look into \(data); \(advice).", "not_permitted")
    }

    /// Makes sure that this user can write to a data directory, if that is there.
    ///
    /// - Throws: ``ServerProblem`` (`not_permitted`) that says whose it is.
    static func requireAccess(to data: String) throws {
        guard let owner = otherOwner(of: data) else { return }
        throw ServerProblem(
            "\(data) is \(owner)'s, and this user can't write there: say `sudo -u \(owner) wizard …`.",
            "not_permitted"
        )
    }

    private static func standard(_ environment: [String: String]) -> String? {
        if let given = environment["OPERATION_TRACKING_DATA"], !given.isEmpty { return given }
        let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        #if os(macOS)
        return home.map { $0 + "/Library/Application Support/operation-tracking" }
        #else
        // A relative path there is to be ignored (XDG Base Directory Specification).
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return state + "/operation-tracking" }
        return home.map { $0 + "/.local/state/operation-tracking" }
        #endif
    }
}

extension String {
    /// As a path from the root on: a program in another folder is to find the same file.
    var absolutePath: String { absolutePath(in: nil) }

    /// The same for one that is meant in a folder; `nil` for this one.
    func absolutePath(in folder: String?) -> String {
        hasPrefix("/") ? self : (folder ?? FileManager.default.currentDirectoryPath) + "/" + self
    }

    /// The path without links of what is there; `nil` where nothing is.
    var resolvedPath: String? {
        guard let path = realpath(self, nil) else { return nil }
        defer { free(path) }
        return String(cString: path)
    }

    /// A path by which a file is known, whatever links lead to it, also before there is one.
    var realPath: String {
        let path = absolutePath
        return path.resolvedPath
            ?? (path.deletingLastPart + "/").resolvedPath.map { $0 + "/" + path.lastPart } ?? path
    }

    /// What stands behind the last slash of a path, and what stands before it.
    var lastPart: String { lastIndex(of: "/").map { String(self[index(after: $0)...]) } ?? self }
    var deletingLastPart: String { lastIndex(of: "/").map { String(self[..<$0]) } ?? "" }
}
