import OperationTracking

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The folder that icons are kept in, and no way out of it: files are reached from its descriptor, and symbolic links inside it are not
/// followed. One run at a time has it.
final class IconFolder: Sendable {
    let path: String
    private let descriptor: Int32
    private let lock: Int32

    /// Opens a folder, making it where it isn't there.
    ///
    /// - Throws: `OperationFailure`: `busy` when another run has it, `storage_error`, `disk_full`.
    init(path: String) throws(OperationFailure) {
        try Self.makeFolder(path)
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw FileFailure.failure("open the folder \(path)") }
        let lock = openat(folder, ".seed.lock", O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let failure = FileFailure.failure("lock the folder \(path)")
            let isTaken = lock >= 0 && errno == EWOULDBLOCK
            if lock >= 0 { close(lock) }
            close(folder)
            throw isTaken
                ? OperationFailure(
                    .busy,
                    "Another run, perhaps a paused one, is filling \(path): wait for it, or choose another folder."
                ) : failure
        }
        self.path = path
        descriptor = folder
        self.lock = lock
    }

    deinit {
        close(lock)
        close(descriptor)
    }

    /// A folder of this one, made where it isn't there. What a killed run left half-written in it is removed.
    func category(_ name: String) throws -> Category {
        if mkdirat(descriptor, name, 0o755) != 0, errno != EEXIST { throw FileFailure.failure("make \(path)/\(name)") }
        let folder = openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else {
            if errno == ELOOP || errno == ENOTDIR {
                throw FileRefusal("the category's folder \(path)/\(name) is a link or a file: remove it")
            }
            throw FileFailure.failure("open \(path)/\(name)")
        }
        let category = Category(path: "\(path)/\(name)", descriptor: folder)
        category.removeParts()
        return category
    }

    /// The folder itself, for files beside its categories.
    func top() throws(OperationFailure) -> Category {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw FileFailure.failure("open \(path)") }
        return Category(path: path, descriptor: copy)
    }

    private static func makeFolder(_ path: String) throws(OperationFailure) {
        var whole = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            whole += part
            if mkdir(whole, 0o755) != 0, errno != EEXIST, errno != EISDIR, errno != EROFS, errno != EACCES {
                throw FileFailure.failure("make the folder \(whole)")
            }
            whole += "/"
        }
    }

    /// One folder and the files in it, by name.
    final class Category: Sendable {
        let path: String
        private let descriptor: Int32

        fileprivate init(path: String, descriptor: Int32) {
            self.path = path
            self.descriptor = descriptor
        }

        deinit {
            close(descriptor)
        }

        /// Whether there is a file of that name.
        ///
        /// - Throws: ``FileRefusal`` when something else has the name.
        func has(_ name: String) throws(FileRefusal) -> Bool {
            var status = stat()
            guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return false }
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw FileRefusal("\(path)/\(name) is there already as a link or a folder: remove it")
            }
            return true
        }

        /// A file's bytes; `nil` where there is none, or something else, or more than `limit` bytes.
        func read(_ name: String, limit: Int) -> [UInt8]? {
            let file = openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard file >= 0 else { return nil }
            defer { close(file) }
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while bytes.count <= limit {
                let count = buffer.withUnsafeMutableBytes { readBytes(file, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { return nil }
                if count == 0 { return bytes }
                bytes += buffer[..<count]
            }
            return nil
        }

        /// Puts a file in place at once, or not at all: written under another name, made durable, then renamed.
        ///
        /// - Throws: `OperationFailure`: `disk_full`, `storage_error`.
        func write(_ bytes: [UInt8], to name: String) throws(OperationFailure) {
            let part = ".\(name).part"
            // One left by a killed run is no one's: the folder is locked.
            unlinkat(descriptor, part, 0)
            let file = openat(descriptor, part, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0o644)
            guard file >= 0 else { throw FileFailure.failure("write \(path)/\(name)") }
            let isDone = FileFailure.writeAll(bytes, to: file) && fsync(file) == 0
            let failure = isDone ? nil : FileFailure.failure("write \(path)/\(name)")
            close(file)
            guard failure == nil, renameat(descriptor, part, descriptor, name) == 0 else {
                let failure = failure ?? FileFailure.failure("write \(path)/\(name)")
                unlinkat(descriptor, part, 0)
                throw failure
            }
            // The name is durable once the folder is; where a file system can't, there is nothing more to do.
            _ = fsync(descriptor)
        }

        /// Gives a file another name.
        func rename(_ name: String, to other: String) throws(OperationFailure) {
            guard renameat(descriptor, name, descriptor, other) == 0 else {
                throw FileFailure.failure("rename \(path)/\(name)")
            }
        }

        func exists(_ name: String) -> Bool {
            var status = stat()
            return fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0
        }

        fileprivate func removeParts() {
            let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard copy >= 0, let stream = fdopendir(copy) else { return }
            defer { closedir(stream) }
            var parts: [String] = []
            while let entry = readdir(stream) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                    String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name.hasPrefix("."), name.hasSuffix(".part") { parts.append(name) }
            }
            for part in parts { unlinkat(descriptor, part, 0) }
        }
    }
}

extension OperationFailure.Code {
    /// Another run uses what this one needs.
    static let busy = Self(rawValue: "busy")
}

private func readBytes(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, bytes, count)
}
