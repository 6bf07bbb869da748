#if os(Linux)
#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// A file of `/proc` or of a cgroup, kept open: the kernel makes its text anew whenever it is read from the start.
///
/// What it is a file of can end; then reading fails (`ESRCH`, `ENODEV`) and never gives another's text.
package final class ProcFile {
    private let descriptor: Int32

    /// Opens it; `nil` when that can't be done.
    init?(_ path: String) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { return nil }
    }

    deinit {
        // It runs for a file that could not be opened too, since every property is set by then.
        if descriptor >= 0 { close(descriptor) }
    }

    /// Reads the text up to what fits `buffer`.
    ///
    /// - Returns: what was read; `nil` when reading fails.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> UnsafeRawBufferPointer? {
        Self.read(descriptor, from: 0, into: buffer)
    }

    /// Reads from `offset` in the text on.
    static func read(
        _ descriptor: Int32,
        from offset: Int,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> UnsafeRawBufferPointer? {
        var count: Int
        repeat {
            count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
        } while count < 0 && errno == EINTR
        return count < 0 ? nil : UnsafeRawBufferPointer(rebasing: buffer[..<count])
    }

    /// The text of a file that is read seldom, up to `limit` bytes; `nil` when it can't be read.
    package static func contents(of path: String, limit: Int = 65536) -> [UInt8]? {
        guard let file = ProcFile(path) else { return nil }
        var contents: [UInt8] = []
        return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            while contents.count < limit {
                guard let part = read(file.descriptor, from: contents.count, into: buffer) else { return nil }
                if part.isEmpty { break }
                contents.append(contentsOf: part)
            }
            return contents
        }
    }
}
#endif
