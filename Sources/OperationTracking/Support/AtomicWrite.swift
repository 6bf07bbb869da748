#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Replaces files as a whole: whoever reads one, after whatever crash, finds the old one or the new one.
package enum AtomicWrite {
    /// Writes a file under a name of its own beside the wanted one, and renames it. The name is a new one each time, so that two
    /// who write at once never write into each other's file.
    ///
    /// - Parameters:
    ///   - name: the file's name in the folder. A link of that name is replaced, not followed.
    ///   - folder: the folder's descriptor.
    ///   - bytes: all that it is to hold.
    ///   - mode: who may do what with it; `nil` for those who may now, or, for a new file, 0644 less the process's mask. With `nil`
    ///     it also keeps its owner and group, as far as the system lets this process give files away.
    ///   - isDurable: whether it is to outlive a power cut from here on.
    package static func replace(
        _ name: String,
        in folder: Int32,
        with bytes: [UInt8],
        mode: UInt32? = nil,
        isDurable: Bool = true
    ) throws(SystemCallError) {
        try put(name, in: folder, bytes, mode: mode, isDurable: isDurable, isNew: false)
    }

    /// Writes a file where there is none, and lets one that is there be: whoever reads it finds all of it or nothing.
    ///
    /// - Parameters:
    ///   - name: the file's name in the folder.
    ///   - folder: the folder's descriptor.
    ///   - bytes: all that it is to hold.
    ///   - mode: who may do what with it.
    package static func create(
        _ name: String,
        in folder: Int32,
        with bytes: [UInt8],
        mode: UInt32
    ) throws(SystemCallError) {
        try put(name, in: folder, bytes, mode: mode, isDurable: true, isNew: true)
    }

    /// Makes sure that ``replace(_:in:with:mode:isDurable:)`` could put a small file there, also as far as there is room on the disk:
    /// one of another name is written beside it, and removed.
    ///
    /// - Parameters:
    ///   - name: the file's name in the folder.
    ///   - folder: the folder's descriptor.
    package static func rehearse(_ name: String, in folder: Int32) throws(SystemCallError) {
        var status = stat()
        let isThere = fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0
        guard !isThere || status.st_mode & S_IFMT != S_IFDIR else { throw SystemCallError(EISDIR) }
        // So that what is left of it, where this program is ended meanwhile, counts as a part of the file's.
        let trial = "\(name).trial"
        try replace(trial, in: folder, with: [UInt8](repeating: 0, count: 4096), mode: 0o600)
        unlinkat(folder, trial, 0)
    }

    /// Does something in the folder that a path leads to, with the folder's descriptor and the path's last name.
    package static func inFolder(
        of path: String,
        _ work: (_ folder: Int32, _ name: String) throws(SystemCallError) -> Void
    ) throws(SystemCallError) {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemCallError() }
        defer { close(descriptor) }
        try work(descriptor, slash.map { String(path[path.index(after: $0)...]) } ?? path)
    }

    private static func put(
        _ name: String,
        in folder: Int32,
        _ bytes: [UInt8],
        mode: UInt32?,
        isDurable: Bool,
        isNew: Bool
    ) throws(SystemCallError) {
        let part = ".\(name).\(getpid())-\(String(UInt64.random(in: .min ... .max), radix: 36))\(suffix)"
        let file = openat(folder, part, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, mode_t(mode ?? 0o644))
        guard file >= 0 else { throw SystemCallError() }
        do throws(SystemCallError) {
            defer { close(file) }
            var status = stat()
            if mode == nil, fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_mode & S_IFMT == S_IFREG
            {
                // First, since it takes away what the mode says of users. Who may not give it to another may to a group of his.
                if status.st_uid != geteuid() || status.st_gid != getegid(),
                    fchown(file, status.st_uid, status.st_gid) != 0
                {
                    _ = fchown(file, .max, status.st_gid)
                }
                // The mask of a process is for files that are new.
                _ = fchmod(file, status.st_mode & 0o777)
            }
            try FileBytes.write(bytes, to: file)
            if isDurable, fsync(file) != 0 { throw SystemCallError() }
            let isDone =
                isNew ? linkat(folder, part, folder, name, 0) == 0 : renameat(folder, part, folder, name) == 0
            guard isDone else { throw SystemCallError() }
        } catch {
            unlinkat(folder, part, 0)
            throw error
        }
        if isNew { unlinkat(folder, part, 0) }
        // The name is durable once the folder is; where a file system can't, there is nothing more to do.
        if isDurable { _ = fsync(folder) }
    }

    /// Removes what killed processes have left half-written. Only where a lock keeps others from writing.
    ///
    /// - Parameters:
    ///   - folder: the folder's descriptor.
    ///   - name: whose parts; `nil` for every file's.
    package static func removeParts(in folder: Int32, of name: String? = nil) {
        let copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { return }
        guard let stream = fdopendir(copy) else {
            close(copy)
            return
        }
        defer { closedir(stream) }
        let prefix = name.map { ".\($0)." } ?? "."
        var parts: [String] = []
        while let entry = readdir(stream) {
            let found = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if found.hasPrefix(prefix), found.hasSuffix(suffix) { parts.append(found) }
        }
        for part in parts { unlinkat(folder, part, 0) }
    }

    private static let suffix = ".part"
}

/// A system call that failed.
package struct SystemCallError: Error, Hashable {
    /// What `errno` said.
    package let number: Int32

    package init(_ number: Int32 = errno) {
        self.number = number
    }

    /// Whether there is no room left.
    package var isFullDisk: Bool { number == ENOSPC || number == EDQUOT }

    /// The system's words for it.
    package var reason: String { String(cString: strerror(number)) }
}
