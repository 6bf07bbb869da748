public import OperationTracking

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file that is replaced as a whole: whoever reads it, after whatever crash, finds the old one or the new one.
struct AtomicFile {
    /// Where it really is; links are followed, so that they stay links.
    let path: String

    init(_ path: String) {
        guard let resolved = realpath(path, nil) else {
            self.path = path
            return
        }
        defer { free(resolved) }
        self.path = String(cString: resolved)
    }

    /// Its bytes, at most `limit` of them; `nil` where there is no such file.
    ///
    /// - Throws: `OperationFailure` (`modes_file_error`).
    func read(upTo limit: Int) throws(OperationFailure) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("read")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = systemRead(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read") }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= limit else {
                throw OperationFailure(
                    .modesFileError,
                    "'\(path.printable)' has more than \(limit) bytes, which no file of modes has: check its place."
                )
            }
        }
    }

    /// Replaces it. A crash in the middle leaves a hidden `.part` beside it, which the next write takes over.
    ///
    /// - Throws: `OperationFailure` (`modes_file_error`, `disk_full`).
    func replace(with bytes: [UInt8]) throws(OperationFailure) {
        let part = "\(folder)/.\(name).part"
        var status = stat()
        let mode = stat(path, &status) == 0 ? status.st_mode & 0o777 : 0o644
        unlink(part)
        let descriptor = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("written") }
        let isWritten = Self.write(bytes, to: descriptor) && fsync(descriptor) == 0
        let reason = errno
        close(descriptor)
        guard isWritten, rename(part, path) == 0 else {
            let failure = failure("written", isWritten ? errno : reason)
            unlink(part)
            throw failure
        }
        syncFolder()
    }

    /// Gives it another name in its folder: `name` with `.invalid-` and a time before its extension, and a number where that is
    /// taken.
    ///
    /// - Returns: the new name.
    /// - Throws: `OperationFailure` (`modes_file_error`).
    func setAside(at seconds: Int64) throws(OperationFailure) -> String {
        let stem = name.hasSuffix(".json") ? String(name.dropLast(5)) : name
        for number in 1...100 {
            let other = "\(stem).invalid-\(seconds)\(number == 1 ? "" : "-\(number)").json"
            // A link, unlike a renaming, never takes another file's place.
            if link(path, "\(folder)/\(other)") == 0 { return other }
            guard errno == EEXIST else { throw failure("kept under another name") }
        }
        throw failure("kept under another name", EEXIST)
    }

    private var folder: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private var name: String { String(path.split(separator: "/").last ?? "") }

    private func failure(_ what: String, _ number: Int32 = errno) -> OperationFailure {
        OperationFailure(
            number == ENOSPC || number == EDQUOT ? .diskFull : .modesFileError,
            "'\(path.printable)' can't be \(what) (\(String(cString: strerror(number)))): check its folder and permissions, and the room on the disk."
        )
    }

    private func syncFolder() {
        let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { systemWrite(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}

private func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
    read(descriptor, bytes, count)
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}

extension OperationFailure.Code {
    /// The file of modes can't be read or written.
    public static let modesFileError = Self(rawValue: "modes_file_error")
}
