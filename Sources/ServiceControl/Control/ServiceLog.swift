import OperationTracking
import ProcessOperations

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What a service prints: a file, and the one before it.
package struct ServiceLog: Sendable {
    package let path: String
    /// How many bytes it may have before it is begun anew, at least 4,096.
    let limit: Int

    package init(path: String, limit: Int) {
        self.path = path
        self.limit = limit
    }

    /// Opens the file for a service that is to be started. One that is over the limit becomes the one before.
    ///
    /// - Returns: the descriptor, and where the service's own output begins in the file.
    /// - Throws: ``ServiceError`` (`system`).
    package func open() throws(ServiceError) -> (descriptor: Int32, start: Int) {
        trim()
        // Appending: after the file is cut, the service goes on at its new end.
        do throws(SystemCallError) {
            return (try openFile(O_WRONLY | O_APPEND | O_CREAT), size)
        } catch {
            throw notOpened(error)
        }
    }

    private func notOpened(_ error: SystemCallError) -> ServiceError {
        let advice =
            switch error.number {
            case ELOOP: "It is a symbolic link, which no log is written through: remove it."
            case EISDIR, ENXIO: "It is no file: remove it."
            default: "Check its permissions and the room on the disk."
            }
        return ServiceError(.system, "\(path) could not be opened: \(error.reason). \(advice)")
    }

    /// Looks whether the file can be opened.
    ///
    /// - Throws: as ``open()``.
    package func check() throws(ServiceError) { close(try open().descriptor) }

    /// Keeps the file within its limit while the service writes to it: the last of it becomes the file before, and it is emptied.
    /// Lines that are written in this very moment may be lost.
    ///
    /// - Returns: how long it was, and how long it is now, in bytes. That is more than the limit where it couldn't be emptied, as on a
    ///   full disk.
    @discardableResult
    package func trim() -> (found: Int, left: Int) {
        let found = size
        guard found > limit else { return (found, found) }
        empty()
        return (found, size)
    }

    private func empty() {
        guard let descriptor = try? openFile(O_RDWR) else { return }
        defer { closeUnlocking(descriptor) }
        // Several programs may look after one log. The second finds it short, and doesn't put that in the place of what the first
        // has kept.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, size > limit, let bytes = tail(limit) else { return }
        do throws(ServiceError) {
            // A log is not worth the wait for the disk, in which its controller would do nothing else.
            try SmallFile.write(bytes, to: path + ".1", mode: 0o600, followsLinks: false, isDurable: false)
        } catch {
            return
        }
        ftruncate(descriptor, 0)
    }

    /// When a log is to be looked at again, so that it grows by some tenth of its limit meanwhile if it goes on as before.
    ///
    /// - Parameters:
    ///   - growth: the bytes that have come since the look before.
    ///   - milliseconds: the time since then.
    /// - Returns: the time to the next look in milliseconds, 20 to 1,000.
    func nextLook(growth: Int, in milliseconds: Int32) -> Int32 {
        guard growth > 0 else { return 1000 }
        let time = Double(milliseconds) * Double(limit) / 10 / Double(growth)
        return Int32(min(1000, max(20, time)))
    }

    /// The last lines that were written behind `start`, the oldest first.
    package func lastLines(_ count: Int, from start: Int) -> [String] {
        let size = size
        // It was begun anew since.
        let length = size >= start ? size - start : size
        guard let bytes = tail(min(length, OutputTail.limit)) else { return [] }
        var tail = OutputTail()
        bytes.withUnsafeBytes { tail.append($0) }
        return tail.lastLines(count)
    }

    private var size: Int {
        var status = stat()
        return lstat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    private func tail(_ count: Int) -> [UInt8]? {
        guard let descriptor = try? openFile(O_RDONLY) else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: count)
        let start = max(0, size - count)
        var filled = 0
        while filled < count {
            let read = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(start + filled))
            }
            guard read > 0 else { break }
            filled += read
        }
        return Array(bytes[..<filled])
    }

    /// A link would lead what is printed into another file.
    private func openFile(_ flags: Int32) throws(SystemCallError) -> Int32 {
        try RegularFile.open(path, flags | O_NOFOLLOW)
    }
}
