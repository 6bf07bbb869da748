#if os(Linux)
/// Reads the limits of this process's control group and of the groups around it.
struct ControlGroupReader {
    private struct Files {
        let cpuMax: ProcFile?
        let memoryMax: ProcFile?
        let memoryCurrent: ProcFile?
        let memoryStat: ProcFile?

        init(folder: String) {
            cpuMax = ProcFile(folder + "/cpu.max")
            memoryMax = ProcFile(folder + "/memory.max")
            memoryCurrent = ProcFile(folder + "/memory.current")
            memoryStat = ProcFile(folder + "/memory.stat")
        }

        func level(_ buffer: UnsafeMutableRawBufferPointer) -> ControlGroup.Level {
            var level = ControlGroup.Level()
            level.cores = cpuMax?.read(into: buffer).flatMap(ControlGroup.cores)
            level.memoryLimit = memoryMax?.read(into: buffer).flatMap(ControlGroup.byteCount)
            // The kernel has to add up what all cores have counted to answer these, so they are read only when needed.
            guard level.memoryLimit != nil else { return level }
            level.memoryCurrent = memoryCurrent?.read(into: buffer).flatMap(ControlGroup.byteCount)
            level.memoryReclaimable = memoryStat?.read(into: buffer).flatMap(ControlGroup.reclaimableBytes)
            return level
        }
    }

    private let mount: ControlGroup.Mount?
    private let ownGroup = ProcFile("/proc/self/cgroup")
    private var ownGroupText: [UInt8] = []
    private var files: [Files] = []

    init() {
        mount = ProcFile.contents(of: "/proc/self/mountinfo").flatMap(ControlGroup.mount(inMountInfo:))
    }

    mutating func limits(with buffer: UnsafeMutableRawBufferPointer) -> ContainerLimits? {
        guard let mount, let text = ownGroup?.read(into: buffer) else { return nil }
        // A process can be moved to another group while it runs.
        if !text.elementsEqual(ownGroupText) {
            ownGroupText = Array(text)
            let group = ControlGroup.group(inSelfCgroup: ownGroupText)
            files = group.map { ControlGroup.folders(of: $0, in: mount).map(Files.init) } ?? []
        }
        return ControlGroup.limits(files.map { $0.level(buffer) })
    }
}
#endif
