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
        var path = path
        // A link may lead to what isn't there yet. The system itself gives up after 40 of them.
        for _ in 0..<40 {
            if let resolved = realpath(path, nil) {
                defer { free(resolved) }
                path = String(cString: resolved)
                break
            }
            guard let next = Self.destination(of: path) else { break }
            path = next
        }
        self.path = path
    }

    /// Where a link leads; `nil` where there is none.
    private static func destination(of path: String) -> String? {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &bytes, bytes.count)
        guard count > 0 else { return nil }
        let destination = String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard !destination.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return destination }
        return path[...slash] + destination
    }

    /// Its bytes, at most `limit` of them; `nil` where there is no such file.
    ///
    /// - Throws: `OperationFailure` (`modes_file_error`), also for what is no file, such as a pipe.
    func read(upTo limit: Int) throws(OperationFailure) -> [UInt8]? {
        do throws(SystemCallError) {
            return try RegularFile.read(path, limit: limit)
        } catch {
            switch error.number {
            case ENOENT: return nil
            case ENXIO:
                throw OperationFailure(
                    .modesFileError,
                    "'\(path.printable)' is no file: give another place for the modes."
                )
            case EFBIG:
                throw OperationFailure(
                    .modesFileError,
                    "'\(path.printable)' has more than \(limit) bytes, which no file of modes has: check its place."
                )
            default: throw failure("read", error)
            }
        }
    }

    /// A lock beside it, which everybody holds who reads it to write it anew.
    ///
    /// - Throws: `OperationFailure` (`modes_file_error`, `disk_full`).
    func lock() throws(OperationFailure) -> BriefLock {
        let path = "\(folder)/.\(name).lock"
        do throws(SystemCallError) {
            return try BriefLock(path, path: path)
        } catch {
            throw failure("locked", error)
        }
    }

    /// Replaces it. A crash in the middle leaves a hidden `.part` beside it, which the next write removes; so only under the lock.
    ///
    /// - Throws: `OperationFailure` (`modes_file_error`, `disk_full`).
    func replace(with bytes: [UInt8]) throws(OperationFailure) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("written") }
        defer { close(descriptor) }
        var status = stat()
        // A renaming asks the folder alone. A file that nobody may write is one that somebody wants to stay.
        if stat(path, &status) == 0, status.st_mode & 0o222 == 0 || access(path, W_OK) != 0 {
            throw failure("written", SystemCallError(EACCES))
        }
        AtomicWrite.removeParts(in: descriptor, of: name)
        do throws(SystemCallError) {
            try AtomicWrite.replace(name, in: descriptor, with: bytes)
        } catch {
            throw failure("written", error)
        }
    }

    /// Gives it another name in its folder: `name` with `.invalid-` and a time before its extension, and a number where that is
    /// taken. Only under the lock.
    ///
    /// - Returns: the new name.
    /// - Throws: `OperationFailure` (`modes_file_error`).
    func setAside(at seconds: Int64) throws(OperationFailure) -> String {
        let stem = name.hasSuffix(".json") ? String(name.dropLast(5)) : name
        for number in 1...100 {
            let other = "\(stem).invalid-\(seconds)\(number == 1 ? "" : "-\(number)").json"
            // A link, unlike a renaming, never takes another file's place.
            if link(path, "\(folder)/\(other)") == 0 { return other }
            if errno == EEXIST { continue }
            // This file system has no second names. Under the lock nobody else takes the name meanwhile.
            var status = stat()
            guard lstat("\(folder)/\(other)", &status) != 0 else { continue }
            guard rename(path, "\(folder)/\(other)") == 0 else { throw failure("kept under another name") }
            return other
        }
        throw failure("kept under another name", SystemCallError(EEXIST))
    }

    private var folder: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private var name: String { String(path.split(separator: "/").last ?? "") }

    private func failure(_ what: String, _ error: SystemCallError = SystemCallError()) -> OperationFailure {
        OperationFailure(
            error.isFullDisk ? .diskFull : .modesFileError,
            "'\(path.printable)' can't be \(what) (\(error.reason)): check its folder and permissions, and the room on the disk."
        )
    }
}

extension OperationFailure.Code {
    /// The file of modes can't be read or written.
    public static let modesFileError = Self(rawValue: "modes_file_error")
}
