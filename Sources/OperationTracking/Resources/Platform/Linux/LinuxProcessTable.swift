#if os(Linux)
#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// Processes as `/proc` shows them.
///
/// The cost is proportional to the trees: `/proc/PID/task/TID/children` lists a thread's children, and a kept descriptor saves
/// looking its path up again. A kernel without `CONFIG_PROC_CHILDREN` has one scan of all processes a pass instead, and so
/// have trees with so many threads that their lists would cost more than the scan.
final class LinuxProcessTable: ProcessTable {
    private struct Files {
        var status: Int32 = -1
        var memory: Int32 = -1
        var children: Int32 = -1
        var threadCount = 1
    }

    private let hasChildrenFiles: Bool
    private let cheapThreadCount: Int
    private let descriptorLimit: Int
    private let nanosecondsPerTick: UInt64
    private let pageSize = Int64(sysconf(Int32(_SC_PAGESIZE)))
    private var files: [Int32: Files] = [:]
    private(set) var openDescriptors = 0
    private var scan = ProcessScan()
    private var usesScan: Bool
    /// Threads of the processes with several that this pass has been asked about.
    private var threadsAsked = 0
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)

    /// - Parameters:
    ///   - usesChildrenFiles: `false` scans even where the kernel lists children.
    ///   - cheapThreadCount: for so many threads lists are read before it is known what a scan would cost.
    ///   - descriptorLimit: how many descriptors are kept at most; the default leaves three quarters to the service.
    init(usesChildrenFiles: Bool = true, cheapThreadCount: Int = 64, descriptorLimit: Int? = nil) {
        self.cheapThreadCount = cheapThreadCount
        hasChildrenFiles = usesChildrenFiles && access("/proc/thread-self/children", R_OK) == 0
        usesScan = !hasChildrenFiles
        nanosecondsPerTick = 1_000_000_000 / UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))
        self.descriptorLimit = descriptorLimit ?? min(2048, sysconf(Int32(_SC_OPEN_MAX)) / 4)
    }

    deinit {
        for pid in files.keys { forget(pid) }
        buffer.deallocate()
    }

    func beginPass() {
        scan.isCurrent = false
        // To read a thread's list costs half of what a process costs in a scan. How many processes there are is known from
        // the last scan; before the first one, a scan finds out as soon as the lists are not cheap any more.
        usesScan = !hasChildrenFiles || threadsAsked > max(cheapThreadCount, 2 * scan.processCount)
        threadsAsked = 0
    }

    /// In ticks since boot, as field 22 of `/proc/PID/stat`.
    func startTimeNow() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return (UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)) / nanosecondsPerTick
    }

    func read(_ pid: Int32) -> ProcessReading? {
        guard let status = status(pid) else { return nil }
        let residentPages = residentPages(pid) ?? status.residentPages
        return ProcessReading(
            parent: status.parent,
            startTime: status.startTime,
            ownCPU: status.ownTicks &* nanosecondsPerTick,
            endedChildrenCPU: status.endedChildrenTicks &* nanosecondsPerTick,
            residentBytes: residentPages &* pageSize
        )
    }

    func forget(_ pid: Int32) {
        guard let entry = files.removeValue(forKey: pid) else { return }
        release(entry.status)
        release(entry.memory)
        release(entry.children)
    }

    func appendChildren(of pid: Int32, to list: inout [Int32]) {
        let threadCount = files[pid]?.threadCount ?? 1
        if threadCount > 1 { threadsAsked += threadCount }
        if usesScan {
            if !scan.isCurrent { scan.run(with: buffer) }
            scan.appendChildren(of: pid, to: &list)
            return
        }
        if threadCount > 1 {
            appendChildrenOfAllThreads(of: pid, to: &list)
        } else {
            appendChildrenOfOnlyThread(of: pid, to: &list)
        }
    }

    // MARK: Reading

    private func status(_ pid: Int32) -> ProcessStatus? {
        if let entry = files[pid], entry.status >= 0 {
            if let status = ProcFile.read(entry.status, from: 0, into: buffer).flatMap(ProcessStatus.init) {
                if status.threadCount != entry.threadCount { files[pid]?.threadCount = status.threadCount }
                return status
            }
            // That process has ended; its number may be another's by now.
            forget(pid)
        }
        let descriptor = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        let status = ProcFile.read(descriptor, from: 0, into: buffer).flatMap(ProcessStatus.init)
        let kept = keepOrClose(descriptor, status != nil)
        guard let status else { return nil }
        files[pid, default: Files()].status = kept
        files[pid]?.threadCount = status.threadCount
        return status
    }

    /// From Linux 6.16 on `statm` adds the per-core counters up, which `stat` doesn't: on many cores that is many megabytes.
    private func residentPages(_ pid: Int32) -> Int64? {
        if let descriptor = files[pid]?.memory, descriptor >= 0 {
            return ProcFile.read(descriptor, from: 0, into: buffer).flatMap(ProcessStatus.residentPages(ofMemory:))
        }
        let descriptor = open("/proc/\(pid)/statm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        let pages = ProcFile.read(descriptor, from: 0, into: buffer).flatMap(ProcessStatus.residentPages(ofMemory:))
        let kept = keepOrClose(descriptor, pages != nil && hasKeptStatus(pid))
        files[pid]?.memory = kept
        return pages
    }

    private func appendChildrenOfOnlyThread(of pid: Int32, to list: inout [Int32]) {
        if let kept = files[pid]?.children, kept >= 0 {
            appendChildren(listedIn: kept, to: &list)
            return
        }
        let descriptor = open("/proc/\(pid)/task/\(pid)/children", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        appendChildren(listedIn: descriptor, to: &list)
        let kept = keepOrClose(descriptor, hasKeptStatus(pid))
        files[pid]?.children = kept
    }

    /// Each thread has a list of its own: of the processes that it has started.
    private func appendChildrenOfAllThreads(of pid: Int32, to list: inout [Int32]) {
        guard let folder = opendir("/proc/\(pid)/task") else { return }
        defer { closedir(folder) }
        let folderDescriptor = dirfd(folder)
        while let thread = ProcessScan.nextNumber(in: folder) {
            let descriptor = openat(folderDescriptor, "\(thread)/children", O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            appendChildren(listedIn: descriptor, to: &list)
            close(descriptor)
        }
    }

    private func appendChildren(listedIn descriptor: Int32, to list: inout [Int32]) {
        var offset = 0
        var parser = ChildListParser()
        while let part = ProcFile.read(descriptor, from: offset, into: buffer), part.count > 0 {
            parser.parse(part, into: &list)
            offset += part.count
        }
        parser.finish(into: &list)
    }

    private func release(_ descriptor: Int32) {
        guard descriptor >= 0 else { return }
        close(descriptor)
        openDescriptors -= 1
    }

    /// Only a kept status tells when the other descriptors are a dead process's.
    private func hasKeptStatus(_ pid: Int32) -> Bool {
        files[pid].map { $0.status >= 0 } ?? false
    }

    private func keepOrClose(_ descriptor: Int32, _ isWorthKeeping: Bool) -> Int32 {
        if isWorthKeeping, openDescriptors < descriptorLimit {
            openDescriptors += 1
            return descriptor
        }
        close(descriptor)
        return -1
    }
}
#endif
