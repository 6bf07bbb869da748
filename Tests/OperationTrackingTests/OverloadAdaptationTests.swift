import OperationTrackingTesting
import Testing

@testable import OperationTracking

struct OverloadAdaptationTests {
    /// A world that a test makes up: from CPU, memory and number of operations to throughput and failures of one.
    private typealias World = (_ cpu: Double, _ memoryMB: Double, _ count: Int) -> (throughput: Double, failures: Int)

    /// Observations of a world whose load goes up and down.
    private func adaptation(
        _ count: Int = 300,
        seed: UInt64,
        noise: Double = 0.2,
        _ world: World
    ) -> OverloadAdaptation {
        var random = SeededGenerator(seed: seed)
        var adaptation = OverloadAdaptation()
        for _ in 0..<count {
            let cpu = Double.random(in: 5...100, using: &random)
            let memory = Double.random(in: 100...8000, using: &random)
            let operations = Int.random(in: 1...8, using: &random)
            let (throughput, failures) = world(cpu, memory, operations)
            let factor = 1 + Double.random(in: -noise...noise, using: &random)
            adaptation.observe(
                LoadObservation(
                    throughputPerOperation: throughput * factor,
                    activeOperations: operations,
                    failures: failures,
                    cpuPercent: cpu,
                    memoryBytes: Int64(memory * 1_048_576)
                )
            )
        }
        return adaptation
    }

    @Test(arguments: 0..<20)
    func aThresholdMovesToJustBelowTheLoadAtWhichThroughputCollapses(seed: UInt64) throws {
        var policy = OverloadPolicy()
        let adaptation = adaptation(seed: seed) { cpu, _, count in ((cpu > 60 ? 30 : 100) / Double(count), 0) }
        let change = try #require(adaptation.adapt(&policy).first)
        #expect(change.code == .operationsCPU)
        #expect(change.old == 80)
        #expect(policy.cpuPercent == change.new)
        #expect(change.new <= 60 && change.new > 54)
        #expect(policy.memoryBytes == OverloadPolicy().memoryBytes)
    }

    @Test(arguments: 0..<20)
    func memoryHasItsOwnThreshold(seed: UInt64) throws {
        var policy = OverloadPolicy()
        let changes = adaptation(seed: seed) { _, memory, count in ((memory > 6000 ? 30 : 100) / Double(count), 0) }
            .adapt(&policy)
        #expect(changes.map(\.code) == [.operationsMemory])
        let megabytes = try #require(policy.memoryBytes) >> 20
        #expect(megabytes <= 6000 && megabytes > 5500)
        #expect(policy.cpuPercent == 80)
    }

    @Test(arguments: 0..<20)
    func aThresholdMovesToTheLoadAtWhichOperationsFail(seed: UInt64) throws {
        var policy = OverloadPolicy()
        let changes = adaptation(seed: seed) { cpu, _, count in (100 / Double(count), cpu > 60 ? count / 3 + 1 : 0) }
            .adapt(&policy)
        let change = try #require(changes.first)
        #expect(change.new <= 60 && change.new > 54)
        #expect(change.reason.contains("fail"))
    }

    @Test(arguments: 0..<100)
    func withoutARelationAllStays(seed: UInt64) {
        var policy = OverloadPolicy()
        let changes = adaptation(seed: seed, noise: 1) { _, _, count in (100 / Double(count), 0) }.adapt(&policy)
        #expect(changes.isEmpty)
        #expect(policy == OverloadPolicy())
    }

    /// Many downloads share one link: each is slower, all together are as fast as ever.
    @Test(arguments: 0..<20)
    func sharingALinkIsNoOverload(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var adaptation = OverloadAdaptation()
        for _ in 0..<300 {
            let count = Int.random(in: 1...10, using: &random)
            adaptation.observe(
                LoadObservation(
                    throughputPerOperation: 100 / Double(count) * Double.random(in: 0.8...1.2, using: &random),
                    activeOperations: count,
                    cpuPercent: Double(count) * 10,
                    memoryBytes: Int64(count) << 30
                )
            )
        }
        var policy = OverloadPolicy()
        #expect(adaptation.adapt(&policy).isEmpty)
    }

    @Test(arguments: [10.0, 30, 98], 0..<10 as Range<UInt64>)
    func aThresholdNeverLeavesItsBounds(collapse: Double, seed: UInt64) throws {
        var policy = OverloadPolicy()
        var adaptation = adaptation(500, seed: seed) { cpu, memory, count in
            ((cpu > collapse ? 20 : 100) / Double(count), memory > collapse * 80 ? count : 0)
        }
        adaptation.cpuBounds = 50...75
        adaptation.memoryBounds = (3000 << 20)...(3500 << 20)
        for _ in 0..<5 {
            _ = adaptation.adapt(&policy)
            #expect(try policy.cpuPercent == 80 || (50...75).contains(#require(policy.cpuPercent)))
            let memory = try #require(policy.memoryBytes)
            #expect(memory == 4000 << 20 || ((3000 << 20)...(3500 << 20)).contains(memory))
        }
    }

    @Test func aMoveThatIsHeldByTheBoundsSaysSo() throws {
        var policy = OverloadPolicy()
        let change = try #require(
            adaptation(seed: 1) { cpu, _, count in ((cpu > 20 ? 20 : 100) / Double(count), 0) }.adapt(&policy).first
        )
        #expect(change.new == 40)
        #expect(change.reason.hasSuffix("the threshold moves from 80 % to 40 %, as far as the bounds allow."))
    }

    @Test(arguments: [0, 1, 10, 39])
    func aFewObservationsMoveNothing(count: Int) {
        var policy = OverloadPolicy()
        let changes = adaptation(count, seed: 3) { cpu, _, count in ((cpu > 60 ? 1 : 100) / Double(count), 0) }.adapt(
            &policy
        )
        #expect(changes.isEmpty)
    }

    /// One long stretch of load, and slow for another reason: that is one occasion.
    @Test func oneOccasionMovesNothing() {
        var adaptation = OverloadAdaptation()
        for index in 0..<200 {
            let isLoaded = index >= 100
            adaptation.observe(
                LoadObservation(
                    throughputPerOperation: isLoaded ? 20 : 100 + Double(index % 7),
                    activeOperations: 2,
                    cpuPercent: (isLoaded ? 90 : 30) + Double(index % 5),
                    memoryBytes: 1 << 30
                )
            )
        }
        var policy = OverloadPolicy()
        #expect(adaptation.adapt(&policy).isEmpty)
    }

    @Test func oneWildOutcomeMakesNoDifference() {
        var adaptation = adaptation(100, seed: 9) { _, _, count in (100 / Double(count), 0) }
        adaptation.observe(
            LoadObservation(throughputPerOperation: 1e12, activeOperations: 1, cpuPercent: 50, memoryBytes: 1)
        )
        var policy = OverloadPolicy()
        #expect(adaptation.adapt(&policy).isEmpty)
    }

    @Test func havingMovedItStays() {
        var policy = OverloadPolicy()
        let adaptation = adaptation(seed: 5) { cpu, _, count in ((cpu > 60 ? 30 : 100) / Double(count), 0) }
        #expect(adaptation.adapt(&policy).count == 1)
        #expect(adaptation.adapt(&policy).isEmpty)
    }

    @Test func aThresholdThatIsNilStaysSo() {
        var policy = OverloadPolicy()
        policy.cpuPercent = nil
        let changes = adaptation(seed: 5) { cpu, _, count in ((cpu > 60 ? 30 : 100) / Double(count), 0) }.adapt(&policy)
        #expect(changes.isEmpty)
        #expect(policy.cpuPercent == nil)
    }

    @Test func theReasonHasTheFigures() throws {
        var policy = OverloadPolicy()
        let adaptation = adaptation(seed: 5, noise: 0) { cpu, _, count in ((cpu > 60 ? 30 : 100) / Double(count), 0) }
        let change = try #require(adaptation.adapt(&policy).first)
        #expect(change.reason.contains("of CPU use, operations together get done 30 % of what they do just below it"))
        #expect(change.reason.contains("the threshold moves from 80 % to"))
    }

    @Test func whatIsNoObservationIsLeftOut() {
        var adaptation = OverloadAdaptation()
        for throughput in [Double.nan, -1, .infinity] {
            for _ in 0..<100 {
                adaptation.observe(
                    LoadObservation(
                        throughputPerOperation: throughput,
                        activeOperations: 1,
                        cpuPercent: 1,
                        memoryBytes: 1
                    )
                )
            }
        }
        for _ in 0..<100 {
            adaptation.observe(
                LoadObservation(throughputPerOperation: 1, activeOperations: 0, cpuPercent: 1, memoryBytes: 1)
            )
        }
        var policy = OverloadPolicy()
        #expect(adaptation.adapt(&policy).isEmpty)
    }

    @Test func whatIsNewReplacesWhatIsOld() throws {
        var policy = OverloadPolicy()
        var adaptation = adaptation(512, seed: 1) { cpu, _, count in ((cpu > 60 ? 30 : 100) / Double(count), 0) }
        var random = SeededGenerator(seed: 2)
        for _ in 0..<512 {
            adaptation.observe(
                LoadObservation(
                    throughputPerOperation: 100,
                    activeOperations: 1,
                    cpuPercent: Double.random(in: 5...100, using: &random),
                    memoryBytes: 1 << 30
                )
            )
        }
        #expect(adaptation.adapt(&policy).isEmpty)
    }
}
