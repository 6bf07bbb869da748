#if canImport(Darwin)
import Darwin

// Written with care and not run: the project is built and tested on Linux only.
extension ProcessIdentity {
    static func startTime(of pid: Int32) -> UInt64? {
        information(on: pid)?.startTime
    }

    /// Whether somebody has stopped it, by `SIGSTOP` for example, so that it does nothing.
    package var isStopped: Bool {
        Self.information(on: pid).map { $0.startTime == startTime && $0.pbi_status == UInt32(SSTOP) } ?? false
    }

    static func information(on pid: Int32) -> proc_bsdinfo? {
        var info = proc_bsdinfo()
        let size = Int32(MemoryLayout<proc_bsdinfo>.size)
        return proc_pidinfo(pid, PROC_PIDTBSDINFO, 0, &info, size) == size ? info : nil
    }

    /// The start time of what starts at a moment of the wall clock, in milliseconds since 1970.
    package static func startTime(at milliseconds: Int64) -> UInt64 {
        UInt64(max(0, milliseconds)) * 1000
    }

    /// When it started, in milliseconds since 1970.
    package var startedAt: Int64 { Int64(clamping: startTime / 1000) }

    /// Within what process ids and start times can be compared: one boot of the system; `nil` when that isn't known.
    package static var space: String? {
        var name = [CChar](repeating: 0, count: 64)
        var size = name.count
        guard sysctlbyname("kern.bootsessionuuid", &name, &size, nil, 0) == 0 else { return nil }
        return name.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } }
    }
}

extension proc_bsdinfo {
    var startTime: UInt64 { pbi_start_tvsec * 1_000_000 + pbi_start_tvusec }
}
#endif
