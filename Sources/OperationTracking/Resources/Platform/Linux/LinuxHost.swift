#if os(Linux)
#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// The machine as `/proc`, the control groups and the file system show it.
final class LinuxHost: HostSource {
    private let statistics = ProcFile("/proc/stat")
    private let ownStatus = ProcFile("/proc/self/status")
    private let memory = ProcFile("/proc/meminfo")
    private let network = ProcFile("/proc/net/dev")
    private let loadAverage = ProcFile("/proc/loadavg")
    private let cpuPressure = ProcFile("/proc/pressure/cpu")
    private let memoryPressure = ProcFile("/proc/pressure/memory")
    private let ioPressure = ProcFile("/proc/pressure/io")
    private var controlGroup = ControlGroupReader()
    private let dataDirectory: String?
    /// A few hundred interfaces fit; `/proc/stat` is needed up to its first line only.
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)

    init(dataDirectory: String?) {
        self.dataDirectory = dataDirectory
    }

    deinit {
        buffer.deallocate()
    }

    func read() -> HostReading {
        var reading = HostReading()
        reading.cpu = statistics?.read(into: buffer).flatMap(HostFiles.cpuTime)
        reading.network = network?.read(into: buffer).flatMap(HostFiles.network)
        let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        reading.resources.coreCount = cores
        reading.resources.container = controlGroup.limits(with: buffer)
        let allowed = Double(ownStatus?.read(into: buffer).flatMap(HostFiles.allowedCores) ?? cores)
        reading.resources.availableCores = min(allowed, reading.resources.container?.cores ?? allowed)
        if let memory = memory?.read(into: buffer).flatMap(HostFiles.memory) {
            reading.resources.memoryTotalBytes = memory.total
            reading.resources.memoryAvailableBytes = memory.available
        }
        readDisk(into: &reading.resources)
        reading.resources.loadAverage = loadAverage?.read(into: buffer).flatMap(HostFiles.loadAverage)
        reading.resources.pressure = ResourcePressure(
            cpuPercent: cpuPressure?.read(into: buffer).flatMap(HostFiles.pressure),
            memoryPercent: memoryPressure?.read(into: buffer).flatMap(HostFiles.pressure),
            ioPercent: ioPressure?.read(into: buffer).flatMap(HostFiles.pressure)
        )
        return reading
    }

    /// Waits as long as the file system does, which a network share that hangs can make long.
    private func readDisk(into resources: inout HostResources) {
        guard let dataDirectory else { return }
        var disk = statvfs()
        guard statvfs(dataDirectory, &disk) == 0 else { return }
        resources.diskTotalBytes = DiskSpace.product(UInt64(disk.f_blocks), UInt64(disk.f_frsize))
        resources.diskAvailableBytes = DiskSpace.product(UInt64(disk.f_bavail), UInt64(disk.f_frsize))
    }
}
#endif
