import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@testable import OperationTracking

struct ResourceHostTests {
    private static let second: Int64 = 1_000_000_000

    private func reading(busy: UInt64 = 0, idle: UInt64 = 0, received: UInt64 = 0, sent: UInt64 = 0) -> HostReading {
        var reading = HostReading()
        reading.resources.coreCount = 4
        reading.cpu = HostReading.CPUTime(busy: busy, idle: idle)
        reading.network = HostReading.NetworkBytes(received: received, sent: sent)
        return reading
    }

    @Test func ratesAreUnknownInTheFirstSample() {
        var meter = HostMeter()
        let host = meter.resources(reading(busy: 100, idle: 100, received: 5), at: 0)
        #expect(host.cpuPercent == nil)
        #expect(host.networkReceiveBitsPerSecond == nil)
        #expect(host.networkTransmitBitsPerSecond == nil)
        #expect(host.coreCount == 4)
    }

    @Test func ratesAreOverTheTimeSinceTheSampleBefore() {
        var meter = HostMeter()
        _ = meter.resources(reading(busy: 100, idle: 1000, received: 50, sent: 10), at: 0)
        let host = meter.resources(reading(busy: 400, idle: 1100, received: 1050, sent: 20), at: 2 * Self.second)
        #expect(host.cpuPercent == 300)
        #expect(host.cpuPercentOfAllCores == 75)
        #expect(host.networkReceiveBitsPerSecond == 4000)
        #expect(host.networkTransmitBitsPerSecond == 40)
    }

    @Test func aTimeThatStandsStillMakesNoRates() {
        var meter = HostMeter()
        _ = meter.resources(reading(), at: 5)
        let host = meter.resources(reading(busy: 10, received: 10), at: 5)
        #expect(host.cpuPercent == nil)
        #expect(host.networkReceiveBitsPerSecond == nil)
    }

    @Test func aSumThatFallsIsUnknownOnce() {
        var meter = HostMeter()
        _ = meter.resources(reading(received: 1000), at: 0)
        #expect(meter.resources(reading(received: 10), at: Self.second).networkReceiveBitsPerSecond == nil)
        #expect(meter.resources(reading(received: 11), at: 2 * Self.second).networkReceiveBitsPerSecond == 8)
    }

    @Test func anIdleCounterThatFallsMakesNoNegativeUse() {
        var meter = HostMeter()
        _ = meter.resources(reading(busy: 100, idle: 100), at: 0)
        #expect(meter.resources(reading(busy: 100, idle: 90), at: Self.second).cpuPercent == nil)
        #expect(meter.resources(reading(busy: 110, idle: 80), at: 2 * Self.second).cpuPercent == 400)
    }

    @Test func usableMemoryIsWhatTheStricterOfMachineAndContainerHas() {
        var host = HostResources()
        #expect(host.usableMemoryBytes == nil)
        #expect(host.memoryLimitBytes == nil)
        host.memoryTotalBytes = 1000
        host.memoryAvailableBytes = 400
        #expect(host.usableMemoryBytes == 400)
        host.container = ContainerLimits(memoryLimitBytes: 500, memoryAvailableBytes: 100)
        #expect(host.usableMemoryBytes == 100)
        #expect(host.memoryLimitBytes == 500)
        host.memoryAvailableBytes = 50
        #expect(host.usableMemoryBytes == 50)
    }

    // MARK: History

    private func point(_ seconds: Int64) -> ResourceHistory.Point {
        ResourceHistory.Point(
            monotonicNanoseconds: seconds * Self.second,
            date: Date(timeIntervalSince1970: Double(seconds)),
            host: HostResources(),
            totals: .unknown,
            activeOperations: 1
        )
    }

    private func history(capacity: Int, points: Range<Int64>) -> ResourceHistory {
        var history = ResourceHistory(capacity: capacity)
        for second in points { history.append(point(second)) }
        return history
    }

    @Test(arguments: [0, 1, 4, 5, 6, 12])
    func aHistoryKeepsTheNewestInOrder(count: Int64) {
        let history = history(capacity: 5, points: 0..<count)
        #expect(history.points == (max(0, count - 5)..<count).map(point))
        #expect(history.latest == (count == 0 ? nil : point(count - 1)))
    }

    @Test func aHistoryHasRoomForOneAtLeast() {
        #expect(history(capacity: 0, points: 0..<3).points == [point(2)])
    }

    @Test func theLastMinutesAreCountedFromTheLatestPoint() {
        let history = history(capacity: 100, points: 0..<100)
        #expect(history.points(last: .seconds(3)) == (96..<100).map(point))
        #expect(ResourceHistory().points(last: .seconds(3)).isEmpty)
    }

    @Test func aLimitKeepsTheFirstAndTheLatest() {
        let history = history(capacity: 100, points: 0..<100)
        let chosen = history.points(last: .seconds(1000), limit: 10)
        #expect(chosen.count == 10)
        #expect(chosen.first == point(0))
        #expect(chosen.last == point(99))
        #expect(history.points(last: .seconds(1000), limit: 0) == [point(0), point(99)])
        #expect(history.points(last: .seconds(1000), limit: 100).count == 100)
    }
}
