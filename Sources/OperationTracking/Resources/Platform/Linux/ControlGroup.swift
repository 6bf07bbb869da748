#if os(Linux)
/// Where a process's control group (version 2) is, and what its files say. Pure functions over texts (cgroups(7)).
enum ControlGroup {
    /// Where the hierarchy can be seen.
    struct Mount: Hashable {
        /// The group that the mount shows as its top.
        var root: String
        /// The folder it is mounted on.
        var folder: String
    }

    /// The first cgroup2 mount in `/proc/self/mountinfo`; `nil` when there is none.
    static func mount(inMountInfo bytes: [UInt8]) -> Mount? {
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: " "))
            // Optional fields end with a lone dash; the file system's type stands behind it (proc_pid_mountinfo(5)).
            guard fields.count > 6, let dash = fields[6...].firstIndex(where: { $0.elementsEqual("-".utf8) }),
                dash + 1 < fields.count, fields[dash + 1].elementsEqual("cgroup2".utf8)
            else { continue }
            return Mount(root: unescaped(fields[3]), folder: unescaped(fields[4]))
        }
        return nil
    }

    /// The process's group in `/proc/self/cgroup`: the line of hierarchy 0, which is version 2.
    static func group(inSelfCgroup bytes: [UInt8]) -> String? {
        for line in bytes.split(separator: UInt8(ascii: "\n")) where line.starts(with: "0::/".utf8) {
            return String(decoding: line.dropFirst(3), as: UTF8.self)
        }
        return nil
    }

    /// The folders of the group and of those around it as far as the mount shows them, the innermost first.
    static func folders(of group: String, in mount: Mount) -> [String] {
        let top = mount.root.split(separator: "/")
        var path = group.split(separator: "/")
        // A container that shares its host's view names the group from the host's top, and mounts its own part of it.
        if path.starts(with: top) { path.removeFirst(top.count) } else { path = [] }
        // The group is outside of what this process can see: the top of the mount is all there is.
        if path.contains("..") { path = [] }
        var folders: [String] = []
        for count in stride(from: min(path.count, 32), through: 0, by: -1) {
            let parts = path[..<count].map { "/" + $0 }.joined()
            folders.append((mount.folder == "/" ? "" : mount.folder) + parts)
        }
        return folders
    }

    /// `cpu.max`: a quota and a period, both in microseconds. `nil` for `max`.
    static func cores(_ bytes: UnsafeRawBufferPointer) -> Double? {
        var text = ByteScanner(bytes)
        guard let quota = text.unsigned(), let period = text.unsigned(), quota > 0, period > 0 else { return nil }
        return Double(quota) / Double(period)
    }

    /// `memory.max` or `memory.current`, in bytes. `nil` for `max`.
    static func byteCount(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        var text = ByteScanner(bytes)
        return text.integer()
    }

    /// `inactive_file` of `memory.stat`, in bytes: caches of files that the kernel takes back before it runs short.
    static func reclaimableBytes(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        var text = ByteScanner(bytes)
        while !text.isAtEnd {
            if text.skip("inactive_file ") { return text.integer() }
            text.skipLine()
        }
        return nil
    }

    /// What one group says.
    struct Level: Hashable {
        var cores: Double?
        var memoryLimit: Int64?
        var memoryCurrent: Int64?
        var memoryReclaimable: Int64?
    }

    /// The strictest of all levels; `nil` when none of them limits anything.
    static func limits(_ levels: [Level]) -> ContainerLimits? {
        var limits = ContainerLimits()
        limits.cores = levels.compactMap(\.cores).min()
        for level in levels {
            guard let limit = level.memoryLimit else { continue }
            if limit < limits.memoryLimitBytes ?? .max {
                limits.memoryLimitBytes = limit
                limits.memoryCurrentBytes = level.memoryCurrent
            }
            guard let current = level.memoryCurrent else { continue }
            let room = max(0, limit - max(0, current - (level.memoryReclaimable ?? 0)))
            limits.memoryAvailableBytes = min(limits.memoryAvailableBytes ?? .max, room)
        }
        return limits == .none ? nil : limits
    }

    /// Blanks and the like in paths are written as a backslash and three octal digits.
    private static func unescaped(_ field: ArraySlice<UInt8>) -> String {
        var bytes: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ (48...55).contains($0) }) {
                bytes.append(digits.reduce(0) { $0 &* 8 &+ ($1 - 48) })
                rest.removeFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
#endif
