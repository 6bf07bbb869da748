#if os(Linux)
#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// Who is whose child, from one look at every process of the machine.
struct ProcessScan {
    /// Whether the scan is of this pass.
    var isCurrent = false
    /// In the order of the parents.
    private var links: [(parent: Int32, child: Int32)] = []

    /// How many processes the last scan found; 0 before the first.
    var processCount: Int { links.count }

    mutating func run(with buffer: UnsafeMutableRawBufferPointer) {
        isCurrent = true
        links.removeAll(keepingCapacity: true)
        guard let folder = opendir("/proc") else { return }
        defer { closedir(folder) }
        let folderDescriptor = dirfd(folder)
        while let pid = Self.nextNumber(in: folder) {
            let descriptor = openat(folderDescriptor, "\(pid)/stat", O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            if let status = ProcFile.read(descriptor, from: 0, into: buffer).flatMap(ProcessStatus.init) {
                links.append((status.parent, pid))
            }
            close(descriptor)
        }
        links.sort { $0.parent < $1.parent }
    }

    func appendChildren(of pid: Int32, to list: inout [Int32]) {
        var low = 0
        var high = links.count
        while low < high {
            let middle = (low + high) / 2
            if links[middle].parent < pid { low = middle + 1 } else { high = middle }
        }
        while low < links.count, links[low].parent == pid {
            list.append(links[low].child)
            low += 1
        }
    }

    /// The next entry whose name is a number; `nil` at the end.
    static func nextNumber(in folder: OpaquePointer) -> Int32? {
        while let entry = readdir(folder) {
            let number = withUnsafeBytes(of: &entry.pointee.d_name) { name -> Int32? in
                var scanner = ByteScanner(name)
                guard let number = scanner.integer(Int32.self), scanner.skip("\0") else { return nil }
                return number
            }
            if let number { return number }
        }
        return nil
    }
}
#endif
