#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Files whose place anything may have been put in: a pipe would be waited for until somebody opens its other end.
package enum RegularFile {
    /// Opens a regular file, and nothing else.
    ///
    /// - Throws: `SystemCallError`, `ENXIO` for what is no regular file.
    package static func open(_ path: String, _ flags: Int32, mode: UInt32 = 0o600) throws(SystemCallError) -> Int32 {
        let descriptor = systemOpen(path, flags | O_NONBLOCK | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw SystemCallError() }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw SystemCallError(ENXIO)
        }
        // Whoever inherits it finds it as usual.
        _ = fcntl(descriptor, F_SETFL, flags)
        return descriptor
    }

    /// The bytes of a regular file.
    ///
    /// - Throws: `SystemCallError`, `ENXIO` for what is no regular file, `EFBIG` for one of more than `limit` bytes.
    package static func read(_ path: String, limit: Int) throws(SystemCallError) -> [UInt8] {
        let descriptor = try open(path, O_RDONLY)
        defer { close(descriptor) }
        let bytes = try FileBytes.read(descriptor, limit: limit + 1)
        guard bytes.count <= limit else { throw SystemCallError(EFBIG) }
        return bytes
    }
}

private func systemOpen(_ path: String, _ flags: Int32, _ mode: UInt32) -> Int32 { open(path, flags, mode_t(mode)) }
