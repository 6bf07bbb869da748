#if canImport(Darwin)
import Darwin

// Written with care and not run: the project is built and tested on Linux only.
extension ProcessSession {
    /// Those that have not ended, the leader among them.
    package var members: [ProcessIdentity] {
        // The first call tells how many there are; some room is left for those that begin meanwhile.
        var pids = [pid_t](repeating: 0, count: max(0, Int(proc_listallpids(nil, 0))) + 64)
        let count = proc_listallpids(&pids, Int32(pids.count * MemoryLayout<pid_t>.size))
        return pids.prefix(max(0, Int(count))).compactMap { pid in
            guard pid > 1, contains(pid), let info = ProcessIdentity.information(on: pid),
                info.pbi_status != UInt32(SZOMB)
            else { return nil }
            return ProcessIdentity(pid: pid, startTime: info.startTime)
        }
    }

    /// Whether a process is one of them; 0 is this very process.
    package func contains(_ pid: Int32) -> Bool {
        getsid(pid) == id || getpgid(pid) == id
    }

    /// Signals a process if it is still that one, and one of them. Between the looks and the signal its number could be given
    /// away; Darwin has no way round that.
    package func signal(_ process: ProcessIdentity, _ number: Int32) {
        guard contains(process.pid), process.isRunning else { return }
        kill(process.pid, number)
    }
}
#endif
