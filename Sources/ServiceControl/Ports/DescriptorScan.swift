#if os(Linux)
import CSockDiag
#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// Finds the processes that have a socket, by a look at every process's descriptors (`/proc/PID/fd`, proc_pid_fd(5)).
///
/// Any process may have it, as forked workers do and those to which it was sent, so none is left out. What can be saved is saved on
/// each: one buffer serves all folders, and no string is made.
enum DescriptorScan {
    /// The processes that have any of the sockets, and which. Those whose descriptors this user may not see are left out.
    static func holders(of inodes: Set<UInt64>) -> [Int32: Set<UInt64>] {
        guard !inodes.isEmpty else { return [:] }
        var found: [Int32: Set<UInt64>] = [:]
        withBuffers { processes, descriptors in
            forEachNumber(in: "/proc", from: AT_FDCWD, processes) { pid, name, folder in
                let sockets = sockets(of: name, in: folder, among: inodes, descriptors)
                if !sockets.isEmpty { found[pid] = sockets }
                return true
            }
        }
        return found
    }

    /// The pids of all processes.
    static func allProcesses() -> [Int32] {
        var found: [Int32] = []
        withBuffers { processes, _ in
            forEachNumber(in: "/proc", from: AT_FDCWD, processes) { pid, _, _ in
                found.append(pid)
                return true
            }
        }
        return found
    }

    /// Which of the sockets a process has.
    static func sockets(of pid: Int32, among inodes: Set<UInt64>) -> Set<UInt64> {
        withBuffers { _, descriptors in
            "/proc/\(pid)".withCString { sockets(of: $0, in: AT_FDCWD, among: inodes, descriptors) }
        }
    }

    /// - Parameter process: the name of a process's folder.
    private static func sockets(
        of process: UnsafePointer<CChar>,
        in folder: Int32,
        among inodes: Set<UInt64>,
        _ buffer: UnsafeMutableRawBufferPointer
    ) -> Set<UInt64> {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { path in
            guard let start = path.baseAddress else { return [] }
            // "/proc/", ten digits and "/fd" at most.
            strcpy(start, process)
            strcat(start, "/fd")
            var found: Set<UInt64> = []
            forEachNumber(in: start, from: folder, buffer) { _, name, folder in
                switch socket(name, in: folder) {
                case .socket(let inode): if inodes.contains(inode) { found.insert(inode) }
                case .other: break
                // What holds for one of its descriptors holds for all.
                case .denied: return false
                }
                return true
            }
            return found
        }
    }

    private enum Link {
        case socket(UInt64)
        case other
        case denied
    }

    /// A socket's link reads `socket:[INODE]`.
    private static func socket(_ name: UnsafePointer<CChar>, in folder: Int32) -> Link {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { link in
            guard let text = link.baseAddress else { return .other }
            let count = readlinkat(folder, name, text, link.count)
            if count < 0, errno == EACCES { return .denied }
            // A longer one is a path.
            guard count > 9, count < link.count, memcmp(text, "socket:[", 8) == 0 else { return .other }
            var inode: UInt64 = 0
            for character in link[8..<count - 1] {
                let digit = UInt8(bitPattern: character)
                guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return .other }
                inode = inode &* 10 &+ UInt64(digit - UInt8(ascii: "0"))
            }
            return .socket(inode)
        }
    }
}

// MARK: - Folders whose names are numbers

extension DescriptorScan {
    private typealias Buffer = UnsafeMutableRawBufferPointer

    private static func withBuffers<Result>(_ body: (Buffer, Buffer) -> Result) -> Result {
        withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 8) { buffer in
            body(Buffer(rebasing: buffer[..<32768]), Buffer(rebasing: buffer[32768...]))
        }
    }

    /// Gives each name that is a number, as those of processes and descriptors are, until `body` says that it is enough.
    ///
    /// - Parameter body: takes the number, the name, and the folder's descriptor.
    private static func forEachNumber(
        in path: UnsafePointer<CChar>,
        from folder: Int32,
        _ buffer: Buffer,
        _ body: (Int32, UnsafePointer<CChar>, Int32) -> Bool
    ) {
        let descriptor = openat(folder, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0, let start = buffer.baseAddress else { return }
        defer { close(descriptor) }
        while true {
            // A signal may cut it short, so that only nothing is the end.
            let count = csockdiag_getdents(descriptor, start, buffer.count)
            guard count > 0 else { return }
            var offset = 0
            // getdents64(2): an inode and an offset of eight bytes each, the record's length of two, a kind of one, the name.
            while offset + 19 < count {
                let length = Int(start.loadUnaligned(fromByteOffset: offset + 16, as: UInt16.self))
                guard length > 19, offset + length <= count else { return }
                let name = (start + offset + 19).assumingMemoryBound(to: CChar.self)
                // Only the names of processes and of descriptors begin with a digit, and they have nothing but digits.
                if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(UInt8(bitPattern: name[0])),
                    !body(atoi(name), name, descriptor)
                {
                    return
                }
                offset += length
            }
        }
    }
}
#endif
