#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import OperationTracking

/// A lock file, held by `flock`: the system lets go of it when the process ends, however it ends.
///
/// `flock` and not `fcntl`, because its locks belong to the open file: two stores in one process exclude each other, and
/// closing another descriptor of the file lets nothing go. The descriptor is closed in a program that this one starts.
final class FileLock: Sendable {
    enum Kind: Sendable {
        case shared
        case exclusive
    }

    let path: String
    private let descriptor: Int32

    /// Opens the file, making it when it isn't there, and locks nothing yet.
    ///
    /// - Parameter flags: more flags for `open`, such as `O_EXCL`.
    /// - Throws: ``SystemFailure``.
    init(path: String, flags: Int32 = O_CREAT) throws(SystemFailure) {
        descriptor = open(path, flags | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemFailure(doing: "open \(path)") }
        self.path = path
    }

    deinit {
        closeUnlocking(descriptor)
    }

    /// Takes the lock, or changes its kind, if that is possible at once.
    ///
    /// A change is not atomic (flock(2)): when it fails, no lock is held.
    ///
    /// - Returns: whether it is held now; if not, another holds it.
    /// - Throws: ``SystemFailure`` when the file system can't say.
    func tryLock(_ kind: Kind) throws(SystemFailure) -> Bool {
        if flock(descriptor, (kind == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 { return true }
        guard errno == EWOULDBLOCK else {
            throw SystemFailure(doing: "lock \(path)", advice: "put the data directory on a disk of this machine")
        }
        return false
    }

    func unlock() {
        _ = flock(descriptor, LOCK_UN)
    }

    /// What stands in the file, at most 256 bytes of it. What can't be written or read is nothing.
    var contents: String {
        get {
            withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer in
                let count = pread(descriptor, buffer.baseAddress, buffer.count, 0)
                return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
            }
        }
        set {
            let bytes = Array(newValue.utf8)
            _ = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        }
    }

    /// Whether the path still names the file that is open here, and not nothing or a later one.
    var isAtItsPath: Bool {
        FileIdentity(path: path) != nil && FileIdentity(path: path) == FileIdentity(descriptor: descriptor)
    }
}

/// Which file it is, whatever it is called.
struct FileIdentity: Hashable {
    private let device: UInt64
    private let node: UInt64

    /// `nil` when nothing has that path.
    init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    private init(_ status: stat) {
        device = UInt64(truncatingIfNeeded: status.st_dev)
        node = UInt64(truncatingIfNeeded: status.st_ino)
    }
}

/// A system call that failed.
struct SystemFailure: Error, CustomStringConvertible {
    let number: Int32
    private let doing: String
    private let advice: String?

    init(doing: String, advice: String? = nil) {
        number = errno
        self.doing = doing
        self.advice = advice
    }

    /// Whether the disk is full or broken, which may pass, and not a wrong path or a missing right, which won't.
    var mayPass: Bool { [ENOSPC, EDQUOT, EIO, EMFILE, ENFILE].contains(number) }

    var description: String {
        "can't \(doing): \(String(cString: strerror(number)))" + (advice.map { "; \($0)" } ?? "")
    }
}
