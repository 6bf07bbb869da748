import OperationTracking

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The file that a download grows in, beside its target, held by a lock as long as this lives: nobody else writes it, in this
/// process or another, and when the process dies the lock is gone.
///
/// Every path is a name in one open folder, so that whatever happens to the folder's own path, nothing is written elsewhere.
/// Its calls block.
final class PartFile {
    let target: DownloadTarget
    /// How many bytes it holds.
    private(set) var size: Int64
    /// Whether the part's name is not this one's any more: another may have made a part of that name since.
    private var isOver = false
    /// Whether anything has been written, by this or an earlier download.
    private var isOurs: Bool
    private let folder: Int32
    let descriptor: Int32

    /// Opens the part, or makes it.
    ///
    /// - Throws: `OperationFailure`: `in_use`, `already_exists`, `storage_error`, `disk_full`.
    init(_ target: DownloadTarget) throws(OperationFailure) {
        self.target = target
        folder = open(target.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw .file(errno, doing: "open the folder \(target.folder)") }
        do throws(OperationFailure) {
            let isThere = Self.exists(target.partName, in: folder)
            (descriptor, size) = try Self.openLocked(target, in: folder)
            // An empty file that nothing is noted of may be anybody's: it is used, and not removed.
            isOurs = !isThere || size > 0 || Self.exists(target.noteName, in: folder)
        } catch {
            // `deinit` runs only once every property is set, so nothing may be thrown after that: it would close all again.
            close(folder)
            throw error
        }
    }

    deinit {
        // An unfinished download that has nothing yet leaves nothing behind.
        if size == 0, !isOver, isOurs { discard() }
        closeUnlocking(descriptor)
        close(folder)
    }

    /// Whether there is something under the target's own name.
    var targetExists: Bool { Self.exists(target.name, in: folder) }

    var targetIsFolder: Bool {
        var status = stat()
        return fstatat(folder, target.name, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func openLocked(
        _ target: DownloadTarget,
        in folder: Int32
    ) throws(OperationFailure) -> (descriptor: Int32, size: Int64) {
        let doing = "write \(target.path).part"
        while true {
            let flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
            let descriptor = openat(folder, target.partName, flags, 0o666)
            guard descriptor >= 0 else { throw .file(errno, doing: doing) }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                close(descriptor)
                throw .inUse(target)
            }
            guard let status = status(of: descriptor), status.isRegular else {
                close(descriptor)
                throw .file(EINVAL, doing: doing)
            }
            // Whoever held the lock before may have renamed the file.
            guard status.isNamed(target.partName, in: folder) else {
                close(descriptor)
                continue
            }
            do throws(OperationFailure) {
                if status.links == 1 {
                    try requireOwn(target, size: status.size, in: folder)
                    return (descriptor, status.size)
                }
                // One that has the target's name too is complete: its holder died while it gave it the second name, and it must
                // not be written any more. Any other second name is somebody else's.
                guard status.isNamed(target.name, in: folder) else { throw .foreignPart(of: target) }
                guard unlinkat(folder, target.partName, 0) == 0 else { throw .file(errno, doing: doing) }
            } catch {
                close(descriptor)
                throw error
            }
            close(descriptor)
        }
    }

    /// A note is there from the first byte to the end. One that is whole and no note of ours is somebody else's file.
    private static func requireOwn(
        _ target: DownloadTarget,
        size: Int64,
        in folder: Int32
    ) throws(OperationFailure) {
        guard exists(target.noteName, in: folder) else {
            if size > 0 { throw .foreignPart(of: target) }
            return
        }
        let note = noteBytes(target, in: folder)
        // Bytes without a readable note are begun again; a whole JSON text that is no note of ours is somebody else's.
        guard let note, note.isEmpty || PartNote.isOne(note) || (size > 0 && OrderedJSON(note) == nil) else {
            throw .foreignPart(of: target)
        }
    }
}

// MARK: - What arrives

extension PartFile {
    /// What the part is a part of; `nil` when that isn't known, or not the file of that URL, or there is no part.
    func note(for url: String) -> PartNote? {
        guard size > 0 else { return nil }
        guard let bytes = Self.noteBytes(target, in: folder), let note = PartNote(json: bytes, url: url),
            note.validator != nil, size <= note.total ?? .max
        else { return nil }
        return note
    }

    private static func noteBytes(_ target: DownloadTarget, in folder: Int32) -> [UInt8]? {
        let file = openat(folder, target.noteName, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
        return count >= 0 ? Array(bytes.prefix(count)) : nil
    }

    /// Begins at the first byte. The part is emptied before it is said what it is a part of, so that a death in between leaves
    /// nothing that could be gone on with.
    func begin(_ note: PartNote) throws(OperationFailure) {
        guard ftruncate(descriptor, 0) == 0 else { throw .file(errno, doing: "empty \(target.path).part") }
        size = 0
        isOurs = true
        unlinkat(folder, target.noteName, 0)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        let file = openat(folder, target.noteName, flags, 0o666)
        guard file >= 0 else { throw .file(errno, doing: "write \(target.path).part.json") }
        defer { close(file) }
        let json = note.json
        let count = json.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
        guard count == json.count else {
            throw .file(count < 0 ? errno : ENOSPC, doing: "write \(target.path).part.json")
        }
    }

    /// Adds bytes at the end.
    func append(_ bytes: [UInt8]) throws(OperationFailure) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, off_t(size))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .file(count < 0 ? errno : ENOSPC, doing: "write \(target.path).part") }
            done += count
            size += Int64(count)
        }
    }

    /// - Throws: `disk_full` when there is not so much room for the part to grow.
    func requireRoom(for bytes: Int64) throws(OperationFailure) {
        // A file system that doesn't say is tried.
        guard let available = DiskSpace.freeBytes(at: descriptor) else { return }
        guard bytes <= available else { throw .noRoom(for: bytes, available: available, in: target.folder) }
    }

    /// Reads the next bytes from `offset` on; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(OperationFailure) -> Int {
        try Self.read(descriptor, target.path + ".part", into: buffer, at: offset)
    }

    fileprivate static func read(
        _ descriptor: Int32,
        _ path: String,
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: Int64
    ) throws(OperationFailure) -> Int {
        while true {
            let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .file(errno, doing: "read \(path)") }
            return count
        }
    }
}

// MARK: - The end

extension PartFile {
    /// Throws the part away.
    func discard() {
        isOver = true
        unlinkat(folder, target.partName, 0)
        unlinkat(folder, target.noteName, 0)
    }

    /// Gives the complete part its target's name, once its bytes can't be lost any more, and makes the name as safe.
    ///
    /// - Parameter replacing: whether what has that name is replaced; nobody sees it gone, nor half of the new one.
    /// - Throws: `OperationFailure`: `already_exists`, `storage_error`, `disk_full`.
    func moveToTarget(replacing: Bool) throws(OperationFailure) {
        let doing = "finish \(target.path)"
        guard Self.flush(descriptor) else { throw .file(errno, doing: doing) }
        if replacing {
            try rename(doing)
        } else if linkat(folder, target.partName, folder, target.name, 0) == 0 {
            // Unlike a rename, a second name is never given to what is there already.
            unlinkat(folder, target.partName, 0)
        } else if errno == EEXIST || targetExists {
            throw .exists(target)
        } else {
            // This file system has no second names.
            try rename(doing)
        }
        unlinkat(folder, target.noteName, 0)
        isOver = true
        // Some file systems can't, and there the name is as safe as they make it.
        _ = Self.flush(folder)
    }

    private func rename(_ doing: String) throws(OperationFailure) {
        guard renameat(folder, target.partName, folder, target.name) == 0 else { throw .file(errno, doing: doing) }
    }

    private static func flush(_ descriptor: Int32) -> Bool {
        #if canImport(Darwin)
        // fsync(2) there leaves the bytes in the disk's own memory. Not run here.
        return fcntl(descriptor, F_FULLFSYNC) == 0 || fsync(descriptor) == 0
        #else
        return fsync(descriptor) == 0
        #endif
    }
}

// MARK: - What is there already

/// The file that has a target's own name.
final class TargetFile {
    let size: Int64
    private let path: String
    private let descriptor: Int32

    fileprivate init(_ descriptor: Int32, size: Int64, path: String) {
        self.descriptor = descriptor
        self.size = size
        self.path = path
    }

    deinit {
        close(descriptor)
    }

    /// Reads the next bytes from `offset` on; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(OperationFailure) -> Int {
        try PartFile.read(descriptor, path, into: buffer, at: offset)
    }
}

extension PartFile {
    /// - Returns: `nil` where nothing has the target's name, or what is no file, or can't be read.
    func openTarget() -> TargetFile? {
        let file = openat(folder, target.name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else { return nil }
        guard let status = Self.status(of: file), status.isRegular else {
            close(file)
            return nil
        }
        return TargetFile(file, size: status.size, path: target.path)
    }
}

// MARK: - Looking

extension PartFile {
    private struct Status {
        let size: Int64
        let links: UInt64
        let isRegular: Bool
        let device: UInt64
        let node: UInt64

        init(_ status: stat) {
            size = Int64(status.st_size)
            links = UInt64(status.st_nlink)
            isRegular = status.st_mode & S_IFMT == S_IFREG
            device = UInt64(truncatingIfNeeded: status.st_dev)
            node = UInt64(truncatingIfNeeded: status.st_ino)
        }

        /// Whether the file has that name now.
        func isNamed(_ name: String, in folder: Int32) -> Bool {
            var other = stat()
            guard fstatat(folder, name, &other, AT_SYMLINK_NOFOLLOW) == 0 else { return false }
            let found = Status(other)
            return found.device == device && found.node == node
        }
    }

    private static func status(of descriptor: Int32) -> Status? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Status(status) : nil
    }

    private static func exists(_ name: String, in folder: Int32) -> Bool {
        var status = stat()
        return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0
    }
}
