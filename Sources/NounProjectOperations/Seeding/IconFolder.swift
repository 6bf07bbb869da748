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
        do throws(SystemCallError) {
            lock = try BriefLock(".seed.lock", in: folder, path: path + "/.seed.lock")
        } catch {
            close(folder)
            throw FileFailure.failure("open \(path)/.seed.lock", error)
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

        /// Puts a file in place at once, or not at all. Only within ``IconFolder/change(_:)``, so that what is half-written outside
        /// it is always what a killed run has left.
        ///
        /// - Throws: `OperationFailure`: `disk_full`, `storage_error`.
        func write(_ bytes: [UInt8], to name: String) throws(OperationFailure) {
            do throws(SystemCallError) {
                try AtomicWrite.replace(name, in: descriptor, with: bytes)
            } catch {
                throw FileFailure.failure("write \(path)/\(name)", error)
            }
        }

        /// Removes what a killed run has left half-written. Only within ``IconFolder/change(_:)``.
        func removeParts() { AtomicWrite.removeParts(in: descriptor) }

        /// Gives a file another name, with a number before its extension where that is taken. Only within
        /// ``IconFolder/change(_:)``.
        ///
        /// - Returns: the name that it has now.
        func setAside(_ name: String, as stem: String, _ ending: String) throws(OperationFailure) -> String {
            var other = stem + ending
            var number = 1
            while exists(other) {
                number += 1
                other = "\(stem)-\(number)\(ending)"
            }
            guard renameat(descriptor, name, descriptor, other) == 0 else {
                throw FileFailure.failure("rename \(path)/\(name)")
            }
            return other
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
    }
}

private func openFolder(_ path: String) -> Int32 {
    open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
}

private func readBytes(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, bytes, count)
}
