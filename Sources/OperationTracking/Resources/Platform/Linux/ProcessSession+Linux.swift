#if os(Linux)
import CProcess
#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

extension ProcessSession {
    /// Those that have not ended, the leader among them.
    package var members: [ProcessIdentity] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var found: [ProcessIdentity] = []
        while let pid = ProcessScan.nextNumber(in: folder) {
            guard contains(pid), let status = ProcessStatus(of: pid), !status.hasEnded else { continue }
            found.append(ProcessIdentity(pid: pid, startTime: status.startTime))
        }
        return found
    }

    /// Whether a process is one of them; 0 is this very process.
    package func contains(_ pid: Int32) -> Bool {
        getsid(pid) == id || getpgid(pid) == id
    }

    /// Signals a process if it is still that one, and one of them.
    ///
    /// The descriptor means one process for good (pidfd_open(2)). Had that one ended before the looks that follow, so that they
    /// were at another, the signal would reach nobody.
    package func signal(_ process: ProcessIdentity, _ number: Int32) {
        let descriptor = cprocess_pidfd_open(process.pid)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard contains(process.pid), process.isRunning else { return }
        cprocess_pidfd_send_signal(descriptor, number)
    }
}
#endif
