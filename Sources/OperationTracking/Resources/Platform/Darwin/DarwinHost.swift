#if canImport(Darwin)
import Darwin

/// The machine as Mach, `sysctl` and the file system show it. There are no pressure figures and no container limits.
///
/// Written with care and not run: the project is built and tested on Linux only.
final class DarwinHost: HostSource {
    private let dataDirectory: String?
    /// Every call of `mach_host_self` adds a right to the port, so it is asked for once.
    private let port = mach_host_self()

    init(dataDirectory: String?) {
        self.dataDirectory = dataDirectory
    }

    deinit {
        mach_port_deallocate(mach_task_self_, port)
    }

    func read() -> HostReading {
        var reading = HostReading()
        reading.cpu = cpuTime()
        reading.network = networkBytes()
        reading.resources.coreCount = max(1, sysconf(_SC_NPROCESSORS_ONLN))
        reading.resources.availableCores = Double(reading.resources.coreCount)
        reading.resources.memoryTotalBytes = memoryTotal()
        reading.resources.memoryAvailableBytes = memoryAvailable()
        readDisk(into: &reading.resources)
        var load = [0.0, 0.0, 0.0]
        if getloadavg(&load, 3) == 3 {
            reading.resources.loadAverage = LoadAverage(
                oneMinute: load[0],
                fiveMinutes: load[1],
                fifteenMinutes: load[2]
            )
        }
        return reading
    }

    private func cpuTime() -> HostReading.CPUTime? {
        var info = host_cpu_load_info_data_t()
        let words = MemoryLayout<host_cpu_load_info_data_t>.size / MemoryLayout<integer_t>.size
        var count = mach_msg_type_number_t(words)
        let result = withUnsafeMutablePointer(to: &info) { pointer in
            pointer.withMemoryRebound(to: integer_t.self, capacity: words) {
                host_statistics(port, HOST_CPU_LOAD_INFO, $0, &count)
            }
        }
        guard result == KERN_SUCCESS else { return nil }
        // In the order of CPU_STATE_USER, _SYSTEM, _IDLE and _NICE.
        let ticks = info.cpu_ticks
        return HostReading.CPUTime(busy: UInt64(ticks.0) + UInt64(ticks.1) + UInt64(ticks.3), idle: UInt64(ticks.2))
    }

    private func memoryTotal() -> Int64? {
        var total: UInt64 = 0
        var size = MemoryLayout<UInt64>.size
        return sysctlbyname("hw.memsize", &total, &size, nil, 0) == 0 ? Int64(clamping: total) : nil
    }

    /// Free and inactive pages: the inactive ones are taken back before anything is swapped.
    private func memoryAvailable() -> Int64? {
        var info = vm_statistics64_data_t()
        let words = MemoryLayout<vm_statistics64_data_t>.size / MemoryLayout<integer_t>.size
        var count = mach_msg_type_number_t(words)
        let result = withUnsafeMutablePointer(to: &info) { pointer in
            pointer.withMemoryRebound(to: integer_t.self, capacity: words) {
                host_statistics64(port, HOST_VM_INFO64, $0, &count)
            }
        }
        guard result == KERN_SUCCESS else { return nil }
        return (Int64(info.free_count) + Int64(info.inactive_count)) * Int64(sysconf(_SC_PAGESIZE))
    }

    /// Waits as long as the file system does, which a network share that hangs can make long.
    private func readDisk(into resources: inout HostResources) {
        guard let dataDirectory else { return }
        var disk = statfs()
        guard statfs(dataDirectory, &disk) == 0 else { return }
        resources.diskTotalBytes = DiskSpace.product(disk.f_blocks, UInt64(disk.f_bsize))
        resources.diskAvailableBytes = DiskSpace.product(disk.f_bavail, UInt64(disk.f_bsize))
    }

    /// The link-layer entries of `getifaddrs`. Their counters have 32 bits; a sum that falls is left out by the meter.
    private func networkBytes() -> HostReading.NetworkBytes? {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return nil }
        defer { freeifaddrs(first) }
        var sum = HostReading.NetworkBytes(received: 0, sent: 0)
        var next = first
        while let entry = next?.pointee {
            next = entry.ifa_next
            guard entry.ifa_flags & UInt32(IFF_LOOPBACK) == 0, let address = entry.ifa_addr, let data = entry.ifa_data,
                Int32(address.pointee.sa_family) == AF_LINK
            else { continue }
            let counters = data.assumingMemoryBound(to: if_data.self).pointee
            sum.received += UInt64(counters.ifi_ibytes)
            sum.sent += UInt64(counters.ifi_obytes)
        }
        return sum
    }
}
#endif
