#if os(Linux)
import Testing

@testable import OperationTracking

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

@Suite(.serialized)
struct ResourceSamplerTests {
    private let clock = SystemTrackingClock()

    /// Two children that wait for a line each, and say that they are there.
    private static let family = "exec 3<&0; (echo 1; read x <&3) & (echo 2; read x <&3) & wait"

    enum Way: CaseIterable {
        case listsOfChildren
        case scan
        case withoutKeptDescriptors

        func table() -> LinuxProcessTable {
            switch self {
            case .listsOfChildren: LinuxProcessTable()
            case .scan: LinuxProcessTable(usesChildrenFiles: false)
            case .withoutKeptDescriptors: LinuxProcessTable(descriptorLimit: 0)
            }
        }
    }

    @Test(arguments: Way.allCases)
    func aRealTreeIsFoundInEveryWay(way: Way) throws {
        let shell = try ResourceTestShell(Self.family)
        defer { shell.end() }
        _ = (shell.line(), shell.line())
        let identity = try shell.identity
        let table = way.table()
        table.beginPass()
        var children: [Int32] = []
        table.appendChildren(of: identity.pid, to: &children)
        #expect(children.count == 2)
        let parents = children.compactMap { table.read($0)?.parent }
        #expect(parents == [identity.pid, identity.pid])

        var forest = ProcessForest(table)
        forest.look(at: [identity])
        let alone = try #require(table.read(identity.pid)).residentBytes
        let whole = try #require(forest.trees.first).whole
        #expect(whole.residentBytes > alone)
        #expect(whole.cpu == nil)
        forest.look(at: [identity])
        #expect(forest.trees.first?.whole.cpu != nil)
    }

    @Test(arguments: Way.allCases)
    func aProcessThatHasEndedIsNotThere(way: Way) throws {
        let shell = try ResourceTestShell("echo 1; read x")
        _ = shell.line()
        let identity = try shell.identity
        let table = way.table()
        #expect(table.read(identity.pid)?.startTime == identity.startTime)
        shell.end()
        #expect(table.read(identity.pid) == nil)
        var forest = ProcessForest(table)
        forest.look(at: [identity])
        #expect(forest.trees.isEmpty)
    }

    @Test func childrenOfAllThreadsAreFound() throws {
        // The test program has many threads, and the shell's parent is one of them.
        let shell = try ResourceTestShell("echo 1; read x")
        defer { shell.end() }
        _ = shell.line()
        // From the second pass on, the threads are too many for their lists to be read.
        let table = LinuxProcessTable(cheapThreadCount: 1)
        for _ in 0..<3 {
            table.beginPass()
            _ = table.read(getpid())
            var children: [Int32] = []
            table.appendChildren(of: getpid(), to: &children)
            #expect(children.contains(shell.pid))
        }
    }

    @Test func timeOfAChildThatEndedIsCounted() throws {
        let shell = try ResourceTestShell(
            "echo 1; read x; (i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done); echo 2; read x"
        )
        defer { shell.end() }
        _ = shell.line()
        let identity = try shell.identity
        let sampler = ResourceSampler()
        let first = sampler.sample([identity], at: clock.monotonicNanoseconds)
        #expect(first.impacts[identity]?.cpuPercent == nil)
        #expect((first.impacts[identity]?.memoryBytes ?? 0) > 0)
        shell.proceed()
        _ = shell.line()
        let second = sampler.sample([identity], at: clock.monotonicNanoseconds)
        #expect((second.impacts[identity]?.cpuPercent ?? 0) > 0)
        #expect(second.totals == second.impacts[identity])
    }

    @Test func theMachineIsMeasured() {
        let sampler = ResourceSampler(dataDirectory: "/tmp")
        let first = sampler.sample([], at: 0).host
        #expect(first.cpuPercent == nil)
        #expect(first.coreCount >= 1)
        #expect(first.availableCores > 0 && first.availableCores <= Double(first.coreCount))
        #expect((first.memoryTotalBytes ?? 0) > (first.memoryAvailableBytes ?? .max))
        #expect((first.diskTotalBytes ?? 0) >= (first.diskAvailableBytes ?? .max))
        #expect(first.loadAverage != nil)
        #expect(ResourceSampler().sample([], at: 0).host.diskAvailableBytes == nil)
        #expect(ResourceSampler(dataDirectory: "/nonexistent").sample([], at: 0).host.diskAvailableBytes == nil)
    }

    @Test func ratesOverALongIdleTimeAreUnknown() throws {
        let shell = try ResourceTestShell("echo 1; read x")
        defer { shell.end() }
        _ = shell.line()
        let identity = try shell.identity
        let sampler = ResourceSampler(longestSpan: .seconds(10))
        let second: Int64 = 1_000_000_000
        let figures = ([0, 10, 3600, 3601] as [Int64]).map { time in
            let sample = sampler.sample([identity], at: time * second)
            // The machine's own time stands still when two readings come in one tick.
            return (sample.impacts[identity]?.cpuPercent, sample.host.networkReceiveBitsPerSecond)
        }
        #expect(figures.map { $0.0 == nil } == [true, false, true, false])
        #expect(figures.map { $0.1 == nil }[2])
    }

    @Test func withoutProcessesThereIsNothing() {
        let sample = ResourceSampler().sample([], at: 5)
        #expect(sample.time == 5)
        #expect(sample.impacts.isEmpty)
        #expect(sample.totals == ResourceImpact(memoryBytes: 0))
    }

    @Test func descriptorsAreKeptWithinTheLimitAndGivenBack() throws {
        let shell = try ResourceTestShell(Self.family)
        defer { shell.end() }
        _ = (shell.line(), shell.line())
        let identity = try shell.identity
        let table = LinuxProcessTable(descriptorLimit: 4)
        var forest = ProcessForest(table)
        forest.look(at: [identity])
        forest.look(at: [identity])
        #expect(table.openDescriptors == 4)
        forest.look(at: [])
        #expect(table.openDescriptors == 0)
    }
}
#endif
