#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Files that are read and written whole.
enum SmallFile {
    /// Its bytes; `nil` when there is no such file.
    ///
    /// - Throws: ``ServiceError`` (`system`) when it can't be read, or is larger than `limit` bytes.
    static func read(_ path: String, limit: Int = 1 << 20) throws(ServiceError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failed("read", path)
        }
        defer { close(descriptor) }
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
    /// cut.
    ///
    /// - Throws: ``ServiceError`` (`system`) when it can't be written; then the old one is still there.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o644) throws(ServiceError) {
        let temporary = "\(path).\(getpid()).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failed("write", path) }
        let isWritten = systemWrite(descriptor, bytes) && fsync(descriptor) == 0
        close(descriptor)
        guard isWritten, rename(temporary, path) == 0 else {
            let error = failed("write", path)
            unlink(temporary)
            throw error
        }
        syncFolder(of: path)
    }

    /// Makes a folder, and those it is in, where they are missing.
    ///
    /// - Throws: ``ServiceError`` (`system`) when it can't be made.
    static func makeFolder(_ path: String) throws(ServiceError) {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/" + part
            guard mkdir(made, 0o755) == 0 || errno == EEXIST else { throw failed("make", made) }
        }
    }

    private static func syncFolder(of path: String) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private static func failed(_ what: String, _ path: String) -> ServiceError {
        ServiceError(
            .system,
            "Could not \(what) \(path): \(String(cString: strerror(errno))). Check its permissions and the room on the disk."
        )
    }
}

private func systemRead(_ descriptor: Int32, _ chunk: inout [UInt8]) -> Int {
    var count: Int
    repeat { count = read(descriptor, &chunk, chunk.count) } while count < 0 && errno == EINTR
    return count
}

private func systemWrite(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
    }
    return true
}
