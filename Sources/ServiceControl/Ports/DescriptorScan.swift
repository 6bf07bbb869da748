#if os(Linux)
#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// Finds the processes that have a socket, by a look at every process's descriptors (`/proc/PID/fd`, proc_pid_fd(5)).
enum DescriptorScan {
    /// The processes that have any of the sockets, and which. Those whose descriptors this user may not see are left out.
    static func holders(of inodes: Set<UInt64>) -> [Int32: Set<UInt64>] {
        guard !inodes.isEmpty, let processes = opendir("/proc") else { return [:] }
        defer { closedir(processes) }
        var found: [Int32: Set<UInt64>] = [:]
        while let entry = readdir(processes) {
            guard let pid = number(in: entry) else { continue }
            let sockets = sockets(of: pid, in: dirfd(processes), among: inodes)
            if !sockets.isEmpty { found[pid] = sockets }
        }
        return found
    }

    /// The pids of all processes.
    static func allProcesses() -> [Int32] {
        guard let processes = opendir("/proc") else { return [] }
        defer { closedir(processes) }
        var found: [Int32] = []
        while let entry = readdir(processes) {
            if let pid = number(in: entry) { found.append(pid) }
        }
        return found
    }

    /// Which of the sockets a process has.
    static func sockets(of pid: Int32, among inodes: Set<UInt64>) -> Set<UInt64> {
        sockets(of: pid, in: AT_FDCWD, under: "/proc/", among: inodes)
    }

    private static func sockets(
        of pid: Int32,
        in folder: Int32,
        under prefix: String = "",
        among inodes: Set<UInt64>
    ) -> Set<UInt64> {
        let descriptor = openat(folder, "\(prefix)\(pid)/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        guard let descriptors = fdopendir(descriptor) else {
            close(descriptor)
            return []
        }
        defer { closedir(descriptors) }
        var found: Set<UInt64> = []
        while let entry = readdir(descriptors) {
            guard number(in: entry) != nil else { continue }
            switch socket(entry, in: descriptor) {
            case .socket(let inode): if inodes.contains(inode) { found.insert(inode) }
            case .other: break
            // What holds for one of its descriptors holds for all.
            case .denied: return found
            }
        }
        return found
    }

    /// Only the names of processes and of descriptors begin with a digit, and they have nothing but digits.
    private static func number(in entry: UnsafeMutablePointer<dirent>) -> Int32? {
        withName(of: entry) { name in
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(UInt8(bitPattern: name[0])) else { return nil }
            return atoi(name)
        }
    }

    private enum Link {
        case socket(UInt64)
        case other
        case denied
    }

    /// A socket's link reads `socket:[INODE]`.
    private static func socket(_ entry: UnsafeMutablePointer<dirent>, in folder: Int32) -> Link {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { link in
            guard let text = link.baseAddress else { return .other }
            let count = withName(of: entry) { readlinkat(folder, $0, text, link.count) }
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

    private static func withName<Result>(
        of entry: UnsafeMutablePointer<dirent>,
        _ body: (UnsafePointer<CChar>) -> Result
    ) -> Result {
        withUnsafePointer(to: &entry.pointee.d_name) { name in
            name.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: name.pointee), body)
        }
    }
}
#endif
