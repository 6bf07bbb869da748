import OperationTrackingTesting
import Testing

@testable import OperationTracking

struct OverloadMonitorTests {
    private static let second: Int64 = 1_000_000_000

    private var host: HostResources {
        var host = HostResources()
        host.coreCount = 4
        host.availableCores = 4
        host.memoryAvailableBytes = 16 << 30
        host.diskAvailableBytes = 100 << 30
        return host
    }

    private func load(measured: Double? = nil, reported: Double? = nil, memoryMB: Int64? = nil) -> OperationLoad {
        OperationLoad(
            measured: ResourceImpact(cpuPercent: measured, memoryBytes: memoryMB.map { $0 << 20 }),
            reported: ResourceImpact(cpuPercent: reported),
            activeOperations: 2
        )
    }

    private func codes(
        _ load: OperationLoad = OperationLoad(),
        _ host: HostResources? = nil,
        policy: OverloadPolicy = OverloadPolicy()
    ) -> [OverloadReason.Code] {
        var monitor = OverloadMonitor()
        return monitor.assess(load, host: host ?? self.host, policy: policy, at: 0).reasons.map(\.code)
    }

    @Test func anIdleMachineIsNotOverloaded() {
        var monitor = OverloadMonitor()
        let assessment = monitor.assess(OperationLoad(), host: host, policy: OverloadPolicy(), at: 0)
        #expect(!assessment.isOverloaded)
        #expect(assessment.message == nil)
    }

    @Test func whatIsNotKnownIsNoReason() {
        var monitor = OverloadMonitor()
        #expect(!monitor.assess(OperationLoad(), host: nil, policy: OverloadPolicy(), at: 0).isOverloaded)
        #expect(codes(OperationLoad(), HostResources()) == [])
    }

    @Test(arguments: [(80.0, false), (80.1, true)])
    func reportedCPUCountsAsItIs(percent: Double, isOverloaded: Bool) {
        #expect(codes(load(reported: percent)) == (isOverloaded ? [.operationsCPU] : []))
    }

    @Test(arguments: [(320.0, false), (321.0, true)])
    func measuredCPUCountsAsAShareOfTheCores(percent: Double, isOverloaded: Bool) {
        #expect(codes(load(measured: percent)) == (isOverloaded ? [.operationsCPU] : []))
    }

    @Test func measuredAndReportedAddUp() {
        #expect(codes(load(measured: 200, reported: 25)) == [])
        #expect(codes(load(measured: 200, reported: 35)) == [.operationsCPU])
    }

    @Test(arguments: [(4000 as Int64, false), (4001, true)])
    func memoryOfOperationsIsOverAbove4000MB(megabytes: Int64, isOverloaded: Bool) {
        #expect(codes(load(memoryMB: megabytes)) == (isOverloaded ? [.operationsMemory] : []))
    }

    @Test func aSumOfMemoryThatIsTooLargeIsTheLargest() {
        let impact = ResourceImpact(memoryBytes: .max)
        #expect(OperationLoad(measured: impact, reported: impact).memoryBytes == .max)
    }

    @Test func theMachinesOwnFiguresCount() {
        var host = host
        host.cpuPercent = 390
        #expect(codes(OperationLoad(), host) == [.hostCPU])
        host.cpuPercent = nil
        host.memoryAvailableBytes = 500 << 20
        #expect(codes(OperationLoad(), host) == [.hostMemory])
        host.memoryAvailableBytes = 16 << 30
        host.container = ContainerLimits(memoryAvailableBytes: 500 << 20)
        #expect(codes(OperationLoad(), host) == [.hostMemory])
        host.container = nil
        host.pressure.memoryPercent = 21
        #expect(codes(OperationLoad(), host) == [.memoryPressure])
        host.pressure.memoryPercent = nil
        host.diskAvailableBytes = 1000 << 20
        #expect(codes(OperationLoad(), host) == [.diskSpace])
    }

    @Test(arguments: [(512 << 20, false), ((512 << 20) - 1, true)] as [(Int64, Bool)])
    func asMuchAsTheThresholdMustBeLeft(bytes: Int64, isOverloaded: Bool) {
        var host = host
        host.memoryAvailableBytes = bytes
        #expect(codes(OperationLoad(), host) == (isOverloaded ? [.hostMemory] : []))
    }

    @Test func aThresholdThatIsNilIsNotLookedAt() {
        var policy = OverloadPolicy()
        policy.cpuPercent = nil
        policy.memoryBytes = nil
        #expect(codes(load(reported: 500, memoryMB: 50_000), policy: policy) == [])
    }

    @Test func theMessageHasTheFiguresAndSaysWhatToDo() {
        var monitor = OverloadMonitor()
        let heavy = load(measured: 372, memoryMB: 20_480)
        let assessment = monitor.assess(heavy, host: host, policy: OverloadPolicy(), at: 0)
        #expect(
            assessment.message
                == "System overload: The CPU use of all operations together (of 4 cores) is 93 %, above the threshold of 80 %. "
                + "Wait until an operation has ended, or pause one. "
                + "The memory of all operations together is 20 GB, above the threshold of 4000 MB. "
                + "Wait until an operation has ended, or pause one."
        )
        #expect(assessment.cpuPercent == 93)
        #expect(assessment.memoryBytes == 20_480 << 20)
        #expect(assessment.activeOperations == 2)
    }

    @Test func whileAReasonLingersItsMessageSaysSo() {
        var monitor = OverloadMonitor()
        _ = monitor.assess(load(reported: 90), host: host, policy: OverloadPolicy(), at: 0)
        let assessment = monitor.assess(load(reported: 75), host: host, policy: OverloadPolicy(), at: Self.second)
        let message = assessment.message ?? ""
        #expect(message.contains("is 75 % after having been above the threshold of 80 %"))
        #expect(message.contains("below 72 %"))
    }

    // MARK: Hysteresis

    /// Whether it is overloaded after each of a series of (second, reported CPU).
    private func states(_ series: [(Int64, Double)], policy: OverloadPolicy = OverloadPolicy()) -> [Bool] {
        var monitor = OverloadMonitor()
        return series.map { second, percent in
            monitor.assess(load(reported: percent), host: host, policy: policy, at: second * Self.second).isOverloaded
        }
    }

    @Test func itBeginsAtOnceAndEndsBelowTheLowerMark() {
        #expect(states([(0, 81), (10, 81), (11, 79), (12, 73), (13, 71)]) == [true, true, true, true, false])
    }

    @Test func itStandsForTheSettleTime() {
        #expect(states([(0, 81), (1, 0), (9, 0), (10, 0)]) == [true, true, true, false])
    }

    @Test func itEndsWhenItHasBeenBelowTheThresholdForTheSettleTime() {
        #expect(states([(0, 81), (20, 81), (21, 79), (29, 79), (30, 79)]) == [true, true, true, true, false])
    }

    @Test func whatMustBeLeftHasItsMarkAboveTheThreshold() {
        var monitor = OverloadMonitor()
        var host = host
        let states = [(0, 500), (15, 520), (16, 568), (17, 569)].map { (second: Int64, megabytes: Int64) in
            host.memoryAvailableBytes = megabytes << 20
            if second == 15 { host.memoryAvailableBytes = 511 << 20 }
            return monitor.assess(OperationLoad(), host: host, policy: OverloadPolicy(), at: second * Self.second)
                .isOverloaded
        }
        #expect(states == [true, true, true, false])
    }

    @Test func aHigherThresholdAppliesOnceTheReasonHasStood() {
        var monitor = OverloadMonitor()
        var policy = OverloadPolicy()
        _ = monitor.assess(load(reported: 85), host: host, policy: policy, at: 0)
        policy.cpuPercent = 200
        #expect(!monitor.assess(load(reported: 85), host: host, policy: policy, at: 10 * Self.second).isOverloaded)
    }

    @Test func aThresholdThatIsTakenAwayEndsTheReason() {
        var monitor = OverloadMonitor()
        var policy = OverloadPolicy()
        _ = monitor.assess(load(reported: 85), host: host, policy: policy, at: 0)
        policy.cpuPercent = nil
        #expect(!monitor.assess(load(reported: 85), host: host, policy: policy, at: 1).isOverloaded)
    }

    /// However wild the signal, no reason begins twice within the settle time.
    @Test(arguments: 0..<100)
    func aWildSignalChangesTheStateRarely(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let amplitude = Double.random(in: 0...100, using: &random)
        let series = (0..<600).map { (Int64($0), 80 + Double.random(in: -amplitude...amplitude, using: &random)) }
        let states = states(series)
        let begun = zip(states, states.dropFirst()).count { !$0 && $1 } + (states[0] ? 1 : 0)
        #expect(begun <= 600 / 10)
        for (index, (_, percent)) in series.enumerated() where percent > 80 { #expect(states[index]) }
    }

    /// A signal that stays near the threshold and is often above it makes one overload, not many.
    @Test(arguments: 0..<100)
    func aSignalAroundTheThresholdChangesTheStateOnce(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let series = (0..<600).map { second in
            (Int64(second), second.isMultiple(of: 5) ? 80.5 : Double.random(in: 73...87, using: &random))
        }
        #expect(states(series) == Array(repeating: true, count: 600))
    }

    @Test(arguments: [0, -1, .nan, .infinity, 5])
    func aSenselessLeaveFractionDoesNoHarm(fraction: Double) {
        var policy = OverloadPolicy()
        policy.leaveFraction = fraction
        #expect(states([(0, 81), (1, 79), (20, 79), (21, 81)], policy: policy) == [true, true, false, true])
    }
}
