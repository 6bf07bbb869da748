/// Measures what process trees and the machine use. For one caller at a time.
package final class ResourceSampler {
    #if os(Linux)
    private typealias SystemProcessTable = LinuxProcessTable
    private typealias SystemHost = LinuxHost
    #else
    private typealias SystemProcessTable = DarwinProcessTable
    private typealias SystemHost = DarwinHost
    #endif

    private var forest = ProcessForest(SystemProcessTable())
    private let host: SystemHost
    private var meter = HostMeter()
    private var lastTime: Int64?
    private let longestSpan: Int64

    /// - Parameters:
    ///   - dataDirectory: an existing folder, whose file system's space is measured too.
    ///   - longestSpan: rates over a longer time than this are unknown, since they say little of now.
    package init(dataDirectory: String? = nil, longestSpan: Duration = .seconds(60)) {
        host = SystemHost(dataDirectory: dataDirectory)
        self.longestSpan = longestSpan.nanoseconds
    }

    /// Measures the trees of `processes`, and the machine.
    ///
    /// It reads files that the kernel makes on the spot: a few microseconds for each process of a tree.
    ///
    /// - Parameters:
    ///   - processes: in any order, any of them several times or inside another's tree.
    ///   - time: monotonic nanoseconds; rates are over the time since the sample before.
    package func sample(_ processes: [ProcessIdentity], at time: Int64) -> ResourceSample {
        if let last = lastTime, time - last > longestSpan {
            meter = HostMeter()
            lastTime = nil
        }
        var sample = ResourceSample(time: time)
        sample.host = meter.resources(host.read(), at: time)
        forest.look(at: processes)
        let elapsed = lastTime.map { Double(time - $0) } ?? 0
        let most = Double(sample.host.coreCount) * 100
        sample.impacts.reserveCapacity(forest.trees.count)
        for tree in forest.trees {
            sample.impacts[tree.identity] = ResourceImpact(tree.whole, elapsed: elapsed, mostPercent: most)
        }
        sample.totals = ResourceImpact(forest.total, elapsed: elapsed, mostPercent: most)
        lastTime = time
        return sample
    }
}

extension ResourceImpact {
    /// - Parameters:
    ///   - elapsed: nanoseconds in which the CPU time was used.
    ///   - mostPercent: what the machine can give. Time is counted in ticks of 10 ms, so a short interval may show more.
    fileprivate init(_ usage: ProcessUsage, elapsed: Double, mostPercent: Double) {
        self.init(memoryBytes: usage.residentBytes)
        guard let cpu = usage.cpu, elapsed > 0 else { return }
        cpuPercent = min(Double(cpu) / elapsed * 100, mostPercent)
    }
}
