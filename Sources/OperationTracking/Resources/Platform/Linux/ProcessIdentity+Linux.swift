#if os(Linux)
#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

extension ProcessIdentity {
    /// Field 22 of `/proc/PID/stat` (proc(5)). The command's name, field 2, may hold spaces and brackets, so fields are
    /// counted from its last closing bracket.
    static func startTime(of pid: Int32) -> UInt64? {
        let descriptor = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { buffer in
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            guard count > 0 else { return nil }
            let text = buffer[..<count]
            guard let bracket = text.lastIndex(of: UInt8(ascii: ")")) else { return nil }
            let fields = text[(bracket + 1)...].split(separator: UInt8(ascii: " "))
            guard fields.count > 19 else { return nil }
            return UInt64(String(decoding: fields[19], as: UTF8.self))
        }
    }
}
#endif
