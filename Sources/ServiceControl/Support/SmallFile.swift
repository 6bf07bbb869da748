#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import OperationTracking

/// Files that are read and written whole.
enum SmallFile {
    /// Its bytes; `nil` when there is no such file. What it says decides what is started and ended as this user, so it has to be
    /// this user's, or root's, and others may not write to it.
    ///
    /// - Throws: ``ServiceError``: `system` when it can't be read, or is larger than `limit` bytes; `not_permitted` when others may
    ///   have written it.
    static func read(_ path: String, limit: Int = 1 << 20) throws(ServiceError) -> [UInt8]? {
        // Without waiting for somebody to write, should it be a pipe.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failed("read", path)
        }
        defer { close(descriptor) }
        if let distrust = FileDistrust(of: descriptor) { throw ServiceError(distrust, path) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = systemRead(descriptor, &chunk)
            guard count >= 0 else { throw failed("read", path) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= limit else {
                throw ServiceError(.system, "\(path) is larger than \(limit >> 10) KiB: is it the right file?")
            }
        }
    }

    /// Puts a file in the place of another in one step: whoever reads sees the old one or the new one, also after a power
    /// cut. A file that was there keeps its mode and, as far as the
    /// system allows, its owner.
    ///
    /// - Parameters:
    ///   - mode: who may do what with it; `nil` for those who may now, or, for a new file, 0644 less the process's mask.
    ///   - followsLinks: whether behind a symbolic link it is the link's target that is replaced, and not the link.
    ///   - isDurable: whether it is to outlive a power cut from here on, which waits for the disk.
    /// - Throws: ``ServiceError`` (`system`) when it can't be written; then the old one is still there.
    static func write(
        _ bytes: [UInt8],
        to path: String,
        mode: UInt32? = nil,
        followsLinks: Bool = true,
        isDurable: Bool = true
    ) throws(ServiceError) {
        do throws(SystemCallError) {
            let target = followsLinks ? target(of: path) : path
            try AtomicWrite.inFolder(of: target) { (folder, name) throws(SystemCallError) in
                try AtomicWrite.replace(name, in: folder, with: bytes, mode: mode, isDurable: isDurable)
            }
        } catch {
            throw failed("write", path, error.number)
        }
    }

    /// Makes sure that ``write(_:to:mode:followsLinks:isDurable:)`` could put a small file there without following links, also as far
    /// as there is room on the disk.
    ///
    /// - Throws: ``ServiceError`` (`system`) where it couldn't.
    static func rehearse(_ path: String) throws(ServiceError) {
        do throws(SystemCallError) {
            try AtomicWrite.inFolder(of: path) { (folder, name) throws(SystemCallError) in
                try AtomicWrite.rehearse(name, in: folder)
            }
        } catch {
            throw failed("write", path, error.number)
        }
    }

    /// The file that a path means, behind symbolic links, whether it is there or not.
    static func target(of path: String) -> String {
        var path = path
        // As many as the system follows.
        for _ in 0..<40 {
            guard let link = link(path) else { break }
            path = link.hasPrefix("/") ? link : path.dropLast(path.lastPathComponent.count) + link
        }
        return path
    }

    private static func link(_ path: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let count = readlink(path, start, buffer.count)
            guard count > 0, count < buffer.count else { return nil }
            return String(decoding: UnsafeRawBufferPointer(buffer)[..<count], as: UTF8.self)
        }
    }

    /// Makes a folder, and those it is in, where they are missing. Nobody else may put anything there.
    ///
    /// - Throws: ``ServiceError``: `system` when it can't be made, `not_permitted` when there is one where others may.
    static func makeFolder(_ path: String) throws(ServiceError) {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/" + part
            guard mkdir(made, 0o755) == 0 || errno == EEXIST else { throw failed("make", made) }
        }
        try checkFolder(path)
    }

    /// Makes sure that nobody else may put anything into a folder.
    ///
    /// - Throws: ``ServiceError``: `system` when it can't be opened, `not_permitted` when others may.
    static func checkFolder(_ path: String) throws(ServiceError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failed("open", path) }
        defer { close(descriptor) }
        if let distrust = FileDistrust(of: descriptor, isFolder: true) { throw ServiceError(distrust, path) }
    }

    private static func failed(_ what: String, _ path: String, _ number: Int32 = errno) -> ServiceError {
        ServiceError(
            .system,
            "Could not \(what) \(path): \(String(cString: strerror(number))). Check its permissions and the room on the disk."
        )
    }
}

extension ServiceError {
    fileprivate init(_ distrust: FileDistrust, _ path: String) {
        let reason = "what stands there decides what is started and ended as this user"
        switch distrust {
        case .wrongKind: self.init(.system, "\(path) is no file: is it the right path?")
        case .anothers(let userID):
            let owner = UserName.described(userID)
            self.init(
                .notPermitted,
                "\(path) is \(owner)'s, and \(reason): do this as \(owner), or look through it and make it this user's with `chown`."
            )
        case .open:
            self.init(
                .notPermitted,
                "Others may write to \(path), and \(reason): look through it, then say `chmod go-w \(path.shellQuoted)`."
            )
        }
    }
}

private func systemRead(_ descriptor: Int32, _ chunk: inout [UInt8]) -> Int {
    var count: Int
    repeat { count = read(descriptor, &chunk, chunk.count) } while count < 0 && errno == EINTR
    return count
}
