#if os(Linux)
#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

extension ProcessIdentity {
    static func startTime(of pid: Int32) -> UInt64? {
        ProcessStatus(of: pid)?.startTime
    }

    /// Whether somebody has stopped it, by `SIGSTOP` for example, so that it does nothing.
    package var isStopped: Bool {
        ProcessStatus(of: pid).map { $0.startTime == startTime && $0.isStopped } ?? false
    }

    /// The start time of what starts at a moment of the wall clock, in milliseconds since 1970. It is as exact as that clock
    /// has been steady since.
    package static func startTime(at milliseconds: Int64) -> UInt64 {
        var (wall, sinceBoot) = (timespec(), timespec())
        clock_gettime(CLOCK_REALTIME, &wall)
        clock_gettime(CLOCK_BOOTTIME, &sinceBoot)
        let age = Double(wall.tv_sec) + Double(wall.tv_nsec) / 1e9 - Double(milliseconds) / 1000
        let seconds = Double(sinceBoot.tv_sec) + Double(sinceBoot.tv_nsec) / 1e9 - age
        return UInt64(max(0, seconds) * Double(sysconf(Int32(_SC_CLK_TCK))))
    }

    /// When it started, in milliseconds since 1970: the opposite of ``startTime(at:)``, and as exact.
    package var startedAt: Int64 {
        var (wall, sinceBoot) = (timespec(), timespec())
        clock_gettime(CLOCK_REALTIME, &wall)
        clock_gettime(CLOCK_BOOTTIME, &sinceBoot)
        let started = Double(startTime) / Double(sysconf(Int32(_SC_CLK_TCK)))
        let age = Double(sinceBoot.tv_sec) + Double(sinceBoot.tv_nsec) / 1e9 - started
        return Int64((Double(wall.tv_sec) + Double(wall.tv_nsec) / 1e9 - age) * 1000)
    }

    /// Within what process ids and start times can be compared: one boot of the system, and one namespace of process ids, as
    /// each container has its own; `nil` when that isn't known.
    package static var space: String? {
        guard let boot = ProcFile.contents(of: "/proc/sys/kernel/random/boot_id") else { return nil }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let count = readlink("/proc/self/ns/pid", start, buffer.count)
            guard count > 0 else { return nil }
            let namespace = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count])
            let identifier = boot.prefix { $0 > UInt8(ascii: " ") }
            return String(decoding: identifier, as: UTF8.self) + " " + String(decoding: namespace, as: UTF8.self)
        }
    }
}

extension ProcessStatus {
    /// The status of a process now; `nil` when there is none.
    init?(of pid: Int32) {
        guard let file = ProcFile("/proc/\(pid)/stat") else { return nil }
        let status = withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { buffer in
            file.read(into: buffer).flatMap(ProcessStatus.init)
        }
        guard let status else { return nil }
        self = status
    }
}
#endif
