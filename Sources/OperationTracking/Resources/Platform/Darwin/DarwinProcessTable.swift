#if canImport(Darwin)
import Darwin

/// Processes as libproc shows them.
///
/// Written with care and not run: the project is built and tested on Linux only.
final class DarwinProcessTable: ProcessTable {
    /// Times of `proc_taskinfo` are in the units of `mach_absolute_time`, which are nanoseconds on Intel only.
    private let timebase: mach_timebase_info_data_t
    private var buffer = [pid_t](repeating: 0, count: 256)

    init() {
        var timebase = mach_timebase_info_data_t(numer: 1, denom: 1)
        mach_timebase_info(&timebase)
        self.timebase = timebase
    }

    func beginPass() {}

    /// In microseconds since 1970, as `ProcessIdentity` has it on Darwin.
    func startTimeNow() -> UInt64 {
        var time = timeval()
        gettimeofday(&time, nil)
        return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_usec)
    }

    /// Darwin tells an outsider nothing of children that have ended. A zombie, and another user's process, has no task to be
    /// asked, and counts as gone.
    func read(_ pid: Int32) -> ProcessReading? {
        var info = proc_taskallinfo()
        let size = Int32(MemoryLayout<proc_taskallinfo>.size)
        guard proc_pidinfo(pid, PROC_PIDTASKALLINFO, 0, &info, size) == size else { return nil }
        let cpu = info.ptinfo.pti_total_user &+ info.ptinfo.pti_total_system
        return ProcessReading(
            parent: Int32(bitPattern: info.pbsd.pbi_ppid),
            startTime: info.pbsd.pbi_start_tvsec * 1_000_000 + info.pbsd.pbi_start_tvusec,
            ownCPU: nanoseconds(cpu),
            endedChildrenCPU: 0,
            residentBytes: Int64(clamping: info.ptinfo.pti_resident_size)
        )
    }

    /// `proc_listchildpids` gives the number of pids that it has written, and no sign of having left some out but a full buffer.
    func appendChildren(of pid: Int32, to list: inout [Int32]) {
        while true {
            let bytes = Int32(buffer.count * MemoryLayout<pid_t>.stride)
            let count = Int(proc_listchildpids(pid, &buffer, bytes))
            guard count > 0 else { return }
            guard count >= buffer.count, buffer.count < 1 << 17 else {
                list.append(contentsOf: buffer.prefix(count))
                return
            }
            buffer = [pid_t](repeating: 0, count: buffer.count * 2)
        }
    }

    func forget(_ pid: Int32) {}

    private func nanoseconds(_ time: UInt64) -> UInt64 {
        let product = time.multipliedFullWidth(by: UInt64(timebase.numer))
        let divisor = UInt64(max(1, timebase.denom))
        return product.high < divisor ? divisor.dividingFullWidth(product).quotient : .max
    }
}
#endif
