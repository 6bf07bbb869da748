#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Reads and writes open files until all is done: a system call may do less than it is asked to, and a signal may interrupt it.
package enum FileBytes {
    /// Writes all of the bytes.
    package static func write(_ bytes: [UInt8], to file: Int32) throws(SystemCallError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { systemWrite(file, $0.baseAddress?.advanced(by: done), $0.count - done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemCallError(count < 0 ? errno : ENOSPC) }
            done += count
        }
    }

    /// Reads from where the file stands to its end, and no further than `limit` bytes.
    package static func read(_ file: Int32, limit: Int) throws(SystemCallError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        var done = 0
        while done < limit {
            let count = bytes.withUnsafeMutableBytes {
                systemRead(file, $0.baseAddress?.advanced(by: done), $0.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemCallError() }
            if count == 0 { break }
            done += count
        }
        return Array(bytes[..<done])
    }
}

private func systemWrite(_ file: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int { write(file, bytes, count) }

private func systemRead(_ file: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(file, bytes, count)
}
