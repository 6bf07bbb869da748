import OperationTracking

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The folder that icons are kept in, and no way out of it: files are reached from its descriptor, and symbolic links inside it are not
/// followed. Several runs may fill it: each change is made under a lock.
final class IconFolder: Sendable {
    let path: String
    private let descriptor: Int32
    private let lock: BriefLock

    /// Opens a folder, making it where it isn't there.
    ///
    /// - Throws: `OperationFailure`: `storage_error`, `disk_full`.
    init(path: String) throws(OperationFailure) {
        try Self.makeFolder(path)
        let folder = openFolder(path)
        guard folder >= 0 else { throw FileFailure.failure("open the folder \(path)") }
        do throws(OperationFailure) {
            lock = try BriefLock(".seed.lock", in: folder, path: path + "/.seed.lock")
        } catch {
            close(folder)
            throw error
        }
        self.path = path
        descriptor = folder
    }

    deinit {
        close(descriptor)
    }

    /// Makes a change, or several that belong together, while no other run does.
    func change<Result>(_ body: () throws -> Result) async throws -> Result {
        try await lock.hold(body)
    }

    /// A folder of this one, made where it isn't there. What a killed run left half-written in it is removed, so only within
    /// ``change(_:)``.
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

        /// Puts a file in place at once, or not at all: written under another name, made durable, then renamed. Only within
        /// ``IconFolder/change(_:)``, so that a file under the other name is always one that a killed run has left.
        ///
        /// - Throws: `OperationFailure`: `disk_full`, `storage_error`.
        func write(_ bytes: [UInt8], to name: String) throws(OperationFailure) {
            let part = ".\(name).part"
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

        func exists(_ name: String) -> Bool { stamp(of: name) != nil }

        /// What changes when a file is replaced; `nil` where there is none.
        func stamp(of name: String) -> Stamp? {
            var status = stat()
            guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
            #if canImport(Darwin)
            let time = status.st_mtimespec
            #else
            let time = status.st_mtim
            #endif
            return Stamp(
                node: UInt64(status.st_ino),
                size: Int64(status.st_size),
                seconds: time.tv_sec,
                nanoseconds: time.tv_nsec
            )
        }

        struct Stamp: Hashable {
            fileprivate var node: UInt64
            fileprivate var size: Int64
            fileprivate var seconds: Int
            fileprivate var nanoseconds: Int
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

private func openFolder(_ path: String) -> Int32 {
    open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
}

private func readBytes(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, bytes, count)
}
