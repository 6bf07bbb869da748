#if os(Linux)
import CProcess
#endif
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The processes of a session whose leader is a child of this process that has not been reaped, so that the number means
/// this session and no later one.
struct Session {
    let id: pid_t

    /// Those that have not ended, without the leader.
    var others: [pid_t] {
        Self.allProcesses.filter { $0 != id && getsid($0) == id && !Self.hasEnded($0) }
    }
}

#if os(Linux)
extension Session {
    /// Signals a process if it is of this session.
    ///
    /// The descriptor means one process for good. Were that another one whose number has since been given to a process of
    /// this session, it would have ended, and the signal would reach nobody.
    func signal(_ process: pid_t, _ number: Int32) {
        let descriptor = cprocess_pidfd_open(process)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard getsid(process) == id else { return }
        cprocess_pidfd_send_signal(descriptor, number)
    }

    private static var allProcesses: [pid_t] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var found: [pid_t] = []
        while let entry = readdir(folder) {
            // Only the names of processes begin with a digit.
            let number = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { atoi($0) }
            }
            if number > 0 { found.append(number) }
        }
        return found
    }

    /// Whether it is a zombie, or not there: field 3 of `/proc/PID/stat` (proc(5)), the letter after the name in brackets.
    private static func hasEnded(_ process: pid_t) -> Bool {
        let descriptor = open("/proc/\(process)/stat", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        return withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer in
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            guard count > 0, let bracket = buffer[..<count].lastIndex(of: UInt8(ascii: ")")), bracket + 2 < count else {
                return true
            }
            return [UInt8(ascii: "Z"), UInt8(ascii: "X")].contains(buffer[bracket + 2])
        }
    }
}
#else
// Written with care and not run: the project is built and tested on Linux only.
extension Session {
    /// Signals a process. Between the look and the signal its number could be given away; Darwin has no way round that.
    func signal(_ process: pid_t, _ number: Int32) {
        guard getsid(process) == id else { return }
        kill(process, number)
    }

    private static var allProcesses: [pid_t] {
        // The first call tells how many there are; some room is left for those that begin meanwhile.
        var found = [pid_t](repeating: 0, count: max(0, Int(proc_listallpids(nil, 0))) + 64)
        let count = proc_listallpids(&found, Int32(found.count * MemoryLayout<pid_t>.size))
        return Array(found.prefix(max(0, Int(count))))
    }

    private static func hasEnded(_ process: pid_t) -> Bool {
        var info = proc_bsdinfo()
        let size = Int32(MemoryLayout<proc_bsdinfo>.size)
        guard proc_pidinfo(process, PROC_PIDTBSDINFO, 0, &info, size) == size else { return true }
        return info.pbi_status == UInt32(SZOMB)
    }
}
#endif
